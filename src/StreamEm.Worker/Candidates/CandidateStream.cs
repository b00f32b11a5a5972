using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Candidates;

/// <summary>A candidate that learns a stream, each minibatch scored before it is learned from. One thread at a time.</summary>
internal sealed class CandidateStream
{
    private readonly Learner _learner;
    private readonly PassLikelihood _likelihood = new();
    private readonly long _warmUp;

    /// <summary>Begins; the log-likelihood counts from the end of the records that the first parameters are found in.</summary>
    public CandidateStream(LatentModelOptions model, RecordSchema schema, LearningOptions learning, InitialParameters? from)
    {
        _learner = new Learner(model, schema, learning, from, threads: 1);
        _warmUp = from is null ? learning.Initialization.Buffer : 0;
        if (_warmUp == 0) _likelihood.Begin(_learner);
    }

    /// <summary>Mean log-likelihood so far, nats per record; NaN before there is any.</summary>
    public double Mean => _likelihood.Records > 0 ? _likelihood.Mean : double.NaN;

    /// <summary>Records that is of.</summary>
    public long Records => _likelihood.Records;

    /// <summary>Whether so many records more make an update.</summary>
    public bool IsDue(int count) => count >= _learner.Room;

    /// <summary>Learns from all rows.</summary>
    public void Learn(Minibatch rows) => Learn(rows, 0, rows.Count);

    /// <summary>Learns from some rows.</summary>
    public void Learn(Minibatch rows, int first, int count)
    {
        for (int row = first, taken; row < first + count; row += taken)
        {
            taken = Math.Min(_learner.Room, first + count - row);
            _learner.Add(rows, row, taken);
            while (_learner.TryUpdate()) Updated();
        }
    }

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        _likelihood.Save(writer);
        using var memory = new MemoryStream();
        using (var state = new BinaryWriter(memory)) _learner.Save(state);
        byte[] bytes = memory.ToArray();
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    /// <summary>Reads what <see cref="Save"/> wrote of the same candidate.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        _likelihood.Load(reader);
        int length = reader.ReadInt32();
        byte[] bytes = length < 0 ? [] : reader.ReadBytes(length);
        if (bytes.Length != length) throw new InvalidDataException("The state of a candidate is cut short.");
        using var state = new BinaryReader(new MemoryStream(bytes));
        _learner.Load(state);
    }

    /// <summary>Learns from what is pending.</summary>
    /// <param name="hasEnded">Whether no more records will come: every sequence is over then.</param>
    public void End(bool hasEnded = true)
    {
        while (_learner.TryUpdate(flush: true, hasEnded)) Updated();
    }

    private void Updated()
    {
        long seen = _learner.Records + _learner.Unlearned;
        if (seen > _warmUp) _likelihood.Take(_learner);
        else _likelihood.Begin(_learner);
    }
}
