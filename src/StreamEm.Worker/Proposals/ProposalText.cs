using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Proposals;

/// <summary>A proposal as a configuration in YAML, commented for the person who goes on from it.</summary>
/// <param name="proposal">What is proposed.</param>
/// <param name="source">Where the records come from.</param>
internal sealed partial class ProposalText(Proposal proposal, ProposedSource source)
{
    private const int MostListed = 12;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly StringBuilder _text = new();

    /// <summary>An id made of the topic's or the first file's name.</summary>
    public string Id
    {
        get
        {
            string id = NotOfIds().Replace(source.Stem.ToLowerInvariant(), "-").Trim('-', '_', '.');
            return id.Length == 0 ? "data" : id.Length <= 64 ? id : id[..64];
        }
    }

    /// <summary>For <c>fit</c>: the features are the fields that a model can take, of every record the same.</summary>
    /// <param name="type">The model, of the catalogue; null: a mixture of Gaussians over the numbers, or, where there are none, of
    /// what else there is.</param>
    /// <param name="features">The features; null: all that suit.</param>
    public string ForFit(string? type, IReadOnlyList<string>? features)
    {
        Head();
        type ??= MixtureOf(features is not null || proposal.Of(FieldUse.Number).Any() ? FeatureKind.Number
            : proposal.Of(FieldUse.Flag).Any() ? FeatureKind.Binary : FeatureKind.Level);
        features ??= [.. Suitable(KindOf(type)).Select(field => field.Name)];
        Line($"    features: [{string.Join(", ", features.Select(Name))}]");
        Line($"    model: {{ type: {Quoted(type)} }}");
        return _text.ToString();
    }

    /// <summary>What a model's features hold, as far as its type alone tells.</summary>
    private static FeatureKind KindOf(string type) =>
        ModelCatalog.Find(type)?.CreateOptions().FeatureKind ?? FeatureKind.Number;

    /// <summary>The first family of the catalogue whose features hold values of a kind.</summary>
    private static string FamilyOf(FeatureKind kind) =>
        ModelCatalog.Emissions.First(family => family.CreateOptions().Plan("x").Kind == kind).Type;

    private static string MixtureOf(FeatureKind kind) => $"{FamilyOf(kind)}_mixture";

    private IEnumerable<ProposedField> Suitable(FeatureKind kind) => proposal.Fields.Where(field => kind switch
    {
        FeatureKind.Number => field.Use == FieldUse.Number || (field.Use == FieldUse.Flag && field.Survey.Flags == 0),
        FeatureKind.Count => field is { Use: FieldUse.Number or FieldUse.Flag, Survey: { Flags: 0, Least: >= 0 } }
            && field.Survey.Integers == field.Survey.Numbers,
        FeatureKind.Binary => field.Use == FieldUse.Flag,
        _ => field.Use is FieldUse.Level or FieldUse.Flag,
    });

    /// <summary>
    /// For a worker that looks for what is rare or new: a growing mixture over the numbers, alarms, and the scored alarms on standard
    /// output; as the samples for one metric and for tables have it (docs/detecting.md).
    /// </summary>
    /// <param name="features">The features; null: all numbers.</param>
    /// <exception cref="CommandException">There is no number (65).</exception>
    public string ForDetection(IReadOnlyList<string>? features)
    {
        features ??= [.. proposal.Of(FieldUse.Number).Select(field => field.Name)];
        if (features.Count == 0)
            throw new CommandException(ExitCode.DataCorrupt,
                $"'{source.Name}' has no field of numbers to watch. Name the features with --features, or let 'streamem init' "
                    + "propose a model.");
        Head();
        Line($"    features: [{string.Join(", ", features.Select(Name))}]");
        if (proposal.NameOf(FieldUse.Timestamp) is { } time && !features.Contains(time)) Line($"    timestamp: {Name(time)}");
        if (proposal.NameOf(FieldUse.Key) is { } key && !features.Contains(key)) Line($"    key: {Name(key)}");
        Line($"    model: {{ type: {MixtureOf(FeatureKind.Number)}, components: {{ max: 32, birth_distance: 3 }} }}");
        Line("    learning: { minibatch: { size: 50 } }");
        Line(features.Count == 1
            ? "    alarms: { threshold: 0.01, rest: 100, rest_share: 0.075, rest_at_most: 375, flag: 0.001 }"
            : "    alarms: { threshold: 0.001, rest: 100 }");
        Line($"    scores: [ stdout: {{ alarms_only: true, include: all{(features.Count == 1 ? "" : ", explain: true")} }} ]");
        return _text.ToString();
    }

    /// <summary>For a worker: every field that can be learned from, what is left out and why, and where results go.</summary>
    public string ForWorker()
    {
        Line(string.Create(CultureInfo.InvariantCulture,
            $"# Proposed from {(source.Topic is null ? "the first" : "the newest")} {proposal.Survey.Records} records of "
                + $"{PrintableName(source.Name)}. Look it over, then:"));
        Line("#   streamem validate -c FILE     every error at once");
        if (source.Topic is null) Line("#   streamem fit DATA -c FILE     learns from files and prints what it found");
        Line("#   streamem run -c FILE          the worker");
        Line("# Every key with its default: streamem schema; every model with its settings: streamem models.");
        Head();
        List<(FeatureKind Kind, List<ProposedField> Fields)> parts =
        [
            .. new[] { (FieldUse.Number, FeatureKind.Number), (FieldUse.Flag, FeatureKind.Binary), (FieldUse.Level, FeatureKind.Level) }
                .Select(part => (part.Item2, proposal.Of(part.Item1).ToList())).Where(part => part.Item2.Count > 0),
        ];
        Line($"    features: {List([.. parts.SelectMany(part => part.Fields)])}");
        foreach (ProposedField field in proposal.LeftOut.Take(MostListed)) Line($"    # left out: {Name(field.Name)} - {field.Reason}");
        int more = proposal.LeftOut.Count() - MostListed;
        if (more > 0) Line(string.Create(CultureInfo.InvariantCulture, $"    # left out: {more} more"));
        if (proposal.NameOf(FieldUse.Timestamp) is { } time) Line($"    timestamp: {Name(time)}");
        if (proposal.NameOf(FieldUse.Key) is { } key)
            Line($"    # key: {Name(key)}        # for models of sequences, such as hidden_markov: one sequence per value");
        Model(parts);
        Line($"    publish:");
        Line($"      - file: {{ path: out/{Id}.ndjson }}        # every version of the model; or kafka: {{ brokers: [...], topic: ... }}");
        Line($"    rejected: {{ file: out/{Id}-rejected.ndjson }}   # records that cannot be used, with their reasons");
        return _text.ToString();
    }

    private void Head()
    {
        Line("models:");
        Line($"  - id: {Name(Id)}");
        Line("    source:");
        if (source.Topic is { } topic)
        {
            string brokers = string.Join(", ", topic.Brokers.Select(Quoted));
            string settings = string.Join(", ", source.Properties.Select(pair => $"{Quoted(pair.Key)}: {Quoted(pair.Value)}"));
            if (settings.Length > 0) settings = $", properties: {{ {settings} }}";
            Line($"      kafka: {{ brokers: [{brokers}], topics: [{Quoted(topic.Topic)}]{settings} }}");
            return;
        }
        string format = proposal.Survey.Format switch
        {
            RecordFormat.Csv => $"csv{Dialect(proposal.Survey.Dialect)}",
            RecordFormat.Parquet => "parquet",
            _ => "ndjson",
        };
        if (source.Follow) format += ", follow: true";
        Line($"      file: {{ path: [{string.Join(", ", source.Paths.Select(Quoted))}], format: {format} }}");
    }

    private static string Dialect(CsvDialect dialect)
    {
        var text = new StringBuilder();
        if (dialect.Separator is { } separator and not ',') text.Append($", separator: {Quoted(separator.ToString())}");
        if (dialect.Decimal is { } mark) text.Append($", decimal: \"{mark}\"");
        if (dialect.Comment is { } comment) text.Append($", comment: {Quoted(comment)}");
        if (dialect.SkipLines > 0) text.Append(CultureInfo.InvariantCulture, $", skip_lines: {dialect.SkipLines}");
        if (dialect.Columns is { } columns) text.Append($", columns: [{string.Join(", ", columns.Select(Quoted))}]");
        return text.ToString();
    }

    private void Model(List<(FeatureKind Kind, List<ProposedField> Fields)> parts)
    {
        Line("    model:");
        Line(parts.Count == 1
            ? $"      type: {MixtureOf(parts[0].Kind)}"
            : "      type: mixture            # each family over features of its own");
        Line("      components: 4            # how many kinds of records; a kind that is not there dies out");
        if (parts.Count > 1)
        {
            Line("      emissions:");
            foreach ((FeatureKind kind, List<ProposedField> fields) in parts)
                Line($"        - {FamilyOf(kind)}: {{ features: {List(fields)} }}");
        }
        List<ProposedField> counts = [.. parts.SelectMany(part => part.Fields).Where(MayCount)];
        if (counts.Count > 0)
            Line($"      # whole numbers: {List(counts)}; if they count events, see the models of counts in 'streamem models'");
    }

    private static bool MayCount(ProposedField field) =>
        field.Use == FieldUse.Number && field.Survey.Integers == field.Survey.Numbers && field.Survey is { Least: >= 0, Largest: <= 1000 };

    private static string List(IReadOnlyList<ProposedField> fields) => $"[{string.Join(", ", fields.Select(field => Name(field.Name)))}]";

    /// <summary>A name within a comment, which no character of it may end.</summary>
    private static string PrintableName(string path) => PrintableText.Of(path).ReplaceLineEndings("?").Replace('\t', '?');

    /// <summary>A name as YAML reads it back: as it is where it cannot be taken for something else.</summary>
    private static string Name(string name) => Plain().IsMatch(name) && !Reserved().IsMatch(name) ? name : Quoted(name);

    /// <summary>A text in quotes: a text of JSON is one of YAML; what would be a variable is escaped.</summary>
    private static string Quoted(string text) => string.Concat(
        JsonSerializer.Serialize(text, Relaxed).Replace("${", "$${", StringComparison.Ordinal).Select(Escaped));

    /// <summary>What a terminal or YAML takes for an order is written as its number.</summary>
    private static string Escaped(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.Control
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")
        : c.ToString();

    private void Line(string line) => _text.Append(line).Append('\n');

    [GeneratedRegex("[^a-z0-9._-]+", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex NotOfIds();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.]*\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Plain();

    [GeneratedRegex("^(true|false|null|yes|no|on|off)\\z",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Reserved();
}
