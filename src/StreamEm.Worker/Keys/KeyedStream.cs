using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Keys;

/// <summary>
/// The models of the keys of one stream: each record is scored by the model of its key, which then learns from it, as the records are
/// taken. Part of the state. Used by the learner's thread, but for <see cref="MakeDurable"/> and <see cref="DeleteUnused"/>.
/// </summary>
internal sealed class KeyedStream : IKeyScores, IDisposable
{
    private readonly KeyLog? _log;
    private readonly KeyStore _store;
    private readonly KeyedMixtures _mixtures;
    private readonly string _id;
    private KeyedScore[] _scores = [];
    private int _count;

    /// <summary>The models of the keys of a stream.</summary>
    /// <param name="id">The model of all, which is named in messages.</param>
    /// <param name="model">Its options: a mixture that grows.</param>
    /// <param name="schema">Its features.</param>
    /// <param name="learning">Which records are learned from.</param>
    /// <param name="maxKeys">Models in memory.</param>
    /// <param name="directory">Where the others are; null keeps all in memory.</param>
    public KeyedStream(
        string id, LatentModelOptions model, RecordSchema schema, LearningOptions learning, int maxKeys, string? directory)
    {
        _id = id;
        _log = directory is null ? null : new KeyLog(directory);
        _store = new KeyStore(maxKeys, _log);
        _mixtures = new KeyedMixtures(model, schema, learning, _store);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<KeyedScore> Scores => _scores.AsSpan(0, _count);

    /// <summary>Keys, those in memory, the bytes of these, and states that came back from disk.</summary>
    public KeyCounts Counts => new(_store.Count, _store.InMemory, _store.Bytes, _store.Returned, _log?.Bytes ?? 0);

    /// <summary>Takes over the keys of a checkpoint.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, or not there.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public void Open(KeyLogMark mark) => _store.Open(mark);

    /// <summary>Takes records.</summary>
    /// <param name="rows">Rows in the user's units.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="CommandException">The state of a key is damaged (65).</exception>
    /// <exception cref="IOException">The state of a key cannot be read or written.</exception>
    public void Take(Minibatch rows, int first, int count)
    {
        if (_scores.Length < count) _scores = new KeyedScore[count];
        _count = count;
        try
        {
            for (int at = 0; at < count; at++)
            {
                int row = first + at;
                _scores[at] = _mixtures.Take(rows.Texts?.Find(rows.Key(row)) ?? "", rows.Row(row), learns: rows.Weight(row) > 0);
            }
        }
        catch (InvalidDataException failure)
        {
            throw Damaged(_id, failure);
        }
    }

    /// <summary>What is said where the state of keys cannot be used.</summary>
    public static CommandException Damaged(string id, Exception failure) => new(ExitCode.DataCorrupt,
        $"The models of the keys of model '{id}' cannot be read: {failure.Message} Restore the state directory from a backup, or forget "
            + $"what was learned: streamem state reset {id}.", failure);

    /// <inheritdoc/>
    /// <exception cref="CommandException">The state of the key is damaged (65).</exception>
    public int? Judge(string? key, ReadOnlySpan<double> row, bool isNormal)
    {
        try
        {
            return _mixtures.Judge(key ?? "", row, isNormal);
        }
        catch (InvalidDataException failure)
        {
            throw Damaged(_id, failure);
        }
    }

    /// <summary>What the model of a key has learned; null of a key that never came.</summary>
    /// <exception cref="CommandException">The state of the key is damaged (65).</exception>
    public KeySummary? Describe(string key)
    {
        try
        {
            return _mixtures.Describe(key);
        }
        catch (InvalidDataException failure)
        {
            throw Damaged(_id, failure);
        }
    }

    /// <summary>The state as it is now: what of the log it is.</summary>
    /// <exception cref="CommandException">A file that is put together with others is damaged (65).</exception>
    /// <exception cref="IOException">There is no room for it, on disk and in memory.</exception>
    public KeyLogMark Capture()
    {
        try
        {
            _mixtures.Flush();
            return _store.Capture();
        }
        catch (InvalidDataException failure)
        {
            throw Damaged(_id, failure);
        }
    }

    /// <summary>Makes what was captured last durable.</summary>
    public void MakeDurable() => _log?.MakeDurable();

    /// <summary>Deletes files that no checkpoint kept names.</summary>
    public void DeleteUnused(IReadOnlySet<long> named) => _log?.DeleteUnused(named);

    /// <inheritdoc/>
    public void Dispose() => _log?.Dispose();
}
