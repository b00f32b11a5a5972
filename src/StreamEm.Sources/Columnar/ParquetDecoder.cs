using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Columnar;

/// <summary>
/// The rows of a Parquet file as records. The bytes that come stand for rows, one each after the first <see cref="FirstRow"/>, and are not
/// looked at: the columns that the schema names are read from the <see cref="Table"/>, a row group at a time. Values are those of a CSV
/// file with the same values. The text of a rejected record is an object of the fields that were read.
/// </summary>
internal sealed class ParquetDecoder : RecordDecoder
{
    /// <summary>The position of the first row; that of another is its number further on.</summary>
    public const int FirstRow = 16;

    /// <summary>Rows that are looked at together.</summary>
    private const int BlockRows = 1024;

    private readonly RecordFields _fields;
    private readonly Slot?[] _slots;
    private readonly List<ParquetColumn> _columns = [];
    private string _name = "";
    private int _group, _absent;
    private long _block, _blockEnd, _bytesRead;

    /// <summary>For records of this schema.</summary>
    public ParquetDecoder(RecordSchema schema)
    {
        _fields = new RecordFields(schema);
        _slots = new Slot?[_fields.Names.Count];
    }

    /// <summary>The file to read; it is begun with <see cref="TryBegin"/>.</summary>
    public ParquetTable? Table { get; set; }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        ParquetTable table = Table ?? throw new InvalidOperationException("The decoder has no file.");
        used = table.Rows == 0 ? 0 : FirstRow;
        if (data.Length < used) return false;
        _name = name;
        Forget();
        Array.Clear(_slots);
        HashSet<string> known = [.. table.Columns.Select(ParquetColumn.NameOf)];
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            string field = _fields.Names[slot];
            if (_fields.MayLack(slot) && !known.Contains(field))
            {
                if (slot < _fields.Dimension) _absent = slot;
                continue;
            }
            ParquetColumn column = _columns.Find(column => column.Name == field) ?? table.Column(field, name);
            if (!_columns.Contains(column)) _columns.Add(column);
            _slots[slot] = new Slot(column, _fields.IsNumber(slot) && column.IsNumber ? new double[BlockRows] : []);
        }
        return true;
    }

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        _fields.Use(batch.Texts);
        long start = offset - FirstRow, row = start, end = start + data.Length;
        while (row < end && !batch.IsFull)
        {
            if (row < _block || row >= _blockEnd)
            {
                bool isInGroup = _group >= 0 && row >= Table!.Groups[_group].First && row < Table.Groups[_group].End;
                // What was read of one group is not lost with the next.
                if (!isInGroup && (batch.Count > 0 || batch.Rejected.Count > 0)) break;
                if (!isInGroup) Load(row);
                Take(row);
            }
            for (long last = Math.Min(end, _blockEnd); row < last && !batch.IsFull; row++) Accept(row, batch);
        }
        if (row > start) batch.EndOffset = FirstRow + row;
        return (int)(row - start);
    }

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults) =>
        throw new NotSupportedException("A Parquet file is no message.");

    /// <summary>Lets go what is in memory of a file.</summary>
    public void Forget()
    {
        foreach (ParquetColumn column in _columns) column.Dispose();
        _columns.Clear();
        _group = _absent = -1;
        _block = _blockEnd = 0;
    }

    /// <summary>Stored bytes of the columns that were read since this was asked last.</summary>
    public long TakeBytesRead()
    {
        long bytes = _bytesRead;
        _bytesRead = 0;
        return bytes;
    }

    private void Load(long row)
    {
        _group = -1;
        int group = Table!.GroupOf(row);
        try
        {
            _bytesRead += Table.Load(group, _columns);
        }
        catch (InvalidDataException damage)
        {
            throw new SourceException(SourceFailure.Changed, string.Create(CultureInfo.InvariantCulture,
                $"'{_name}' cannot be read at row {row}: {damage.Message}"), damage);
        }
        _group = group;
    }

    private void Take(long row)
    {
        RowGroupPlace group = Table!.Groups[_group];
        (_block, _blockEnd) = (row, Math.Min(row + BlockRows, group.End));
        int count = (int)(_blockEnd - row);
        foreach (ParquetColumn column in _columns) column.Take((int)(row - group.First), count);
        foreach (Slot? slot in _slots)
            if (slot is { Numbers.Length: > 0 }) slot.Column.Numbers(slot.Numbers.AsSpan(0, count));
    }

    private void Accept(long row, RecordBatch batch)
    {
        int at = (int)(row - _block);
        Span<double> values = batch.NextRow;
        _fields.Begin(RecordDefaults.None);
        for (int slot = _fields.FirstFiltered; slot < _slots.Length; slot++) Set(slot, at, values);
        if (!_fields.IsMeant)
        {
            batch.FilterOut(FirstRow + row + 1);
            return;
        }
        if (_absent >= 0) values[_absent] = double.NaN;
        for (int slot = 0; slot < _fields.FirstFiltered; slot++)
        {
            if (Set(slot, at, values) is not { } reason) continue;
            ReadOnlySpan<byte> text = _slots[slot]!.Column.Text(at);
            string detail = reason == RejectionReason.TooLarge
                ? string.Create(CultureInfo.InvariantCulture, $"column '{_fields.Names[slot]}' is longer than {MaxFieldBytes} bytes")
                : _fields.Describe("column", slot, reason, text);
            batch.Reject(reason, detail, FirstRow + row, FirstRow + row + 1, Object(at));
            return;
        }
        _fields.Commit(batch, FirstRow + row + 1);
    }

    private RejectionReason? Set(int slot, int at, Span<double> values)
    {
        if (_slots[slot] is not { } from) return null;
        if (from.Numbers.Length > 0) return _fields.SetNumber(slot, from.Numbers[at], values);
        ReadOnlySpan<byte> text = from.Column.Text(at);
        if (text.Length <= MaxFieldBytes) return _fields.Set(slot, text, values);
        return _fields.IsOptional(slot) ? _fields.Pass(slot) : RejectionReason.TooLarge;
    }

    /// <summary>A row as a person can read it.</summary>
    private string Object(int at)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            foreach (ParquetColumn column in _columns)
            {
                ReadOnlySpan<byte> value = column.Text(at);
                json.WritePropertyName(column.Name);
                if (value.IsEmpty) json.WriteNullValue();
                else if (column.IsNumber && Numbers.TryParse(value, out _)) json.WriteRawValue(value);
                else json.WriteStringValue(Text(value));
            }
            json.WriteEndObject();
        }
        return Text(text.ToArray());
    }

    /// <summary>Where a slot has its values from.</summary>
    /// <param name="Column">The column.</param>
    /// <param name="Numbers">The numbers of the stretch of rows; empty where it takes texts.</param>
    private sealed record Slot(ParquetColumn Column, double[] Numbers);
}
