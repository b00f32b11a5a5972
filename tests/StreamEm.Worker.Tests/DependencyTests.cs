using System.Reflection;

namespace StreamEm.Worker.Tests;

/// <summary>Who may know whom: Core nobody of ours, Sources Core, the Worker both; no web, YAML or broker types below the Worker.</summary>
public sealed class DependencyTests
{
    private static readonly Assembly Core = typeof(Core.Data.Minibatch).Assembly, Sources = typeof(Sources.RecordSource).Assembly;

    [Fact]
    public void Core_References_OnlyTheFrameworkAndMathNet() =>
        Assert.Empty(Foreign(Core, "MathNet.Numerics"));

    [Fact]
    public void Sources_References_OnlyCoreTheBrokersClientsAndReadersOfFiles() =>
        Assert.Empty(Foreign(Sources, "StreamEm.Core", "Confluent.Kafka", "MQTTnet", "ZstdSharp", "Parquet"));

    [Fact]
    public void Core_References_NothingThatReadsOrWrites()
    {
        string[] forbidden = ["System.Net.Http", "System.Net.Sockets", "System.IO.FileSystem", "Microsoft.Extensions.Logging.Abstractions"];
        Assert.Empty(Core.GetReferencedAssemblies().Select(name => name.Name).Intersect(forbidden, StringComparer.Ordinal));
    }

    [Fact]
    public void Core_PublicTypes_ShowNoTask() => Assert.Empty(
        from type in Core.GetExportedTypes()
        from method in type.GetMethods()
        where typeof(Task).IsAssignableFrom(method.ReturnType)
        select $"{type.Name}.{method.Name}");

    private static IEnumerable<string> Foreign(Assembly assembly, params string[] allowed) =>
        assembly.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name is not ("System" or "netstandard" or "mscorlib"))
            .Except(allowed, StringComparer.Ordinal);
}
