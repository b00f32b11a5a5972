using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The fields of the record being decoded, whatever it is written in: slot 0 .. D-1 are the features, then come those of label, weight,
/// key, timestamp and target that the schema names. A decoder calls <see cref="Begin"/>, <see cref="Set"/> per field and
/// <see cref="Commit"/>.
/// </summary>
internal sealed class RecordFields
{
    private const int ShownBytes = 64;

    private readonly List<string> _names;
    private readonly FeatureKind[] _kinds;
    private readonly int[] _restricted;
    private TextTable _texts = new();
    private readonly List<Role> _roles = [];
    private readonly bool _allowMissing;
    private double _weight = 1, _target = double.NaN;
    private int _label = Minibatch.Unlabelled, _key = Minibatch.NoKey;
    private long _timestamp = RecordBatch.NoTimestamp;

    public RecordFields(RecordSchema schema)
    {
        _names = [.. schema.Features];
        _allowMissing = schema.AllowMissing;
        Dimension = schema.Features.Count;
        MayLackRoles = schema.MayLackRoles;
        _kinds = [.. Enumerable.Range(0, Dimension).Select(schema.KindOf)];
        _restricted = [.. Enumerable.Range(0, Dimension).Where(d => _kinds[d] is FeatureKind.Count or FeatureKind.Binary)];
        Add(schema.Label, Role.Label);
        Add(schema.Weight, Role.Weight);
        Add(schema.Key, Role.Key);
        Add(schema.Timestamp, Role.Timestamp);
        Add(schema.Target, Role.Target);
        FeaturesOnly = _roles.Count == 0;

        void Add(string? name, Role role)
        {
            if (name is null) return;
            _names.Add(name);
            _roles.Add(role);
        }
    }

    private enum Role
    {
        Label,
        Weight,
        Key,
        Timestamp,
        Target,
    }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>The name of each slot's field.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Whether there is nothing but features.</summary>
    public bool FeaturesOnly { get; }

    /// <summary>Whether the fields that are no features may be absent from all records.</summary>
    public bool MayLackRoles { get; }

    /// <summary>Whether a feature may be missing.</summary>
    public bool AllowMissing => _allowMissing;

    /// <summary>Whether a slot takes any text, not a number or a time.</summary>
    public bool IsText(int slot) =>
        slot < Dimension ? _kinds[slot] == FeatureKind.Level : _roles[slot - Dimension] is (Role.Label or Role.Key);

    /// <summary>Whether a slot is a feature that holds a number, so that the short ways may write it.</summary>
    public bool IsNumber(int slot) => slot < Dimension && _kinds[slot] != FeatureKind.Level;

    /// <summary>Whether the numbers that the short ways wrote are such as their features may hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AreInSupport(ReadOnlySpan<double> row)
    {
        foreach (int feature in _restricted)
            if (!FeatureValues.IsInSupport(_kinds[feature], row[feature])) return false;
        return true;
    }

    /// <summary>Takes the table that labels, keys and levels become numbers of: that of the batch they go to.</summary>
    public void Use(TextTable texts) => _texts = texts;

    /// <summary>Starts a record with what it has when its fields do not say.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Begin(in RecordDefaults defaults)
    {
        _weight = defaults.Weight;
        _key = defaults.Key;
        _timestamp = defaults.Timestamp;
        _label = Minibatch.Unlabelled;
        _target = double.NaN;
    }

    /// <summary>Takes the text of one field; a feature goes to <paramref name="row"/> (D values).</summary>
    /// <returns>Why it cannot be used, or null.</returns>
    public RejectionReason? Set(int slot, ReadOnlySpan<byte> text, Span<double> row)
    {
        if (slot < Dimension) return Feature(slot, text, out row[slot]);
        switch (_roles[slot - Dimension])
        {
            case Role.Label:
                return Text(text, ref _label);
            case Role.Key:
                return Text(text, ref _key);
            case Role.Target:
                return Number(text, out _target, required: false);
            case Role.Timestamp:
                if (!Timestamps.TryParse(text, out long time)) return RejectionReason.TimestampOutOfRange;
                if (time != RecordBatch.NoTimestamp) _timestamp = time;
                return null;
            default:
                if (Number(text, out double weight, required: false) is { } reason) return reason;
                if (!double.IsNaN(weight) && !RelativeWeights.IsValid(weight)) return RejectionReason.OutOfRange;
                if (!double.IsNaN(weight)) _weight = weight;
                return null;
        }
    }

    /// <summary>Takes a field that is there but holds nothing (JSON's null).</summary>
    public RejectionReason? SetMissing(int slot, Span<double> row) => Set(slot, default, row);

    /// <summary>Adds the record, whose features are in <see cref="RecordBatch.NextRow"/>, to the batch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(RecordBatch batch, long nextOffset)
    {
        if (FeaturesOnly && _weight == 1 && _key == Minibatch.NoKey && _timestamp == RecordBatch.NoTimestamp) batch.Commit(nextOffset);
        else batch.Commit(nextOffset, _weight, _target, _label, _key, _timestamp);
    }

    /// <summary>What was found and expected, for a person.</summary>
    public string Describe(string kind, int slot, RejectionReason reason, ReadOnlySpan<byte> text)
    {
        string field = $"{kind} '{_names[slot]}'";
        if (reason == RejectionReason.MissingFeature) return $"{field} is empty, and missing values are not allowed here (missing: reject)";
        string expected = reason switch
        {
            RejectionReason.NotANumber => "a number",
            RejectionReason.NotFinite => "a finite number within double precision",
            RejectionReason.TimestampOutOfRange => "ISO 8601 or milliseconds since 1970, years 1 to 9999",
            RejectionReason.DecodeUtf8 => "UTF-8",
            _ => slot < Dimension ? FeatureValues.Expected(_kinds[slot]) : RelativeWeights.Expected,
        };
        return $"{field} holds '{Shown(text)}', expected {expected}";
    }

    /// <summary>The beginning of a text, for messages.</summary>
    public static string Shown(ReadOnlySpan<byte> text)
    {
        if (text.Length <= ShownBytes) return Encoding.UTF8.GetString(text);
        return string.Create(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetString(text[..ShownBytes])}... ({text.Length} bytes)");
    }

    private RejectionReason? Feature(int slot, ReadOnlySpan<byte> text, out double value)
    {
        FeatureKind kind = _kinds[slot];
        if (kind == FeatureKind.Level)
        {
            value = double.NaN;
            if (!Utf8.IsValid(text)) return RejectionReason.DecodeUtf8;
            value = FeatureValues.Level(text, _texts);
            return double.IsNaN(value) && !_allowMissing ? RejectionReason.MissingFeature : null;
        }
        if (kind == FeatureKind.Binary && FeatureValues.Word(text) is var word && !double.IsNaN(word))
        {
            value = word;
            return null;
        }
        if (Number(text, out value, required: !_allowMissing) is { } reason) return reason;
        return FeatureValues.IsInSupport(kind, value) ? null : RejectionReason.OutOfRange;
    }

    private static RejectionReason? Number(ReadOnlySpan<byte> text, out double value, bool required) =>
        Numbers.Parse(text, out value) switch
        {
            NumberOutcome.Finite => null,
            NumberOutcome.Missing => required ? RejectionReason.MissingFeature : null,
            NumberOutcome.NotFinite => RejectionReason.NotFinite,
            _ => RejectionReason.NotANumber,
        };

    private RejectionReason? Text(ReadOnlySpan<byte> text, ref int value)
    {
        if (text.IsEmpty) return null;
        if (!Utf8.IsValid(text)) return RejectionReason.DecodeUtf8;
        value = _texts.Number(text);
        return null;
    }
}
