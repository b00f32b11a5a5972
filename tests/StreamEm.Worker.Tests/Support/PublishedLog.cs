using System.Text.Json;

namespace StreamEm.Worker.Tests.Support;

/// <summary>A file of published snapshots, read line by line.</summary>
internal static class PublishedLog
{
    public static IReadOnlyList<JsonElement> Read(string path) =>
        [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

    public static IReadOnlyList<long> Versions(string path) => [.. Read(path).Select(line => line.GetProperty("version").GetInt64())];

    /// <summary>The version of the last whole line; 0 without.</summary>
    public static long LastVersion(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        string text = reader.ReadToEnd();
        int end = text.LastIndexOf('\n');
        return end < 0
            ? 0
            : JsonDocument.Parse(text[(text.LastIndexOf('\n', Math.Max(0, end - 1)) + 1)..end]).RootElement.GetProperty("version")
                .GetInt64();
    }

    /// <summary>All that a restart must make again: version, parameters, training and source, as the bytes they were written as.</summary>
    public static IReadOnlyList<string> Contents(string path) => [.. Read(path).Select(ContentOf)];

    /// <summary>The same of one snapshot.</summary>
    public static string ContentOf(ReadOnlyMemory<byte> json) => ContentOf(JsonDocument.Parse(json).RootElement);

    private static string ContentOf(JsonElement line) =>
        string.Join('\n', line.GetProperty("version").GetRawText(), line.GetProperty("parameters").GetRawText(),
            line.GetProperty("training").GetRawText(), line.GetProperty("source").GetRawText());
}
