using System.Text.Json;

namespace StreamEm.Worker.Telemetry;

/// <summary>Names of enumeration members as files, metrics and JSON write them.</summary>
internal static class SnakeCase
{
    /// <summary><c>JsonSyntax</c> becomes <c>json_syntax</c>.</summary>
    public static string Of<TEnum>(TEnum value)
        where TEnum : struct, Enum => Names<TEnum>.ByValue[value];

    private static class Names<TEnum>
        where TEnum : struct, Enum
    {
        public static readonly Dictionary<TEnum, string> ByValue =
            Enum.GetValues<TEnum>().ToDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
    }
}
