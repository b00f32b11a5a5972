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
