using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Candidates;

/// <summary>
/// Candidates that learn a stream beside the model that is published, from the same decoded records: all from the same minibatches, each
/// scored before it is learned from, so that their test-then-train log-likelihoods can be compared. They have no snapshots, scores or
/// publishers. Part of the state. One thread at a time, which has the others' help.
/// </summary>
internal sealed class CandidateRace
{
    private readonly IReadOnlyList<Candidate> _candidates;
    private readonly CandidateStream[] _streams;
    private readonly string _key;
    private readonly int _buffer, _minibatch, _every;
    private long _taken;

    /// <summary>Begins.</summary>
    /// <param name="options">Which candidates.</param>
    /// <param name="model">The model they differ from in one setting.</param>
    /// <param name="schema">Its features.</param>
    /// <param name="learning">How it learns; candidates begin with a buffer, whatever it begins with.</param>
    /// <param name="configHash">What it is learned with: candidates of another configuration begin anew.</param>
    public CandidateRace(
        CandidateOptions options, LatentModelOptions model, RecordSchema schema, LearningOptions learning, string configHash)
    {
        bool isOfSequences = model.CreateLargest(schema).Order != RowOrder.Any;
        (_buffer, _minibatch, _every) = (learning.Initialization.Buffer, learning.MinibatchSize, isOfSequences ? 1 : options.Every);
        _candidates = Candidate.Of(model, options.Components);
        LearningOptions plain = learning with { Averaging = Averaging.None, Intervals = false };
        _streams = [.. _candidates.Select(candidate => new CandidateStream(candidate.Model, schema, plain, from: null))];
        _key = string.Create(CultureInfo.InvariantCulture, $"{configHash} {_every} {string.Join(",", options.Components)}");
    }

    /// <summary>Takes records of the stream, as the model takes them.</summary>
    public void Take(Minibatch rows, int first, int count)
    {
        for (int taken; count > 0; first += taken, count -= taken)
        {
            long after = _taken - _buffer;
            // Up to the end of the buffer, then minibatch by minibatch.
            long left = after < 0 ? -after : _minibatch - after % _minibatch;
            taken = (int)Math.Min(count, left);
            if (after < 0 || after / _minibatch % _every == 0) Learn(rows, first, taken);
            _taken += taken;
        }
    }

    /// <summary>Learns from what is pending, at the end of the stream or of a wait.</summary>
    /// <param name="hasEnded">Whether no more records will come: every sequence is over then.</param>
    public void Flush(bool hasEnded = true) => Parallel.ForEach(_streams, stream => stream.End(hasEnded));

    /// <summary>Where the candidates stand, in the order of their numbers; ranks by the test-then-train log-likelihood.</summary>
    public IReadOnlyList<CandidateStanding> Standings()
    {
        double[] means = [.. _streams.Select(stream => stream.Mean)];
        return [.. _streams.Select((stream, at) => new CandidateStanding(
            _candidates[at].Components, stream.Records, means[at],
            double.IsNaN(means[at]) ? 0 : 1 + means.Count(mean => mean > means[at])))];
    }

    /// <summary>The whole state.</summary>
    public byte[] Save()
    {
        using var memory = new MemoryStream();
        using (var writer = new BinaryWriter(memory))
        {
            writer.Write(_key);
            writer.Write(_taken);
            foreach (CandidateStream stream in _streams) stream.Save(writer);
        }

        return memory.ToArray();
    }

    /// <summary>Goes on from a state of the same candidates.</summary>
    /// <returns>False, and nothing done, where it is of others.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public bool TryRestore(ReadOnlyMemory<byte> state)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(state.ToArray()));
            if (reader.ReadString() != _key) return false;
            _taken = reader.ReadInt64();
            foreach (CandidateStream stream in _streams) stream.Load(reader);
            return _taken >= 0 ? true : throw new InvalidDataException("The candidates took fewer than no records.");
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"The state of the candidates is damaged: {failure.Message}", failure);
        }
    }

    private void Learn(Minibatch rows, int first, int count)
    {
        // All have as much pending, so all have an update to make or none has.
        if (_streams.Any(stream => stream.IsDue(count))) Parallel.ForEach(_streams, stream => stream.Learn(rows, first, count));
        else
            foreach (CandidateStream stream in _streams) stream.Learn(rows, first, count);
    }
}
