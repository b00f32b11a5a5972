using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// EM to convergence on the same model and data, all records in memory, by one of the engines of data that end; plain batch EM is what a
/// stream is measured against.
/// </summary>
internal sealed class YardstickFit(FitRequest request, TimeProvider time)
{
    /// <summary>Records read and rejected.</summary>
    public RejectionLedger Rejections { get; } = new(new RejectionCounts());

    /// <summary>Reads all records, fits, writes the trace.</summary>
    /// <returns>The snapshot, and how the fit went.</returns>
    /// <exception cref="CommandException">A file is missing (66), no record can be used (65), or the engine is none for the model (64).
    /// </exception>
    public async Task<(ModelSnapshot Snapshot, BatchFit Fit)> RunAsync(CancellationToken cancellationToken)
    {
        RecordSchema schema = request.Model.Schema;
        Minibatch rows = new RecordBatch(schema, 4096).Records;
        var features = FeatureStream.Of(schema, request.Model.Learning.Calendar);
        RecordFormat format = request.Model.Source is FileSourceOptions file ? file.Format : RecordFormat.Csv;
        await new DataFiles(request.Data, format).ReadAsync(schema, time, batch =>
        {
            rows.Append(features?.Make(batch.Records, 0, batch.Count) ?? batch.Records, 0, batch.Count);
            Rejections.Accept(batch, 0, batch.Count);
            Rejections.FilterOut(batch.FilteredOut);
            foreach (var rejected in batch.Rejected) Rejections.Reject(rejected.Reason);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        if (Rejections.Excess(request.Model.Rejected.StopAboveRatio, atEnd: true) is { } excess)
            throw new CommandException(ExitCode.DataCorrupt, excess);
        if (rows.Count == 0)
            throw new CommandException(ExitCode.DataCorrupt, $"No record to learn from in {string.Join(", ", request.Data)}.");
        if (request.Model.Model is { MaxClasses: > 0, Classes.Count: 0 } && request.Model.InitializeFrom is null && rows.Labels.IsEmpty)
            throw new CommandException(ExitCode.DataCorrupt,
                $"No record in {string.Join(", ", request.Data)} has a label in '{request.Model.Schema.Label}' to learn a class from.");
        var options = new BatchEmOptions
        {
            Engine = request.Engine,
            BlockRows = request.Model.Learning.MinibatchSize,
            Seed = request.Model.Learning.Initialization.Seed,
        };
        BatchFit fit;
        try
        {
            fit = BatchFit.Run(
                request.Model.Model, schema, request.Model.Learning, rows, options, LearnerStart.ReadParameters(request.Model));
        }
        catch (NotSupportedException failure)
        {
            throw new CommandException(ExitCode.Usage, failure.Message, failure);
        }

        using (TraceFile? trace = request.Trace is { } file2 ? new TraceFile(OutputFile.Create(file2)) : null)
            for (int at = 1; at < fit.MeanLogLikelihoods.Count; at++) trace?.Write(at, rows.Count, 1, fit.MeanLogLikelihoods[at - 1]);
        return (request.NewIdentity(time).Stamp(fit.Learned, time.GetUtcNow()), fit);
    }
}
