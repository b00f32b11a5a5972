using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Writes JSON into room that is known to be enough: digits as snapshots have them, nothing allocated. What is not finite is null.
/// </summary>
internal ref struct JsonText(Span<byte> room)
{
    /// <summary>The most bytes of a number with a comma.</summary>
    public const int NumberBytes = ShortestNumber.MaxLength + 1;

    /// <summary>The most bytes of an instant with its quotes.</summary>
    public const int TimeBytes = 32;

    private readonly Span<byte> _room = room;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>The most bytes a text takes: quoted, every character escaped.</summary>
    public static int BoundOf(string? text) => 8 + 6 * (text?.Length ?? 0);

    /// <summary>Text as it is.</summary>
    public void Raw(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_room[Length..]);
        Length += text.Length;
    }

    public void Number(double value)
    {
        if (double.IsFinite(value)) Length += ShortestNumber.Write(value, _room[Length..]);
        else Raw("null"u8);
    }

    public void Integer(long value)
    {
        Utf8Formatter.TryFormat(value, _room[Length..], out int written);
        Length += written;
    }

    /// <summary>A quoted text; null for null.</summary>
    public void Text(string? text)
    {
        if (text is null)
        {
            Raw("null"u8);
            return;
        }

        Raw("\""u8);
        foreach (char c in text)
        {
            if (c is >= ' ' and < (char)0x7F and not ('"' or '\\')) continue;
            text = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text);
            break;
        }

        Length += Encoding.UTF8.GetBytes(text, _room[Length..]);
        Raw("\""u8);
    }

    /// <summary>An instant, ms since 1970: <see cref="SnapshotJson.Timestamp"/>.</summary>
    public void Time(long milliseconds)
    {
        Raw("\""u8);
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.TryFormat(
            _room[Length..], out int written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        Length += written;
        Raw("\""u8);
    }
}
