using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;

namespace StreamEm.Worker.Dashboard;

/// <summary>
/// The files of the dashboard, built from <c>src/StreamEm.Dashboard</c> and embedded in the executable. What is not one of them by its
/// whole name is not there: no path leads anywhere else.
/// </summary>
internal static class DashboardFiles
{
    /// <summary>The page itself.</summary>
    public const string Page = "index.html";

    private const string Prefix = "dashboard/";

    private static readonly Lazy<FrozenDictionary<string, DashboardFile>> Files = new(Read);

    /// <summary>The names of the files.</summary>
    public static IEnumerable<string> Names => Files.Value.Keys;

    /// <summary>The file with a name such as <c>assets/index-1234.js</c>; null when there is none.</summary>
    public static DashboardFile? Find(string name) => Files.Value.GetValueOrDefault(name);

    private static FrozenDictionary<string, DashboardFile> Read()
    {
        var assembly = typeof(DashboardFiles).Assembly;
        var files = new Dictionary<string, DashboardFile>(StringComparer.Ordinal);
        foreach (string resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Prefix, StringComparison.Ordinal)) continue;
            using Stream stream = assembly.GetManifestResourceStream(resource)!;
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            string name = resource[Prefix.Length..].Replace('\\', '/');
            files[name] = new DashboardFile(name, bytes);
        }

        return files.ToFrozenDictionary(StringComparer.Ordinal);
    }
}

/// <summary>A file of the dashboard.</summary>
internal sealed class DashboardFile
{
    private readonly Lazy<byte[]> _compressed;

    /// <summary>A file.</summary>
    /// <param name="name">Its path; what is in <c>assets/</c> has a hash of its content in its name and never changes.</param>
    /// <param name="bytes">Its content.</param>
    public DashboardFile(string name, byte[] bytes)
    {
        Bytes = bytes;
        _compressed = new Lazy<byte[]>(() => Compress(bytes));
        Tag = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12));
        NeverChanges = name.StartsWith("assets/", StringComparison.Ordinal);
        ContentType = Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
    }

    /// <summary>Its content.</summary>
    public byte[] Bytes { get; }

    /// <summary>Its content as gzip, made when first asked for.</summary>
    public byte[] Compressed => _compressed.Value;

    /// <summary>What names its content.</summary>
    public string Tag { get; }

    /// <summary>Whether another content would have another name.</summary>
    public bool NeverChanges { get; }

    /// <summary>Its media type.</summary>
    public string ContentType { get; }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return compressed.ToArray();
    }
}
