using System.Text.Json;

namespace StreamEm.Worker.Watching;

/// <summary>What is shown of a version.</summary>
/// <param name="RunId">Its run.</param>
/// <param name="Version">Its number.</param>
/// <param name="Records">Records learned from.</param>
/// <param name="MeanLogLikelihood">Of its minibatch before the update, nats per record; NaN without.</param>
/// <param name="Weights">Weights of its components; empty where it has none.</param>
internal sealed record WatchedVersion(string RunId, long Version, long Records, double MeanLogLikelihood, IReadOnlyList<double> Weights)
{
    /// <summary>Reads a snapshot's JSON.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static WatchedVersion Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement root = document.RootElement;
        try
        {
            JsonElement training = root.GetProperty("training");
            bool isTold = training.TryGetProperty("mean_log_likelihood", out JsonElement mean) && mean.ValueKind == JsonValueKind.Number;
            bool hasWeights = root.GetProperty("parameters").TryGetProperty("weights", out JsonElement weights)
                && weights.GetProperty("shape").GetArrayLength() == 1;
            return new WatchedVersion(
                root.GetProperty("model").GetProperty("run_id").GetString() ?? "", root.GetProperty("version").GetInt64(),
                training.GetProperty("records").GetInt64(), isTold ? mean.GetDouble() : double.NaN,
                hasWeights ? [.. weights.GetProperty("data").EnumerateArray().Select(weight => weight.GetDouble())] : []);
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException("This is no snapshot.", failure);
        }
    }
}
