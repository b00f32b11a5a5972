using System.Collections.Concurrent;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Http;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>What scoring one request needs and the next one can use again: decoder, batch and session. One request at a time.</summary>
internal sealed class ScoreDesk(RecordSchema schema, int width)
{
    private const int ValuesAtOnce = 1 << 14;

    private readonly RecordBatch _batch =
        new(schema, Math.Clamp(ValuesAtOnce / Math.Max(1, schema.Width + width), 1, 1024));

    /// <summary>Whether the batch holds the first records, and whether there may be more.</summary>
    private bool _isDecoded, _isMore;

    /// <summary>The records of the request.</summary>
    public RequestDecoder Records { get; } = new(schema);

    /// <summary>Scores of one record.</summary>
    public int Width => width;

    /// <summary>What is scored under; set for each request.</summary>
    public required ScoreSession Session { get; set; }

    /// <summary>
    /// Looks for a record that can be used, from the first on, which <see cref="Score"/> then begins with again.
    /// </summary>
    /// <returns>Why none can; null when one can, or there is none.</returns>
    public RequestRejections? FindUnusable(ReadOnlySpan<byte> body, RequestFormat format)
    {
        var rejections = new RequestRejections();
        bool isMore = true;
        _isDecoded = false;
        while (isMore)
        {
            _batch.Clear("request");
            isMore = Records.Decode(body, _batch);
            if (_batch.Count > 0)
            {
                // Decoded already, unless the records before it were only looked at.
                (_isDecoded, _isMore) = (rejections.Count == 0, isMore);
                if (!_isDecoded) Records.TryBegin(body, format, out _);
                return null;
            }
            rejections.Add(_batch, rejections.Count);
        }

        return rejections.Count == 0 ? null : rejections;
    }

    /// <summary>Begins an answer.</summary>
    public BatchScorer Begin(ScoreFormat format)
    {
        format.Begin(Session.Scorer.Learned);
        return new BatchScorer(Session, format);
    }

    /// <summary>Scores the next records of the body.</summary>
    /// <returns>Whether there may be more.</returns>
    public bool Score(ReadOnlySpan<byte> body, BatchScorer scores)
    {
        if (!_isDecoded)
        {
            _batch.Clear("request");
            _isMore = Records.Decode(body, _batch);
        }

        _isDecoded = false;
        scores.Score(_batch);
        return _isMore;
    }
}

/// <summary>The desks of all models; every model has one scorer, of its newest snapshot.</summary>
internal sealed class ScoreDesks
{
    private readonly ConcurrentDictionary<string, OfModel> _models = new(StringComparer.Ordinal);

    /// <summary>A desk at which the records of one request are scored under a snapshot.</summary>
    public ScoreDesk Take(SnapshotDocument document) =>
        _models.GetOrAdd(document.Snapshot.ModelId, _ => new OfModel(new Scorer(document.Snapshot))).Take(document.Snapshot);

    /// <summary>Gives a desk back.</summary>
    public void Return(ScoreDesk desk)
    {
        if (desk.Session.Scorer.Learned is ModelSnapshot snapshot && _models.TryGetValue(snapshot.ModelId, out OfModel? model))
            model.Return(desk);
    }

    /// <summary>The desks of one model, whose fields never change while the worker runs.</summary>
    private sealed class OfModel(Scorer first)
    {
        private readonly ConcurrentBag<ScoreDesk> _free = [];
        private readonly RecordSchema _schema = ScoreSchema.Of(first.Learned).Read;
        private Scorer _newest = first;

        public ScoreDesk Take(ModelSnapshot snapshot)
        {
            Scorer scorer = Volatile.Read(ref _newest);
            if (!ReferenceEquals(scorer.Learned, snapshot)) Volatile.Write(ref _newest, scorer = new Scorer(snapshot));
            if (!_free.TryTake(out ScoreDesk? desk))
                return new ScoreDesk(_schema, scorer.Layout.Length) { Session = new ScoreSession(scorer) };
            // Where the order of rows counts, a session remembers them: every request begins anew.
            if (desk.Session.Scorer != scorer || snapshot.Model.Order != RowOrder.Any) desk.Session = new ScoreSession(scorer);
            return desk;
        }

        public void Return(ScoreDesk desk) => _free.Add(desk);
    }
}
