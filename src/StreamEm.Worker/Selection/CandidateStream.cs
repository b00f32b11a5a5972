using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Fitting;

namespace StreamEm.Worker.Selection;

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

    /// <summary>Learns from records.</summary>
    public void Learn(Minibatch rows)
    {
        for (int row = 0; row < rows.Count;)
        {
            int count = Math.Min(_learner.Room, rows.Count - row);
            _learner.Add(rows, row, count);
            row += count;
            while (_learner.TryUpdate()) Updated();
        }
    }

    /// <summary>Learns from what is pending.</summary>
    public void End()
    {
        while (_learner.TryUpdate(flush: true)) Updated();
    }

    private void Updated()
    {
        long seen = _learner.Records + _learner.Unlearned;
        if (seen > _warmUp) _likelihood.Take(_learner);
        else _likelihood.Begin(_learner);
    }
}
