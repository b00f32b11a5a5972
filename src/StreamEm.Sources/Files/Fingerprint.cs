using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Files;

/// <summary>
/// What told a file from another of the same name in states of releases up to 0.1: the SHA-256 of its first 1024 bytes, or of as many as
/// there are. The number of bytes is
/// part of it, so that a file that has grown since is still recognised. Written <c>1024:9f86d081...</c>. Read, no longer written.
/// </summary>
internal static class Fingerprint
{
    /// <summary>The most bytes looked at.</summary>
    public const int MaxBytes = 1024;

    private const int HashCharacters = 32;

    /// <summary>Of a file as it is now.</summary>
    public static string Of(SafeFileHandle file) => Of(file, MaxBytes);

    /// <summary>Whether a file still begins the way it did when <paramref name="fingerprint"/> was taken.</summary>
    public static bool Matches(SafeFileHandle file, string fingerprint) =>
        string.Equals(Of(file, Length(fingerprint)), fingerprint, StringComparison.Ordinal);

    /// <summary>Whether a longer beginning of the file would tell more.</summary>
    public static bool IsPartial(string fingerprint) => Length(fingerprint) < MaxBytes;

    /// <summary>Number of bytes it was taken of; 0 for text that is no fingerprint.</summary>
    public static int Length(string fingerprint)
    {
        int colon = fingerprint.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && int.TryParse(fingerprint.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            ? Math.Min(length, MaxBytes)
            : 0;
    }

    private static string Of(SafeFileHandle file, int most)
    {
        Span<byte> start = stackalloc byte[MaxBytes];
        int length = 0;
        while (length < most)
        {
            int read = RandomAccess.Read(file, start[length..most], length);
            if (read == 0) break;
            length += read;
        }
        string hash = Convert.ToHexStringLower(SHA256.HashData(start[..length]))[..HashCharacters];
        return string.Create(CultureInfo.InvariantCulture, $"{length}:{hash}");
    }
}
