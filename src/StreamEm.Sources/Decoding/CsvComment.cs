using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>Lines that are passed over because of what they begin with.</summary>
internal sealed class CsvComment(string? comment)
{
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(comment ?? "");

    /// <summary>The first byte of such lines; -1 when there are none.</summary>
    public int FirstByte => _prefix.Length == 0 ? -1 : _prefix[0];

    /// <summary>Whether the line at the start of the data is one.</summary>
    public bool Begins(ReadOnlySpan<byte> data) => _prefix.Length > 0 && data.StartsWith(_prefix);

    /// <summary>Whether it may be one, as far as the data go.</summary>
    public bool MayBegin(ReadOnlySpan<byte> data) => _prefix.Length > 0 && (data.StartsWith(_prefix) || _prefix.AsSpan().StartsWith(data));
}
