using System.IO.Compression;

namespace StreamEm.Sources.Tests.Contracts;

/// <summary>An empty folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>Its path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("streamem-sources-").FullName;

    /// <summary>The path of a file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file and answers its path.</summary>
    public string Write(string name, string text)
    {
        string path = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Adds to a file.</summary>
    public void Append(string name, string text) => System.IO.File.AppendAllText(File(name), text);

    /// <summary>Writes a compressed file and answers its path.</summary>
    public string WriteGzip(string name, string text)
    {
        string path = File(name);
        using var file = new GZipStream(System.IO.File.Create(path), CompressionLevel.Fastest);
        using var writer = new StreamWriter(file);
        writer.Write(text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
