using System.Globalization;
using StreamEm.Core.Learning;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Tells now and then how far a model is: how much of the buffer is full and when the first version is to be expected, then how many
/// records it has learned from. Ever more rarely while it warms up, once a minute while it learns.
/// </summary>
internal sealed class ProgressLog(ModelOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5), Seldom = TimeSpan.FromMinutes(10), Regularly = TimeSpan.FromMinutes(1);

    private TimeSpan _interval = Soon;
    private long? _begun;
    private long _told, _records;

    /// <summary>Tells it if it is time to.</summary>
    public void Tell(Learner learner)
    {
        if (learner.Status == LearnerStatus.Waiting) return;
        long now = time.GetTimestamp();
        if (_begun is null)
        {
            (_begun, _told, _records) = (now, now, learner.Records);
            return;
        }

        bool isLearning = learner.Status is LearnerStatus.Learning or LearnerStatus.StartingAnew;
        TimeSpan passed = time.GetElapsedTime(_told, now);
        if (passed < (isLearning ? Regularly : _interval)) return;
        _told = now;
        if (!isLearning)
        {
            _interval = _interval * 2 < Seldom ? _interval * 2 : Seldom;
            WorkerLog.WarmingUp(log, options.Id, learner.Pending, options.Learning.Initialization.Buffer,
                Expected(learner.Pending, time.GetElapsedTime(_begun.Value, now)));
            return;
        }

        if (learner.Records == _records) return;
        WorkerLog.Progress(log, options.Id, learner.Updates, learner.Records, (learner.Records - _records) / passed.TotalSeconds);
        _records = learner.Records;
    }

    /// <summary>When the first version comes at the rate so far, as a text.</summary>
    private string Expected(int records, TimeSpan passed)
    {
        double perSecond = records / Math.Max(passed.TotalSeconds, 1e-3);
        double seconds = (options.Learning.Initialization.Buffer - records) / perSecond;
        if (!options.IsFinite && options.InitializationMaxWait is { } limit)
        {
            double atTheLatest = Math.Max((limit - passed).TotalSeconds, (options.LeastRowsToStart - records) / perSecond);
            seconds = Math.Min(seconds, atTheLatest);
        }

        double shown = Math.Ceiling(Math.Max(0, seconds));
        return shown < 120
            ? string.Create(CultureInfo.InvariantCulture, $"{shown:0} s")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(shown / 60):0} min");
    }
}
