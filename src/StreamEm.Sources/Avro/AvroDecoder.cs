using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Avro;

/// <summary>
/// Records of Apache Avro, read with the schema they were written with: fields are found by name, a dot reaches into records and maps,
/// whatever union they are in; a null, or a field that the writer's schema lacks, is a missing value. So a stream goes on when its schema
/// changes. Nothing is allocated for a good record.
/// </summary>
internal sealed class AvroDecoder
{
    private readonly RecordFields _fields;
    private readonly JsonPaths _paths;
    private readonly bool[] _seen;
    private readonly AvroText _text = new();
    private readonly AvroJson _json = new();

    /// <summary>Why the record that is being read cannot be used; the first reason counts.</summary>
    private (RejectionReason Reason, string Detail)? _refusal;

    /// <summary>For records of this schema.</summary>
    public AvroDecoder(RecordSchema schema)
    {
        _fields = new RecordFields(schema);
        _paths = JsonPaths.Create(_fields.Names);
        _seen = new bool[_fields.Names.Count];
    }

    /// <summary>How values of a writer's schema are read, made once.</summary>
    public AvroStep Plan(AvroType type) => AvroStep.Create(type, _paths);

    /// <summary>The fields of the records that a writer's schema does not have.</summary>
    public IReadOnlyList<string> Lacking(AvroStep plan)
    {
        HashSet<int> reached = [.. plan.Reached];
        return [.. _fields.Names.Where((_, slot) => !reached.Contains(slot)).Distinct()];
    }

    /// <summary>Decodes one record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="plan">How those of its schema are read.</param>
    /// <param name="offset">The message's position.</param>
    /// <param name="nextOffset">The position after it.</param>
    /// <param name="batch">Takes the record or its rejection.</param>
    /// <param name="defaults">What the record has when its bytes do not say otherwise.</param>
    /// <returns>Whether it was accepted, or is one that the model is not about.</returns>
    public bool Decode(
        ReadOnlySpan<byte> record, AvroStep plan, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        Span<double> row = batch.NextRow;
        _fields.Use(batch.Texts);
        _fields.Begin(defaults);
        Array.Clear(_seen);
        row.Fill(double.NaN);
        _refusal = null;
        var bytes = new AvroBytes(record);
        Read(ref bytes, plan, row);
        if (bytes.Damage is null && bytes.Left > 0)
            _refusal = Damaged(string.Create(CultureInfo.InvariantCulture, $"{bytes.Left} bytes are left over"));
        else if (bytes.Damage is { } damage)
            _refusal = Damaged(damage);
        else if (_refusal is null)
            RefuseMissing();
        else if (_fields.HasFilter && !_fields.IsMeant)
            _refusal = null;
        if (_refusal is { } refusal)
        {
            batch.Reject(refusal.Reason, refusal.Detail, offset, nextOffset, Shown(record, plan.Type));
            return false;
        }
        _fields.Commit(batch, nextOffset);
        return true;
    }

    private static (RejectionReason Reason, string Detail) Damaged(string how) =>
        (RejectionReason.SchemaMismatch, $"the record is not of the schema it names: {how}");

    /// <summary>The record as JSON, or its bytes where they are none.</summary>
    private string Shown(ReadOnlySpan<byte> record, AvroType type)
    {
        var bytes = new AvroBytes(record);
        ReadOnlySpan<byte> json = _json.Write(ref bytes, type);
        return bytes.Damage is null && bytes.Left == 0
            ? System.Text.Encoding.UTF8.GetString(json[..Math.Min(json.Length, RecordDecoder.MaxRejectedBytes)])
            : Convert.ToHexString(record[..Math.Min(record.Length, RecordDecoder.MaxRejectedBytes / 2)]);
    }

    /// <summary>The same rules as for JSON: some of the features may be absent where values may be missing, not all of them.</summary>
    private void RefuseMissing()
    {
        if (_fields.HasFilter && !_fields.IsMeant) return;
        int absent = 0;
        for (int slot = 0; slot < _fields.Dimension; slot++)
        {
            if (_seen[slot]) continue;
            absent++;
            if (!_fields.MayBeMissing(slot))
                Refuse(RejectionReason.MissingFeature,
                    $"the record has no field '{_fields.Names[slot]}', and missing values are not allowed here (missing: reject)");
        }
        if (absent == _fields.Dimension && absent > 0)
            Refuse(RejectionReason.MissingFeature,
                $"the record has none of the fields {string.Join(", ", _fields.Names.Take(_fields.Dimension))}");
    }

    private void Refuse(RejectionReason reason, string detail) => _refusal ??= (reason, detail);

    private void Read(ref AvroBytes bytes, AvroStep step, Span<double> row)
    {
        switch (step.Type.Kind)
        {
            case AvroKind.Union:
                int chosen = bytes.Choice(step.Type.Branches.Length);
                if (bytes.Damage is null) Read(ref bytes, step.Parts[chosen]!, row);
                break;
            case AvroKind.Record when step.Parts.Length > 0:
                ReadFields(ref bytes, step, row);
                break;
            case AvroKind.Map when step.Keys.Count > 0:
                ReadKeys(ref bytes, step, row);
                break;
            case AvroKind.Record or AvroKind.Array or AvroKind.Map:
                ReadWhole(ref bytes, step, row);
                break;
            default:
                ReadValue(ref bytes, step, row);
                break;
        }
    }

    private void ReadFields(ref AvroBytes bytes, AvroStep step, Span<double> row)
    {
        if (!bytes.Enter()) return;
        IReadOnlyList<AvroField> fields = step.Type.Fields;
        for (int i = 0; i < step.Parts.Length; i++)
        {
            if (step.Parts[i] is { } part) Read(ref bytes, part, row);
            else bytes.Skip(fields[i].Type);
        }
        bytes.Leave();
    }

    private void ReadKeys(ref AvroBytes bytes, AvroStep step, Span<double> row)
    {
        if (!bytes.Enter()) return;
        for (int count = bytes.Block(); count > 0; count = bytes.Block())
        {
            for (int i = 0; i < count && bytes.Damage is null; i++)
            {
                ReadOnlySpan<byte> key = bytes.Bytes();
                if (Find(step, key) is { } part) Read(ref bytes, part, row);
                else bytes.Skip(step.Type.Items!);
            }
        }
        bytes.Leave();
    }

    private static AvroStep? Find(AvroStep step, ReadOnlySpan<byte> key)
    {
        for (int i = 0; i < step.Keys.Count; i++)
            if (key.SequenceEqual(step.Keys[i].Key)) return step.Keys[i].Step;
        return null;
    }

    /// <summary>A record, an array or a map that is for fields as a whole.</summary>
    private void ReadWhole(ref AvroBytes bytes, AvroStep step, Span<double> row)
    {
        if (step.Slots.Length == 0)
        {
            bytes.Skip(step.Type);
        }
        else if (Array.TrueForAll(step.Slots, _fields.TakesSeveral))
        {
            Set(step.Slots, _json.Write(ref bytes, step.Type), row);
        }
        else
        {
            bytes.Skip(step.Type);
            int slot = step.Slots[0];
            string kind = step.Type.Kind switch { AvroKind.Record => "a record", AvroKind.Array => "an array", _ => "a map" };
            Unusable(step.Slots, _fields.IsNumber(slot) ? RejectionReason.NotANumber : RejectionReason.OutOfRange,
                $"field '{_fields.Names[slot]}' holds {kind}, expected a single value");
        }
    }

    private void ReadValue(ref AvroBytes bytes, AvroStep step, Span<double> row)
    {
        AvroType type = step.Type;
        if (step.Slots.Length == 0)
        {
            bytes.Skip(type);
        }
        else if (step.Slots is [var slot] && type.IsNumber && _fields.IsNumber(slot))
        {
            double number = type.Kind switch
            {
                AvroKind.Double => bytes.Double(),
                AvroKind.Float => bytes.Float(),
                AvroKind.Int => bytes.Int(),
                _ => bytes.Long(),
            };
            if (IsFirst(slot) && _fields.SetNumber(slot, number, row) is { } reason)
                Refuse(reason, Described(slot, reason, number));
        }
        else
        {
            ReadOnlySpan<byte> text = _text.Read(ref bytes, type, out bool isInRange);
            if (bytes.Damage is not null) return;
            if (!isInRange)
                Unusable(step.Slots, RejectionReason.TimestampOutOfRange,
                    $"field '{_fields.Names[step.Slots[0]]}' holds a value out of range, expected a time of the years 1 to 9999, or a "
                        + "decimal of 1 to 128 bytes");
            else if (text.Length > RecordDecoder.MaxFieldBytes)
                Unusable(step.Slots, RejectionReason.TooLarge, string.Create(CultureInfo.InvariantCulture,
                    $"field '{_fields.Names[step.Slots[0]]}' is longer than {RecordDecoder.MaxFieldBytes} bytes"));
            else
                Set(step.Slots, text, row);
        }
    }

    private string Described(int slot, RejectionReason reason, double number)
    {
        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        return _fields.Describe("field", slot, reason, text[..length]);
    }

    private void Set(int[] slots, ReadOnlySpan<byte> text, Span<double> row)
    {
        foreach (int slot in slots)
        {
            if (IsFirst(slot) && _fields.Set(slot, text, row) is { } reason) Refuse(reason, _fields.Describe("field", slot, reason, text));
        }
    }

    /// <summary>Whether a field was not met before in the record; maps may have a key twice.</summary>
    private bool IsFirst(int slot)
    {
        if (_seen[slot]) Refuse(RejectionReason.SchemaMismatch, $"field '{_fields.Names[slot]}' occurs twice");
        return !_seen[slot] && (_seen[slot] = true);
    }

    /// <summary>A value that no field can take: the record is rejected, unless all the fields it is for are optional.</summary>
    private void Unusable(int[] slots, RejectionReason reason, string detail)
    {
        if (!Array.TrueForAll(slots, _fields.IsOptional))
        {
            Refuse(reason, detail);
            return;
        }
        foreach (int slot in slots) _fields.Pass(slot);
    }
}
