using System.Globalization;

namespace StreamEm.Sources.Decoding;

/// <summary>Why a CSV record could not be cut into fields, in words and as a reason.</summary>
internal static class CsvScanFailure
{
    public static RejectionReason Reason(CsvScan scan) =>
        scan == CsvScan.RecordTooLarge ? RejectionReason.TooLarge : RejectionReason.CsvQuote;

    /// <param name="scan">How the scan ended.</param>
    /// <param name="column">Column the scan stood in, from 1.</param>
    public static string Describe(CsvScan scan, int column)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"column {column}");
        return scan switch
        {
            CsvScan.OpenQuote => string.Create(CultureInfo.InvariantCulture,
                $"the quoted field in {place} is not closed before the end of the data or within {RecordDecoder.MaxFieldBytes} bytes"),
            CsvScan.TextAfterQuote => $"the quoted field in {place} is followed by text, expected a separator or the end of the line",
            CsvScan.BareQuote => $"{place} holds a quote but does not begin with one; expected a quoted field with its quotes doubled",
            CsvScan.RecordTooLarge =>
                string.Create(CultureInfo.InvariantCulture, $"the record is longer than {RecordDecoder.MaxRecordBytes} bytes"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{place} is longer than {RecordDecoder.MaxFieldBytes} bytes"),
        };
    }
}
