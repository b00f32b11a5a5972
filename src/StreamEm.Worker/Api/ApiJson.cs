using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>How the API writes JSON: snake_case, nothing for what is not there, shallow.</summary>
internal static class ApiJson
{
    /// <summary>Deepest nesting of a request's body.</summary>
    public const int MaxDepth = 16;

    /// <summary>Sets the conventions.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        // No number comes as a text, so the API's document says none does.
        options.NumberHandling = JsonNumberHandling.Strict;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.MaxDepth = MaxDepth;
        options.Converters.Add(new InstantConverter());
    }

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(SnapshotJson.Timestamp(value));
    }
}
