using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Sources;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of a source that say how CSV is written, <see cref="CsvDialect"/>.</summary>
internal static class DialectFields
{
    /// <summary>Those of messages and requests: what is between columns and in numbers.</summary>
    /// <param name="set">A copy of the options with another dialect.</param>
    public static Field<T>[] OfMessages<T>(Func<T, CsvDialect, T> set)
        where T : SourceOptions =>
    [
        new ValueField<T>(new Setting<T, char?>(
            "separator", new NullableKind<char>(new SeparatorKind()), o => o.Csv.Separator,
            (o, v) => set(o, o.Csv with { Separator = v }), "What is between the columns of csv; null: found by the header.")),
        new ValueField<T>(new Setting<T, char?>(
            "decimal", new NullableKind<char>(new DecimalMarkKind()), o => o.Csv.Decimal, (o, v) => set(o, o.Csv with { Decimal = v }),
            "The mark before a number's fraction in csv; null: found by the first row.")),
    ];

    /// <summary>All of them.</summary>
    /// <param name="set">A copy of the options with another dialect.</param>
    public static Field<T>[] OfStreams<T>(Func<T, CsvDialect, T> set)
        where T : SourceOptions =>
    [
        .. OfMessages(set),
        new ValueField<T>(new Setting<T, string?>(
            "comment", new CommentKind(), o => o.Csv.Comment, (o, v) => set(o, o.Csv with { Comment = v }),
            "Lines of csv that begin with this are passed over.")),
        new ValueField<T>(new Setting<T, int>(
            "skip_lines", new IntegerKind(0), o => o.Csv.SkipLines, (o, v) => set(o, o.Csv with { SkipLines = v }),
            "So many lines at the start of csv are passed over.")),
        new TextListField<T>(
            "columns", "What stands in the columns of csv without a header; default: its first line names them.", o => o.Csv.Columns ?? [],
            (o, v) => set(o, o.Csv with { Columns = v.Count == 0 ? null : v })),
    ];
}
