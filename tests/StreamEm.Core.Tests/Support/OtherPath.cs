using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.Support;

/// <summary>
/// Runs code under another kernel path than this process has chosen: on copies of the engine and of these tests, loaded beside them, whose
/// choice was made for them.
/// </summary>
internal sealed class OtherPath : AssemblyLoadContext
{
    private static readonly ConcurrentDictionary<(KernelPath, double), Lazy<OtherPath>> Loaded = new();
    private static readonly Lock Choosing = new();
    private static readonly string[] Copied = [typeof(Kernels).Assembly.GetName().Name!, typeof(OtherPath).Assembly.GetName().Name!];

    private OtherPath(KernelPath path, double sparseThreshold)
        : base($"{path}-{sparseThreshold}")
    {
        lock (Choosing)
        {
            // This process's own choice first, which what follows must not change.
            _ = (Kernels.Path, SparseWeightedSums.Threshold);
            AppContext.SetData(Kernels.Switch, path.ToString());
            AppContext.SetData(SparseWeightedSums.Switch, FormattableString.Invariant($"{sparseThreshold:R}"));
            Assembly engine = LoadFromAssemblyName(typeof(Kernels).Assembly.GetName());
            object? Value(Type type, string field) => engine.GetType(type.FullName!)!
                .GetField(field, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(null);
            object? chosen = Value(typeof(Kernels), nameof(Kernels.Path)),
                threshold = Value(typeof(SparseWeightedSums), nameof(SparseWeightedSums.Threshold));
            AppContext.SetData(Kernels.Switch, null);
            AppContext.SetData(SparseWeightedSums.Switch, null);
            Assert.Equal((path.ToString(), (object)sparseThreshold), (chosen?.ToString(), threshold));
        }
    }

    /// <summary>Whether this is a copy that was loaded for another path.</summary>
    public static bool IsHere => GetLoadContext(typeof(OtherPath).Assembly) != Default;

    /// <summary>Calls a method of a class of these tests there, on a new object if it needs one, and returns what that returns.</summary>
    public static string Run(KernelPath path, Type type, string method, params object[] arguments) =>
        Run(path, SparseWeightedSums.DefaultThreshold, type, method, arguments);

    /// <summary>The same with another threshold of sparse statistics.</summary>
    public static string Run(KernelPath path, double sparseThreshold, Type type, string method, params object[] arguments)
    {
        OtherPath context = Loaded.GetOrAdd((path, sparseThreshold), _ => new(() => new OtherPath(path, sparseThreshold))).Value;
        Type there = context.LoadFromAssemblyName(type.Assembly.GetName()).GetType(type.FullName!, throwOnError: true)!;
        MethodInfo called = there.GetMethod(method)!;
        return (string)called.Invoke(called.IsStatic ? null : Activator.CreateInstance(there), arguments)!;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) => Copied.Contains(assemblyName.Name, StringComparer.Ordinal)
        ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))
        : null;
}
