using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>calendar</c>.</summary>
internal static class CalendarTable
{
    private static readonly Table<Calendar> Keys = new(
        () => new Calendar(),
        new ValueField<Calendar>(new Setting<Calendar, string>(
            "time_zone", new TimeZoneKind(), o => o.TimeZone, (o, v) => o with { TimeZone = v },
            "The time zone that the spans are in, daylight saving included.")),
        new TextListField<Calendar>(
            "skip_learning", "Times of the records that nothing is learned from; they are scored like all others.",
            o => [.. o.SkipLearning.Select(span => span.Text)], (o, v) => o with { SkipLearning = Spans(v) }, new CalendarSpanKind()),
        new TextListField<Calendar>(
            "skip_alarms", "Times of the records that raise no alarm.",
            o => [.. o.SkipAlarms.Select(span => span.Text)], (o, v) => o with { SkipAlarms = Spans(v) }, new CalendarSpanKind()));

    /// <summary><c>calendar</c>.</summary>
    public static readonly Field<ModelOptions> Field = new OptionalSectionField<ModelOptions, Calendar>(
        "calendar", "Times that nothing is learned from, and times without alarms; null: none.", Keys, o => o.Learning.Calendar,
        (o, v) => o with { Learning = o.Learning with { Calendar = v } });

    private static CalendarSpan[] Spans(IReadOnlyList<string> texts)
    {
        var spans = new List<CalendarSpan>();
        foreach (string text in texts)
            if (CalendarSpan.TryParse(text, out CalendarSpan span)) spans.Add(span);
        return [.. spans];
    }
}
