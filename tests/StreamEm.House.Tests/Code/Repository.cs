namespace StreamEm.House.Tests.Code;

/// <summary>The files of this checkout, named from its root with forward slashes.</summary>
internal static class Repository
{
    private static readonly string[] Made = ["bin", "obj", "artifacts", "TestResults", "StrykerOutput", "node_modules"];

    /// <summary>Where <c>StreamEm.sln</c> is: above the tests, or the checkout that <c>STREAMEM_CHECKOUT</c> names.</summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("STREAMEM_CHECKOUT") ?? FindRoot();

    /// <summary>The full path of a file.</summary>
    public static string PathOf(string file) => Path.Combine(Root, file);

    /// <summary>The text of a file.</summary>
    public static string Read(string file) => File.ReadAllText(PathOf(file));

    /// <summary>Files under a folder whose names match, in ordinal order, but for what a build makes.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern) =>
    [
        .. from path in Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
           let file = Path.GetRelativePath(Root, path).Replace('\\', '/')
           where !file.Split('/').Any(part => Made.Contains(part, StringComparer.Ordinal))
           orderby file
           select file,
    ];

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "StreamEm.sln"))) return at.FullName;
        throw new DirectoryNotFoundException($"No StreamEm.sln above {AppContext.BaseDirectory}.");
    }
}
