namespace StreamEm.Core.Features;

/// <summary>Which fields of a record mean what: names are CSV columns or JSON fields, a dot reaches into a nested object.</summary>
public sealed record RecordSchema
{
    /// <summary>The D features, in the model's order.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>
    /// How those features are made that are no fields; their names (<see cref="DerivedFeature.Outputs"/>) are among the features, at the
    /// place where they are made.
    /// </summary>
    public IReadOnlyList<DerivedFeature> Derived { get; init; } = [];

    /// <summary>Keys of which is remembered what features are made of; beyond, the one not met for longest begins anew.</summary>
    public int FeatureKeys { get; init; } = 100_000;

    /// <summary>The schema of the records as they are read: its features are the fields that the features are made of, each once.</summary>
    public RecordSchema Read
    {
        get
        {
            if (Derived.Count == 0) return this;
            var fields = new Dictionary<string, FeatureKind>(StringComparer.Ordinal);
            var made = new HashSet<string>(StringComparer.Ordinal);
            for (int d = 0; d < Features.Count; d++)
            {
                string name = Features[d];
                DerivedFeature? derived = DerivedAt(name);
                if (derived is null) fields.TryAdd(name, KindOf(d));
                else if (!derived.IsOfTime && !made.Contains(derived.Source)) fields.TryAdd(derived.Source, FeatureKind.Number);
                made.Add(name);
            }
            FeatureKind[] kinds = [.. fields.Values, .. Target is null ? (FeatureKind[])[] : [KindOf(Features.Count)]];
            return this with
            {
                Features = [.. fields.Keys],
                Kinds = Array.TrueForAll(kinds, kind => kind == FeatureKind.Number) ? [] : kinds,
                Derived = [],
            };
        }
    }

    /// <summary>
    /// What the features are, one text each in the order they were configured in: a field's name, or a derived feature's definition.
    /// </summary>
    public IReadOnlyList<string> Definitions =>
        [.. Features.Where(name => DerivedAt(name) is not { } derived || derived.Outputs[0] == name)
            .Select(name => DerivedAt(name) is { } derived ? DerivedFeatureJson.TextOf(derived) : name)];

    /// <summary>What makes a feature; null for one that is a field.</summary>
    public DerivedFeature? DerivedAt(string feature) => Derived.FirstOrDefault(derived => derived.Outputs.Contains(feature));

    /// <summary>Field of the label; empty or absent values mean unlabelled.</summary>
    public string? Label { get; init; }

    /// <summary>Field of the weight, see <see cref="Data.RelativeWeights.IsValid"/>; absent values mean 1.</summary>
    public string? Weight { get; init; }

    /// <summary>Field of the key (device, session) a sequence is grouped by.</summary>
    public string? Key { get; init; }

    /// <summary>Field of the event time: ISO 8601 text, or a number counted in <see cref="TimestampUnit"/> since 1970.</summary>
    public string? Timestamp { get; init; }

    /// <summary>What a number in <see cref="Timestamp"/> counts.</summary>
    public TimestampUnit TimestampUnit { get; init; }

    /// <summary>Field of the value to be predicted; it may be missing from any record.</summary>
    public string? Target { get; init; }

    /// <summary>Which records the model is about: others are passed over, whatever is in them; null: all.</summary>
    public RecordFilter? Where { get; init; }

    /// <summary>Which records are the last of their sequence (<see cref="Data.SequenceOptions.EndMarker"/>); null: none says so.</summary>
    public RecordFilter? EndMarker { get; init; }

    /// <summary>The same with the mark that ends sequences.</summary>
    public RecordSchema With(Data.SequenceOptions sequences) =>
        this with { EndMarker = sequences.EndMarker is { } text ? RecordFilter.Parse(text, out _) : null };

    /// <summary>The columns of a record's row: the features and, where there is one, the target last.</summary>
    public IReadOnlyList<string> Columns => Target is null ? Features : [.. Features, Target];

    /// <summary>Number of <see cref="Columns"/>.</summary>
    public int Width => Target is null ? Features.Count : Features.Count + 1;

    /// <summary>
    /// What the columns hold, in their order; empty when all hold numbers. A model's plan says it (<see cref="FeatureSpace.Kinds"/>).
    /// </summary>
    public IReadOnlyList<FeatureKind> Kinds { get; init; } = [];

    /// <summary>Whether the fields that are no features may be absent from all records: a file to be scored need not have a key.</summary>
    public bool MayLackRoles { get; init; }

    /// <summary>What a column holds.</summary>
    public FeatureKind KindOf(int column) => Kinds.Count == 0 ? FeatureKind.Number : Kinds[column];

    /// <summary>Features in order that are numbers, and nothing else: for rows that are at hand as arrays.</summary>
    public static RecordSchema OfNumbers(int dimension) =>
        new()
        {
            Features =
            [.. Enumerable.Range(0, dimension).Select(d => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"x{d}"))]
        };

    /// <summary>Whether a feature may be missing (empty cell, null, absent field, NaN); otherwise the record is rejected.</summary>
    public bool AllowMissing { get; init; } = true;

    /// <summary>
    /// Texts that say that a value is missing, beside those that always do; one that is a number means every spelling of that number.
    /// </summary>
    public IReadOnlyList<string> MissingValues { get; init; } = [];

    /// <summary>How records written as CSV are written.</summary>
    public CsvDialect Csv { get; init; } = CsvDialect.Found;
}
