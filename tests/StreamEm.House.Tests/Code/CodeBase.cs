using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace StreamEm.House.Tests.Code;

/// <summary>
/// One project of <c>src</c>, compiled from its files, so that a constant or a <c>nameof</c> counts as a use like a call does.
/// </summary>
internal sealed record CompiledProject(string Name, CSharpCompilation Compilation);

/// <summary>The projects of <c>src</c>, each after those it refers to.</summary>
internal static class CodeBase
{
    private static readonly Lazy<IReadOnlyList<CompiledProject>> All = new(Compile);

    private static readonly string[] Framework =
        ["System", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks",
            "System.Collections.Generic"];

    private static readonly string[] Web =
    [
        "System.Net.Http.Json", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http",
        "Microsoft.AspNetCore.Routing", "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection",
        "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    public static IReadOnlyList<CompiledProject> Projects => All.Value;

    public static CSharpParseOptions Language { get; } = new(LanguageVersion.Preview, DocumentationMode.Parse);

    /// <summary>What this process was started with, the projects of <c>src</c> left out.</summary>
    public static IReadOnlyList<MetadataReference> Libraries { get; } =
    [
        .. from path in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
           where !Path.GetFileName(path).StartsWith("streamem", StringComparison.OrdinalIgnoreCase)
           select MetadataReference.CreateFromFile(path),
    ];

    /// <summary>The file that declares a symbol; null when none of <c>src</c> does.</summary>
    public static string? FileOf(ISymbol symbol) => symbol.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath;

    /// <summary>The syntax tree of one file.</summary>
    public static SyntaxTree Parse(string file) => CSharpSyntaxTree.ParseText(Repository.Read(file), Language, file);

    /// <summary>The <c>using</c> lines the SDK adds.</summary>
    public static string ImplicitUsings(bool isWeb) =>
        string.Concat((isWeb ? [.. Framework, .. Web] : Framework).Select(name => $"global using {name};\n"));

    private static List<CompiledProject> Compile()
    {
        var done = new List<CompiledProject>();
        List<string> open = [.. Repository.Files("src", "*.csproj")];
        while (open.Count > 0)
        {
            string next = open.First(file => References(file).All(name => done.Exists(project => project.Name == name)));
            open.Remove(next);
            done.Add(Compile(next, [.. done.Where(project => References(next).Contains(project.Name, StringComparer.Ordinal))]));
        }

        return done;
    }

    private static CompiledProject Compile(string projectFile, IReadOnlyList<CompiledProject> references)
    {
        string name = Path.GetFileNameWithoutExtension(projectFile);
        bool isWeb = Repository.Read(projectFile).Contains("Sdk.Web", StringComparison.Ordinal);
        OutputKind kind = File.Exists(Repository.PathOf($"src/{name}/Program.cs"))
            ? OutputKind.ConsoleApplication
            : OutputKind.DynamicallyLinkedLibrary;
        var compilation = CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(ImplicitUsings(isWeb), Language),
                .. Repository.Files(Path.GetDirectoryName(projectFile)!, "*.cs").Select(Parse)],
            [.. Libraries, .. references.Select(project => project.Compilation.ToMetadataReference())],
            new CSharpCompilationOptions(kind, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        string[] errors = [.. compilation.GetDeclarationDiagnostics().Where(IsReal).Select(error => error.ToString())];
        return errors.Length == 0
            ? new CompiledProject(name, compilation)
            : throw new InvalidOperationException(
                $"{name} does not compile from its files as the house rules read them:\n{string.Join('\n', errors.Take(20))}");
    }

    /// <summary>CS8795: the body of a partial method comes from a generator, which does not run here.</summary>
    private static bool IsReal(Diagnostic diagnostic) => diagnostic.Severity == DiagnosticSeverity.Error && diagnostic.Id != "CS8795";

    private static IEnumerable<string> References(string projectFile) =>
        XDocument.Parse(Repository.Read(projectFile)).Descendants("ProjectReference")
            .Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value));
}
