using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Numbers of a snapshot or a score as JSON.</summary>
internal static class SnapshotNumbers
{
    /// <summary>A parameter block, row-major.</summary>
    public static double[] Parameter(this JsonElement snapshot, string name) =>
        Numbers(snapshot.GetProperty("parameters").GetProperty(name).GetProperty("data"));

    /// <summary>An array of numbers; null is NaN.</summary>
    public static double[] Numbers(this JsonElement array) =>
        [.. array.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble())];

    /// <summary>A number of an object.</summary>
    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    /// <summary>The terms of a feature of text.</summary>
    public static string?[] Vocabulary(this JsonElement snapshot) =>
        [.. snapshot.GetProperty("signature").GetProperty("vocabulary").EnumerateArray().Select(term => term.GetString())];

    /// <summary>The levels of a feature.</summary>
    public static string?[] Levels(this JsonElement snapshot, string feature) =>
        [.. snapshot.GetProperty("signature").GetProperty("levels").GetProperty(feature).EnumerateArray()
            .Select(level => level.GetString())];
}
