using System.Diagnostics.CodeAnalysis;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>A span of local time; see <see cref="CalendarSpan"/>.</summary>
internal sealed class CalendarSpanKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => CalendarSpan.Expected;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        bool isSpan = CalendarSpan.TryParse(text, out CalendarSpan span);
        value = isSpan ? span.Text : null;
        return isSpan;
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}

/// <summary>The IANA name of a time zone that this machine knows.</summary>
internal sealed class TimeZoneKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected =>
        "the IANA name of a time zone that this machine knows (its package tzdata), such as Europe/Berlin, or UTC";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return text is not null && Calendar.Knows(text);
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}
