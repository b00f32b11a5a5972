using System.Text.Json;

namespace StreamEm.Worker.Tests.Support;

/// <summary>A file of published snapshots, read line by line.</summary>
internal static class PublishedLog
{
    public static IReadOnlyList<JsonElement> Read(string path) => [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

    public static IReadOnlyList<long> Versions(string path) => [.. Read(path).Select(line => line.GetProperty("version").GetInt64())];

    /// <summary>All that a restart must make again: version, parameters, training and source, as the bytes they were written as.</summary>
    public static IReadOnlyList<string> Contents(string path) =>
    [
        .. Read(path).Select(line => string.Join('\n', line.GetProperty("version").GetRawText(), line.GetProperty("parameters").GetRawText(),
            line.GetProperty("training").GetRawText(), line.GetProperty("source").GetRawText())),
    ];
}
