using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Selection;

/// <summary>
/// Compares candidates in one pass over the data, decoded once: every candidate learns the stream, each minibatch scored before it is
/// learned from; and a sample of it is fitted by batch EM for the criteria that are of maxima.
/// </summary>
internal sealed class ModelSelection(SelectRequest request, TimeProvider time)
{
    /// <summary>Of data that are not many: the part of them that first parameters are found in.</summary>
    private const int WarmUpPart = 5;

    /// <summary>Of data that are not many: updates in a pass.</summary>
    private const int FewestUpdates = 50;

    private readonly bool _isOfSequences = request.Model.Model.CreateLargest(request.Model.Schema).Order != RowOrder.Any;

    /// <summary>Records read and rejected.</summary>
    public RejectionLedger Rejections { get; } = new(new RejectionCounts());

    /// <summary>Records in the sample.</summary>
    public int Sampled { get; private set; }

    /// <summary>How the candidates learned: the buffer and the minibatches are smaller where there are few records.</summary>
    public LearningOptions Learning { get; private set; } = request.Model.Learning;

    /// <summary>Whether the records were learned in another order than theirs: all were at hand, and are independent.</summary>
    public bool IsShuffled { get; private set; }

    /// <summary>Reads the data and compares.</summary>
    /// <exception cref="CommandException">A file is missing (66), or no record can be used (65).</exception>
    public async Task<IReadOnlyList<CandidateReport>> RunAsync(CancellationToken cancellationToken)
    {
        RecordSchema schema = request.Model.Schema;
        IReadOnlyList<Candidate> candidates = Candidate.Of(request.Model.Model, request.Components);
        var sample = new RecordSample(schema, request.SampleSize, request.Model.Learning.Initialization.Seed, _isOfSequences);
        Minibatch first = new RecordBatch(schema, 4096).Records;
        CandidateStream[]? streams = null;
        var features = FeatureStream.Of(schema, request.Model.Learning.Calendar);
        RecordFormat format = request.Model.Source is FileSourceOptions file ? file.Format : RecordFormat.Csv;
        await new DataFiles(request.Data, format).ReadAsync(schema, time, batch =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            Rejections.Accept(batch, 0, batch.Count);
            foreach (RejectedRecord rejected in batch.Rejected) Rejections.Reject(rejected.Reason);
            Minibatch records = features?.Make(batch.Records, 0, batch.Count) ?? batch.Records;
            sample.Take(records);
            if (streams is not null)
            {
                Learn(streams, records);
                return true;
            }

            first.Append(records, 0, batch.Count);
            if (first.Count < request.SampleSize) return true;
            streams = Begin(candidates, first);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        if (Rejections.Excess(request.Model.Rejected.StopAboveRatio, atEnd: true) is { } excess)
            throw new CommandException(ExitCode.DataCorrupt, excess);
        if (sample.Seen == 0)
            throw new CommandException(ExitCode.DataCorrupt, $"No record to learn from in {string.Join(", ", request.Data)}.");
        Minibatch rows = sample.Rows();
        Sampled = rows.Count;
        streams ??= BeginWithFew(candidates, rows);
        foreach (CandidateStream stream in streams) stream.End();
        return Compare(candidates, streams, rows, cancellationToken);
    }

    private static void Learn(CandidateStream[] streams, Minibatch rows) => Parallel.ForEach(streams, stream => stream.Learn(rows));

    private CandidateStream[] Begin(IReadOnlyList<Candidate> candidates, Minibatch rows)
    {
        CandidateStream[] streams = [.. candidates.Select(candidate =>
            new CandidateStream(candidate.Model, request.Model.Schema, Learning, LearnerStart.ReadParameters(request.Model)))];
        Learn(streams, rows);
        return streams;
    }

    private CandidateStream[] BeginWithFew(IReadOnlyList<Candidate> candidates, Minibatch rows)
    {
        long least = candidates.Max(candidate => candidate.Model.RowsToStart(rows.Dimension));
        int buffer = (int)Math.Max(Math.Min(least, rows.Count / 2), rows.Count / WarmUpPart);
        Learning = Learning with
        {
            MinibatchSize = Math.Max(1, Math.Min(Learning.MinibatchSize, rows.Count / FewestUpdates)),
            Initialization = Learning.Initialization with { Buffer = Math.Max(1, Math.Min(Learning.Initialization.Buffer, buffer)) },
        };
        IsShuffled = !_isOfSequences;
        return Begin(candidates, rows);
    }

    private CandidateReport[] Compare(
        IReadOnlyList<Candidate> candidates, CandidateStream[] streams, Minibatch rows, CancellationToken cancellationToken)
    {
        var reports = new CandidateReport[candidates.Count];
        Parallel.For(0, reports.Length, new ParallelOptions { CancellationToken = cancellationToken }, at =>
            reports[at] = Report(candidates[at], streams[at], rows));
        return reports;
    }

    private CandidateReport Report(Candidate candidate, CandidateStream stream, Minibatch rows)
    {
        BatchFit fit = Fit(candidate.Model, rows);
        double count = rows.Count, deviance = -2 * count * fit.MeanLogLikelihoods[^1];
        int free = fit.Learned.Model.FreeParameters;
        double bic = deviance + free * Math.Log(count);
        bool isHard = request.Model.Learning.Responsibilities.Kind == ResponsibilityKind.Hard;
        return new CandidateReport
        {
            Components = candidate.Components,
            Parameters = free,
            Prequential = stream.Mean,
            LogLikelihood = fit.MeanLogLikelihoods[^1],
            Bic = bic,
            Aic = deviance + 2 * free,
            Icl = bic + 2 * count * Math.Max(0, fit.Learned.Training.Entropy),
            HeldOut = HeldOut(candidate.Model, rows),
            Distortion = isHard ? Distortion(fit.Learned, rows) : double.NaN,
        };
    }

    private BatchFit Fit(LatentModelOptions model, Minibatch rows) => BatchFit.Run(
        model, request.Model.Schema, request.Model.Learning, rows,
        new BatchEmOptions { Tolerance = 1e-7, MaxIterations = 500, Threads = 1 }, LearnerStart.ReadParameters(request.Model));

    /// <summary>Every record, or key, is left out once; its log density is under what was learned of the others.</summary>
    private double HeldOut(LatentModelOptions model, Minibatch rows)
    {
        if (request.Folds < 2 || rows.Count < 2 * request.Folds) return double.NaN;
        double sum = 0;
        for (int fold = 0; fold < request.Folds; fold++)
        {
            int[] left = [.. Enumerable.Range(0, rows.Count).Where(row => FoldOf(rows, row) == fold)];
            int[] kept = [.. Enumerable.Range(0, rows.Count).Where(row => FoldOf(rows, row) != fold)];
            if (left.Length == 0 || kept.Length == 0) return double.NaN;
            LearnedModel learned = Fit(model, Part(rows, kept)).Learned;
            double[] logDensities = new double[left.Length];
            new Scorer(learned).Score(
                Part(rows, left), logDensities, new double[left.Length * learned.Model.ScoreLayout.Length], new double[left.Length]);
            sum += logDensities.Sum();
        }

        return sum / rows.Count;
    }

    private int FoldOf(Minibatch rows, int row) => (_isOfSequences ? Math.Max(0, rows.Key(row)) : row) % request.Folds;

    private Minibatch Part(Minibatch rows, int[] which)
    {
        Minibatch part = new RecordBatch(request.Model.Schema, which.Length).Records;
        part.Texts = rows.Texts;
        part.Append(rows, which);
        return part;
    }

    /// <summary>Mean squared distance to the nearest mean; of the values there are, times D over their number.</summary>
    private static double Distortion(LearnedModel learned, Minibatch rows)
    {
        if (learned.Model is not ComponentModel model) return double.NaN;
        int dimension = learned.Space.Dimension;
        double[] means = new double[model.Components * dimension];
        if (!model.TryComponentMoments(learned.Parameters, means, new double[means.Length])) return double.NaN;
        double sum = 0;
        int used = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            double nearest = double.PositiveInfinity;
            ReadOnlySpan<double> values = rows.Row(row);
            for (int k = 0; k < model.Components; k++)
            {
                double square = 0;
                int observed = 0;
                for (int d = 0; d < dimension; d++)
                {
                    if (double.IsNaN(values[d]) || learned.Space.Features[d].HasLevels) continue;
                    double apart = (values[d] - means[k * dimension + d]) / learned.Space.Scale[d];
                    square = Math.FusedMultiplyAdd(apart, apart, square);
                    observed++;
                }

                if (observed > 0) nearest = Math.Min(nearest, square * dimension / observed);
            }

            if (double.IsInfinity(nearest)) continue;
            sum += nearest;
            used++;
        }

        return sum / used;
    }
}
