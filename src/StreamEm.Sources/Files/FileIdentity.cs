using System.Globalization;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// Which file a position belongs to, as the position's identity says: device, inode, and what is known of the text that was read. Written
/// <c>file:DEVICE:INODE:STORED:LENGTH:HEAD:BLOCKS:TAIL</c>, the first two and the hashes in hexadecimal, the lengths in bytes.
/// </summary>
/// <param name="Number">Device and inode.</param>
/// <param name="StoredLength">Length on disk when its end was reached for good; -1 before. Only told of compressed files, whose end cannot
/// be told from their length otherwise.</param>
/// <param name="Text">What is known of the text up to the position, or a little further.</param>
internal readonly record struct FileIdentity(FileNumber Number, long StoredLength, TextEvidence Text)
{
    private const string Kind = "file";
    private const int Parts = 8;

    /// <summary>Reads an identity.</summary>
    /// <returns>Null when it is of another kind: what releases up to 0.1 wrote, see <see cref="Fingerprint"/>.</returns>
    public static FileIdentity? Parse(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length != Parts || parts[0] != Kind) return null;
        if (!ulong.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong device)
            || !ulong.TryParse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong inode)
            || !long.TryParse(parts[3], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long stored)
            || !long.TryParse(parts[4], NumberStyles.None, CultureInfo.InvariantCulture, out long length)) return null;
        return TryHash(parts[5], out UInt128 head) && TryHash(parts[6], out UInt128 blocks) && TryHash(parts[7], out UInt128 tail)
            ? new FileIdentity(new FileNumber(device, inode), stored, new TextEvidence(length, head, blocks, tail))
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Kind}:{Number.Device:x}:{Number.Inode:x}:{StoredLength}:{Text.Length}:{Text.Head:x}:{Text.Blocks:x}:{Text.Tail:x}");

    private static bool TryHash(string text, out UInt128 hash) =>
        UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hash);
}
