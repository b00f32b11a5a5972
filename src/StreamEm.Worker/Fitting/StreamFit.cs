using Spectre.Console;
using StreamEm.Core.Learning;
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
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// Streams files through one model without a server: the same fold as the worker's, the last minibatch of a pass cut short.
/// </summary>
internal sealed class StreamFit(FitRequest request, TimeProvider time, TextWriter progressOutput, ILogger log)
{
    private readonly DataFiles _data = new(request.Data, FormatOf(request));

    /// <summary>Where the scores of the first pass go; null nowhere, and later.</summary>
    private FitScores? _scores;

    /// <summary>Records read and rejected, over all passes.</summary>
    public RejectionLedger Rejections { get; } = new(new RejectionCounts());

    /// <summary>Mean log-likelihood of the last pass, every minibatch under the parameters before it.</summary>
    public PassLikelihood LastPass { get; } = new();

    /// <summary>Whether it was stopped before the end; what was learned until then is the result.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Learns and returns the last snapshot.</summary>
    /// <exception cref="CommandException">A file is missing (66), too many records were rejected, or there was none to learn from
    /// (65).</exception>
    public async Task<ModelSnapshot> RunAsync(CancellationToken cancellationToken)
    {
        Learner learner = LearnerStart.Create(request.Model);
        RunIdentity identity = request.NewIdentity(time);
        using TraceFile? trace = request.Trace is { } path ? new TraceFile(OutputFile.Create(path)) : null;
        using HistoryFile? history =
            request.History is { } versions ? new HistoryFile(OutputFile.Create(versions), identity, time) : null;
        using RejectedFile? rejectedFile = request.Model.Rejected.File is { } file ? RejectedFile.Open(file, null, log) : null;
        var fold = new RecordFold(learner, new SourcePosition(), Rejections, rejectedFile, request.Model.Rejected.StopAboveRatio)
        {
            Updated = () =>
            {
                LastPass.Take(learner);
                trace?.Write(learner.CreateSnapshot()!.Training);
                history?.Take(learner);
            },
            Taking = taken => _scores?.Take(taken),
            Rejected = record => _scores?.Reject(record),
        };
        await WithProgressAsync(advance => ReadUntilStoppedAsync(fold, advance, cancellationToken)).ConfigureAwait(false);
        rejectedFile?.Flush();
        if (IsInterrupted && learner.Updates == 0) throw new OperationCanceledException(cancellationToken);
        if (learner.CreateSnapshot() is { } learned)
        {
            ModelSnapshot snapshot = identity.Stamp(learned, time.GetUtcNow());
            history?.End(snapshot);
            return snapshot;
        }
        throw new CommandException(ExitCode.DataCorrupt,
            $"No record to learn from in {string.Join(", ", request.Data)}: {Rejections.Read} read, {Rejections.Rejected} rejected"
                + (request.Model.Schema.Where is null ? "" : $", {Rejections.FilteredOut} passed over (where)")
                + (request.Model.Model.MaxClasses == 0 ? "."
                    : $", and no label in '{request.Model.Schema.Label}' to learn a class from."));
    }

    /// <summary>A stop ends reading in order: the progress bar gives the cursor back, and what was learned stays.</summary>
    private async Task ReadUntilStoppedAsync(RecordFold fold, Action<double> advance, CancellationToken cancellationToken)
    {
        try
        {
            await ReadPassesAsync(fold, advance, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            IsInterrupted = true;
            bool isEnough = fold.Learner.Updates > 0 || fold.Learner.Pending >= request.Model.LeastRowsToStart;
            if (isEnough) fold.Flush();
        }
    }

    private async Task ReadPassesAsync(RecordFold fold, Action<double> advance, CancellationToken cancellationToken)
    {
        using FitScores? scores =
            request.Scores is { } path ? new FitScores(OutputFile.Create(path), request.Model, fold.Learner) : null;
        _scores = scores;
        string? excess = null;
        double total = Math.Max(1, (double)_data.TotalBytes * request.Passes);
        for (int pass = 0; pass < request.Passes && excess is null; pass++)
        {
            long last = 0;
            string partition = "";
            LastPass.Begin(fold.Learner);
            fold.Learner.Features?.Clear();
            await _data.ReadAsync(request.Model.Schema, time, batch =>
            {
                excess = fold.Fold(batch, cancellationToken);
                if (batch.PartitionName != partition) (partition, last) = (batch.PartitionName, 0);
                advance(100 * (batch.EndOffset - last) / total);
                last = batch.EndOffset;
                return excess is null;
            }, cancellationToken).ConfigureAwait(false);
            if (excess is null) fold.Flush();
            _scores?.End();
            _scores = null;
        }

        excess ??= Rejections.Excess(request.Model.Rejected.StopAboveRatio, atEnd: true);
        if (excess is not null) throw new CommandException(ExitCode.DataCorrupt, excess);
    }

    private async Task WithProgressAsync(Func<Action<double>, Task> work)
    {
        if (!Terminal.IsTerminal(progressOutput))
        {
            await work(_ => { }).ConfigureAwait(false);
            return;
        }

        await Terminal.For(progressOutput).Progress().StartAsync(async context =>
        {
            ProgressTask task = context.AddTask($"fitting {Markup.Escape(request.Model.Id)}");
            await work(task.Increment).ConfigureAwait(false);
            task.Value = task.MaxValue;
        }).ConfigureAwait(false);
    }

    private static RecordFormat FormatOf(FitRequest request) =>
        request.Model.Source is FileSourceOptions file ? file.Format : RecordFormat.Csv;
}
