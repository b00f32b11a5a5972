using System.Text.Json;
using System.Text.Json.Serialization;

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
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.MaxDepth = MaxDepth;
    }
}
