using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Support;

/// <summary>A stream whose records are scored, watched and learned from as a worker does it.</summary>
internal static class AlarmedStream
{
    /// <summary>What each record is to the alarms, and its p-value; NaN of those before the first version.</summary>
    public static (AlarmMark[] Marks, double[] PValues) Run(Learner learner, Minibatch rows, AlarmWatch watch)
    {
        var marks = new AlarmMark[rows.Count];
        double[] pValues = new double[rows.Count], anomaly = new double[rows.Count], densities = new double[rows.Count];
        Array.Fill(pValues, double.NaN);
        var part = new Minibatch(rows.Dimension);
        long version = 0;
        ScoreSession? session = null;
        for (int row = 0; row < rows.Count;)
        {
            int count = Math.Min(learner.Room, rows.Count - row);
            if (learner.Updates > 0)
            {
                if (version != learner.Updates)
                {
                    (session, version) = (learner.CreateScoreSession(session), learner.Updates);
                    watch.Begin(session!.Scorer.Learned, session.TellsNovelty);
                }
                part.Clear();
                part.Append(rows, row, count);
                Span<double> p = pValues.AsSpan(row, count);
                session!.Score(part, densities.AsSpan(0, count), [], anomaly.AsSpan(0, count), p);
                ReadOnlySpan<double> novelty = session.TellsNovelty ? session.NoveltyPValues[..count] : p;
                for (int at = 0; at < count; at++)
                    marks[row + at] = watch.Take(null, Minibatch.NoTimestamp, p[at], novelty[at], -1, part.Row(at));
            }
            learner.Add(rows, row, count);
            while (learner.TryUpdate())
            {
            }
            row += count;
        }
        return (marks, pValues);
    }
}
