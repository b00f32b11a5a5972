using System.Globalization;

namespace StreamEm.Sources.Decoding;

/// <content>The fields of one record.</content>
internal sealed partial class CsvDecoder
{
    /// <summary>Whether a record has the header's columns, and nothing beyond them.</summary>
    private bool AddsUp(ReadOnlySpan<byte> record) => _tokens.Count >= Header.Count && _tokens.AreEmptyFrom(Header.Count, record);

    private void RejectColumns(ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch)
    {
        if (_tokens.FaultyField is >= 0 and int faulty)
        {
            string fault = CsvScanFailure.Describe(_tokens.FaultOf(faulty), faulty + 1);
            Reject(batch, RejectionReason.CsvQuote, fault, offset, nextOffset, record);
            return;
        }
        string detail =
            string.Create(CultureInfo.InvariantCulture, $"the row has {_tokens.Count} columns, the header has {Header.Count}");
        Reject(batch, RejectionReason.CsvColumns, detail, offset, nextOffset, record);
    }

    /// <summary>Whether the model is about a record: before anything else in it may be wrong.</summary>
    private bool IsMeant(ReadOnlySpan<byte> record, Span<double> row)
    {
        CsvHeader header = Header;
        for (int c = 0; c < header.Count; c++) Filter(header.Slots[c], c, record, row);
        foreach ((int column, int slot) in header.Further) Filter(slot, column, record, row);
        return _fields.IsMeant;

        void Filter(int slot, int column, ReadOnlySpan<byte> record, Span<double> row)
        {
            if (slot >= _fields.FirstFiltered && _tokens.FaultOf(column) is CsvScan.Record or CsvScan.BareQuote)
                _fields.Set(slot, _tokens.Field(record, column), row);
        }
    }

    private bool Set(int slot, int column, ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch)
    {
        ReadOnlySpan<byte> text = _tokens.Field(record, column);
        CsvScan fault = _tokens.FaultOf(column);
        if (fault != CsvScan.Record && !(fault == CsvScan.BareQuote && _fields.IsText(slot)))
        {
            if (_fields.IsOptional(slot)) return _fields.Pass(slot) is null;
            Reject(batch, RejectionReason.CsvQuote, CsvScanFailure.Describe(fault, column + 1), offset, nextOffset, record);
            return false;
        }
        if (_fields.Set(slot, text, batch.NextRow) is not { } reason) return true;
        Reject(batch, reason, _fields.Describe("column", slot, reason, text), offset, nextOffset, record);
        return false;
    }
}
