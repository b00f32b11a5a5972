using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace StreamEm.Core.Snapshots;

/// <summary>A snapshot that another came from.</summary>
/// <param name="RunId">Its run.</param>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its <see cref="Ancestry.Hash"/>.</param>
public sealed record SnapshotParent(string RunId, long Version, string Hash);

/// <summary>
/// Where a snapshot comes from: the version before it, those it was merged from, or the one its run began at; none where it is the first.
/// </summary>
/// <param name="Hash">What identifies the snapshot and everything before it, see <see cref="Of"/>: <c>sha256:</c> and 64 hexadecimal
/// digits.</param>
/// <param name="Parents">The snapshots it came from.</param>
public sealed record Ancestry(string Hash, IReadOnlyList<SnapshotParent> Parents)
{
    private const string Form = "streamem.snapshot/1", Prefix = "sha256:";

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>Numbers that are hashed at a time.</summary>
    private const int Chunk = 512;

    /// <summary>
    /// What was learned, from how much and from where, and the hashes of its parents, as SHA-256 over texts (UTF-8) and numbers (64 bits,
    /// little-endian), each text and list with its length before it: form, model, type, configuration, version, records, step size and mean
    /// log-likelihood of the last update, ids and labels of the components, partitions of the source by name with the next record, parents
    /// with version and hash, names, location, scale and levels of the features, parameters, averaged parameters, and of the calibration
    /// quantiles, log-densities and scores. When and by which run it was made does not count: a version that is made again after a crash
    /// has the hash it had, and so has the same stream learned by another run.
    /// </summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="parents">The snapshots it came from.</param>
    public static Ancestry Of(ModelSnapshot snapshot, IReadOnlyList<SnapshotParent> parents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in (ReadOnlySpan<string>)[Form, snapshot.ModelId, snapshot.Options.Type, snapshot.ConfigHash])
            Add(hash, text);
        Add(hash, snapshot.Version);
        Add(hash, snapshot.Training.Records);
        double mean = snapshot.Training.MeanLogLikelihood;
        Add(hash, [snapshot.Training.LastStepSize, double.IsFinite(mean) ? mean : 0]);
        Add(hash, snapshot.ComponentIds);
        Add(hash, [.. snapshot.Labels.Select(label => label ?? "")]);
        Add(hash, snapshot.Source.Count);
        foreach ((string partition, long next) in snapshot.Source.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            Add(hash, partition);
            Add(hash, next);
        }

        Add(hash, parents.Count);
        foreach (SnapshotParent parent in parents)
        {
            Add(hash, parent.Version);
            Add(hash, parent.Hash);
        }

        Add(hash, snapshot.Features);
        Add(hash, snapshot.Space.Location);
        Add(hash, snapshot.Space.Scale);
        foreach (Features.Feature feature in snapshot.Space.Features) Add(hash, feature.Levels);
        Add(hash, snapshot.Parameters);
        Add(hash, snapshot.AveragedParameters);
        Add(hash, [.. snapshot.Calibration?.Quantiles ?? []]);
        Add(hash, [.. snapshot.Calibration?.LogDensities ?? []]);
        Add(hash, [.. snapshot.Calibration?.Scores ?? []]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new Ancestry(Prefix + Convert.ToHexStringLower(digest), parents);
    }

    /// <summary>Whether a text is a hash.</summary>
    public static bool IsHash(string text) => text.StartsWith(Prefix, StringComparison.Ordinal)
        && text.Length == Prefix.Length + 2 * SHA256.HashSizeInBytes
        && !text.AsSpan(Prefix.Length).ContainsAnyExcept(Digits);

    private static void Add(IncrementalHash hash, IReadOnlyList<string> texts)
    {
        Add(hash, texts.Count);
        foreach (string text in texts) Add(hash, text);
    }

    private static void Add(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Add(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Add(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }

    /// <summary>Numbers, the two zeros as one: JSON need not tell them apart.</summary>
    private static void Add(IncrementalHash hash, ReadOnlySpan<double> numbers)
    {
        Add(hash, numbers.Length);
        Span<byte> bytes = stackalloc byte[Chunk * sizeof(double)];
        while (!numbers.IsEmpty)
        {
            int count = Math.Min(Chunk, numbers.Length);
            for (int at = 0; at < count; at++) BinaryPrimitives.WriteDoubleLittleEndian(bytes[(at * sizeof(double))..], numbers[at] + 0.0);
            hash.AppendData(bytes[..(count * sizeof(double))]);
            numbers = numbers[count..];
        }
    }
}
