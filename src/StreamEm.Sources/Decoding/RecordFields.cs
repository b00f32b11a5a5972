using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Unicode;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The fields of the record being decoded, whatever it is written in: slot 0 .. D-1 are the columns of the row - the features and, where
/// there is one, the target -, then come those of label, weight, key and timestamp that the schema names, those that say whether the record
/// ends its sequence, and those that say whether the model is about it at all. A decoder calls <see cref="Begin"/>, <see cref="Set"/> per
/// field and <see cref="Commit"/>.
/// </summary>
internal sealed class RecordFields
{
    private readonly List<string> _names;
    private readonly FeatureKind[] _kinds;
    private readonly int[] _restricted;
    private TextTable _texts = new();
    private readonly List<Role> _roles = [];
    private readonly bool _allowMissing, _mayLackRoles;
    private readonly FieldSpelling _spelling;
    private readonly LabelReader _labels;
    private readonly FilterOutcomes? _filter, _endMarker;
    private readonly int _firstFiltered, _firstMarker;
    private readonly bool _checksNumbers;
    private OptionalFields _unread;
    private readonly int _target;
    private double _weight = 1;
    private int _label = Minibatch.Unlabelled, _key = Minibatch.NoKey;
    private long _timestamp = RecordBatch.NoTimestamp;

    public RecordFields(RecordSchema schema)
    {
        _names = [.. schema.Columns];
        _allowMissing = schema.AllowMissing;
        Dimension = schema.Width;
        _target = schema.Target is null ? -1 : Dimension - 1;
        _mayLackRoles = schema.MayLackRoles;
        _kinds = [.. Enumerable.Range(0, Dimension).Select(schema.KindOf)];
        _restricted = [.. Enumerable.Range(0, Dimension)
            .Where(d => _kinds[d] is FeatureKind.Count or FeatureKind.Binary or FeatureKind.NonNegative)];
        _spelling = new FieldSpelling(schema);
        _labels = new LabelReader(_spelling);
        _checksNumbers = _restricted.Length > 0 || !_spelling.MissingNumbers.IsEmpty;
        Add(schema.Label, Role.Label);
        Add(schema.Weight, Role.Weight);
        Add(schema.Key, Role.Key);
        Add(schema.Timestamp, Role.Timestamp);
        _firstMarker = _names.Count;
        if (schema.EndMarker is { } marker)
        {
            _endMarker = new FilterOutcomes(marker, _spelling);
            foreach (string name in marker.Fields) Add(name, Role.EndMarker);
        }
        _firstFiltered = _names.Count;
        if (schema.Where is { } where)
        {
            _filter = new FilterOutcomes(where, _spelling);
            foreach (string name in where.Fields) Add(name, Role.Filter);
        }
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
        EndMarker,
        Filter,
    }

    /// <summary>Number of columns D of a row.</summary>
    public int Dimension { get; }

    /// <summary>The name of each slot's field.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Whether there is nothing but the row.</summary>
    public bool FeaturesOnly { get; }

    /// <summary>Whether all records may lack the field of a slot: not the features.</summary>
    public bool MayLack(int slot) => _mayLackRoles && (slot >= Dimension || slot == _target);

    /// <summary>Whether a column may be missing from a record: the target always, it is what is to be predicted.</summary>
    public bool MayBeMissing(int column) => _allowMissing || column == _target;

    /// <summary>Whether a slot takes any text, not a number or a time.</summary>
    public bool IsText(int slot) =>
        slot < Dimension
            ? FeatureValues.IsText(_kinds[slot])
            : _roles[slot - Dimension] is (Role.Label or Role.Key or Role.EndMarker or Role.Filter);

    /// <summary>Whether a slot is a feature that holds a number, so that the short ways may write it.</summary>
    public bool IsNumber(int slot) => slot < Dimension && !FeatureValues.IsText(_kinds[slot]);

    /// <summary>Whether a slot may hold what cannot be read and the record be used all the same, the field then being absent.</summary>
    public bool IsOptional(int slot) =>
        slot >= Dimension && _roles[slot - Dimension] is (Role.Key or Role.Timestamp or Role.EndMarker or Role.Filter);

    /// <summary>Whether a slot takes lists and objects as they are written, not single values alone.</summary>
    public bool TakesSeveral(int slot) =>
        slot < Dimension ? _kinds[slot] == FeatureKind.Terms : _roles[slot - Dimension] == Role.Label;

    /// <summary>Whether there are records that the model is not about.</summary>
    public bool HasFilter => _filter is not null;

    /// <summary>The first slot of those that say whether the model is about a record; they are the last.</summary>
    public int FirstFiltered => _firstFiltered;

    /// <summary>Whether the model is about the record, by the fields that have been set.</summary>
    public bool IsMeant => _filter is null || _filter.Pass;

    /// <summary>What the texts of the fields say.</summary>
    public FieldSpelling Spelling => _spelling;

    /// <summary>
    /// Whether the numbers that the short ways wrote are such as their features may hold; those that mean that there is none become NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Accepts(Span<double> row) => !_checksNumbers || Check(row);

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
        _unread = defaults.Unread;
        _endMarker?.Begin();
        _filter?.Begin();
    }

    /// <summary>Takes the text of one field; a feature goes to <paramref name="row"/> (D values).</summary>
    /// <returns>Why it cannot be used, or null.</returns>
    public RejectionReason? Set(int slot, ReadOnlySpan<byte> text, Span<double> row)
    {
        if (slot < Dimension) return Feature(slot, text, out row[slot]);
        switch (_roles[slot - Dimension])
        {
            case Role.Label:
                if (!Utf8.IsValid(text)) return RejectionReason.DecodeUtf8;
                return _labels.Read(text, _texts, out _label);
            case Role.Key:
                if (!Utf8.IsValid(text)) return Pass(slot);
                if (_spelling.Key(text, _texts) is var key and not TextTable.None) _key = key;
                return null;
            case Role.Timestamp:
                if (!_spelling.TryTime(text, out long time)) return Pass(slot);
                if (time != RecordBatch.NoTimestamp) _timestamp = time;
                return null;
            case Role.EndMarker:
                _endMarker!.Take(slot - _firstMarker, text);
                return null;
            case Role.Filter:
                _filter!.Take(slot - _firstFiltered, text);
                return null;
            default:
                if (Number(text, out double weight, required: false) is { } reason) return reason;
                if (!double.IsNaN(weight) && !RelativeWeights.IsValid(weight)) return RejectionReason.OutOfRange;
                if (!double.IsNaN(weight)) _weight = weight;
                return null;
        }
    }

    /// <summary>Takes the number of a feature that <see cref="IsNumber"/>; NaN where there is none.</summary>
    /// <returns>Why it cannot be used, or null.</returns>
    public RejectionReason? SetNumber(int slot, double value, Span<double> row)
    {
        if (double.IsInfinity(value)) return RejectionReason.NotFinite;
        if (_spelling.MissingNumbers.Contains(value)) value = double.NaN;
        row[slot] = value;
        if (double.IsNaN(value)) return MayBeMissing(slot) ? null : RejectionReason.MissingFeature;
        return FeatureValues.IsInSupport(_kinds[slot], value) && FeatureValues.IsInRange(value) ? null : RejectionReason.OutOfRange;
    }

    /// <summary>Notes that an optional field holds what cannot be read: the record is used without it.</summary>
    /// <returns>Null, no reason to reject the record.</returns>
    public RejectionReason? Pass(int slot)
    {
        _unread |= _roles[slot - Dimension] switch
        {
            Role.Key => OptionalFields.Key,
            Role.Timestamp => OptionalFields.Timestamp,
            _ => OptionalFields.None,
        };
        return null;
    }

    /// <summary>Adds the record, whose features are in <see cref="RecordBatch.NextRow"/>, to the batch, or passes over it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(RecordBatch batch, long nextOffset)
    {
        if (!IsMeant)
        {
            batch.FilterOut(nextOffset);
            return;
        }
        if (FeaturesOnly && _weight == 1 && _key == Minibatch.NoKey && _timestamp == RecordBatch.NoTimestamp &&
            _unread == OptionalFields.None)
            batch.Commit(nextOffset);
        else batch.Commit(nextOffset, _weight, _label, _key, _timestamp, _unread);
        if (_endMarker is { Pass: true }) batch.EndSequence();
    }

    /// <summary>What was found and expected, for a person; never what the record holds.</summary>
    public string Describe(string kind, int slot, RejectionReason reason, ReadOnlySpan<byte> text)
    {
        string field = $"{kind} '{_names[slot]}'";
        string number = _spelling.HasDecimalComma ? "a number with a decimal comma" : "a number";
        string otherMark = _spelling.HasDecimalComma ? "point" : "comma";
        return reason switch
        {
            RejectionReason.MissingFeature => $"{field} is empty, and missing values are not allowed here (missing: reject)",
            RejectionReason.NotANumber => kind == "column" && _spelling.IsNumberWithOtherMark(text)
                ? $"{field} holds a number with a decimal {otherMark}, expected {number}; the source's 'decimal' says which mark it is"
                : $"{field} holds {TextFound(text)}, expected {number}",
            RejectionReason.NotFinite => $"{field} holds an infinite number, expected a finite one within double precision",
            RejectionReason.DecodeUtf8 => $"{field} holds bytes that are no text, expected UTF-8",
            _ when IsOutOfRange(slot, text) =>
                $"{field} holds a number that cannot be computed with, expected {FeatureValues.ExpectedRange}",
            _ when slot >= Dimension && TakesSeveral(slot) => $"{field} holds {_labels.Problem}",
            _ when slot >= Dimension => $"{field} holds another number, expected {RelativeWeights.Expected}",
            _ => $"{field} holds another value, expected {FeatureValues.Expected(_kinds[slot])}",
        };
    }

    /// <summary>Whether what is wrong with a number is its magnitude, not what the feature means.</summary>
    private bool IsOutOfRange(int slot, ReadOnlySpan<byte> text) =>
        slot < Dimension && !FeatureValues.IsText(_kinds[slot])
            && _spelling.Number(text, out double value) == NumberOutcome.Finite && !FeatureValues.IsInRange(value)
            && FeatureValues.IsInSupport(_kinds[slot], value);

    private static string TextFound(ReadOnlySpan<byte> text) =>
        string.Create(CultureInfo.InvariantCulture, $"a text of {text.Length} {(text.Length == 1 ? "byte" : "bytes")}");

    private bool Check(Span<double> row)
    {
        if (!_spelling.MissingNumbers.IsEmpty && !DropMissing(row)) return false;
        foreach (int feature in _restricted)
            if (!FeatureValues.IsInSupport(_kinds[feature], row[feature])) return false;
        return true;
    }

    private bool DropMissing(Span<double> row)
    {
        for (int feature = 0; feature < row.Length; feature++)
        {
            if (FeatureValues.IsText(_kinds[feature]) || !_spelling.MissingNumbers.Contains(row[feature])) continue;
            if (!MayBeMissing(feature)) return false;
            row[feature] = double.NaN;
        }
        return true;
    }

    private RejectionReason? Feature(int slot, ReadOnlySpan<byte> text, out double value)
    {
        FeatureKind kind = _kinds[slot];
        if (FeatureValues.IsText(kind))
        {
            value = double.NaN;
            if (!Utf8.IsValid(text)) return RejectionReason.DecodeUtf8;
            if (kind == FeatureKind.Terms && !FeatureValues.IsDocument(text)) return RejectionReason.OutOfRange;
            int name = kind == FeatureKind.Terms ? _spelling.Key(text, _texts) : _spelling.Name(text, _texts);
            if (name != TextTable.None) value = name;
            return double.IsNaN(value) && !MayBeMissing(slot) ? RejectionReason.MissingFeature : null;
        }
        if (kind == FeatureKind.Binary && FeatureValues.Word(text) is var word && !double.IsNaN(word))
        {
            value = word;
            return null;
        }
        if (Number(text, out value, required: !MayBeMissing(slot)) is { } reason) return reason;
        return FeatureValues.IsInSupport(kind, value) && FeatureValues.IsInRange(value) ? null : RejectionReason.OutOfRange;
    }

    private RejectionReason? Number(ReadOnlySpan<byte> text, out double value, bool required) =>
        _spelling.Number(text, out value) switch
        {
            NumberOutcome.Finite => null,
            NumberOutcome.Missing => required ? RejectionReason.MissingFeature : null,
            NumberOutcome.NotFinite => RejectionReason.NotFinite,
            _ => RejectionReason.NotANumber,
        };
}
