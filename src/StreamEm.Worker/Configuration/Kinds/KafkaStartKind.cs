using System.Globalization;
using StreamEm.Core.Settings;
using StreamEm.Sources.Kafka;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary><c>earliest</c>, <c>latest</c>, or an instant in ISO 8601 with its offset.</summary>
public sealed class KafkaStartKind : ValueKind<KafkaStart>
{
    private const string Earliest = "earliest";
    private const string Latest = "latest";
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <inheritdoc/>
    public override string Expected => "earliest, latest or a timestamp such as 2026-11-20T08:00:00Z";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => [Earliest, Latest];

    /// <inheritdoc/>
    public override bool TryParse(string? text, out KafkaStart value)
    {
        value = text == Latest ? KafkaStart.Latest : KafkaStart.Earliest;
        if (text is Earliest or Latest) return true;
        bool hasOffset = text is not null && (text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-'));
        if (!hasOffset
            || !DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset instant))
            return false;
        value = KafkaStart.At(instant);
        return true;
    }

    /// <inheritdoc/>
    public override string Format(KafkaStart value) =>
        value.Timestamp is { } instant
            ? instant.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)
            : value.IsLatest ? Latest : Earliest;
}
