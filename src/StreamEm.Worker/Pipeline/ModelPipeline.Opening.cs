using StreamEm.Core.Alarms;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <content>What a run opens: publishers, sinks of scores, the source.</content>
public sealed partial class ModelPipeline
{
    private PublisherLane[] CreateLanes()
    {
        var published = new PublishedModel(Options.Id, Options.Model, Options.Schema)
        {
            IsAveraged = Options.Learning.Averaging != Averaging.None,
            HasIntervals = Options.Learning.Intervals,
            Candidates = Options.Candidates?.Components.Count ?? 0,
        };
        return [.. Options.Publish
            .Select(entry => new PublisherLane(_environment.CreatePublisher(published, entry), Metrics, _environment.Time))];
    }

    /// <summary>The scored stream of the run, and where it goes.</summary>
    private ScoreDelivery OpenScores(RunStart start)
    {
        (TimeProvider time, ILogger log) = (_environment.Time, _environment.Log);
        ScoreLane[] lanes = [.. Options.Scores.Select(entry => new ScoreLane(
            _environment.CreateScoreSink?.Invoke(entry) ?? ScoreSinkCatalog.Create(Options.Id, entry, time, log), Metrics, time))];
        var delivery = new ScoreDelivery(lanes);
        AlarmWatch? alarms = Options.CreateAlarms();
        RecentRecords? recent = Options.FeedbackMemory is { } memory ? new RecentRecords(start.Run.Learner.Dimension, memory) : null;
        try
        {
            if (!start.Scores.State.IsEmpty)
                foreach ((string name, int records) in
                    new ScoreState(alarms, delivery, recent).Restore(start.Scores.State, start.Scores.SavedAt))
                    if (records > 0) WorkerLog.ScoresDropped(log, Options.Id, name, records);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt,
                $"The checkpoint of model '{Options.Id}' cannot be restored: {failure.Message} Restore another from a backup, or forget "
                    + $"what was learned: streamem state reset {Options.Id}.", failure);
        }

        Shown.IsScored = lanes.Length > 0 || alarms is not null || recent is not null;
        if (Shown.IsScored)
            start.Run.Scores = new ScoreStream(Options.Id, Options.Schema, start.Run.Learner,
                [.. Options.Scores.Select(entry => entry.Selection)], delivery, alarms, recent, start.Run.Keyed, Metrics, Shown, time);
        return delivery;
    }

    private RecordSource OpenSource(SourcePosition position)
    {
        try
        {
            return _environment.OpenSource(Options, position.Copy());
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), $"Model '{Options.Id}': {failure.Message}", failure);
        }
    }
}
