using System.Globalization;

namespace StreamEm.Benchmarks;

/// <summary>
/// The score of the Numenta Anomaly Benchmark 1.1, standard profile, at the alarms as they were raised (Lavin &amp; Ahmad 2015; Ahmad,
/// Lavin, Purdy &amp; Agha 2017): a window earns its earliest alarm, s(x) = 2 / (1 + exp(5 x)) - 1 over where in it that is; a window
/// without any loses 1; an alarm outside costs 0.11 times how far it is behind the last window. 100 finds each window at its beginning,
/// 0 raises no alarm. The first 15 % of a file, at most 750 records, do not count.
/// </summary>
internal sealed class NabScore
{
    private const double FalseAlarm = 0.11, Probation = 0.15, MostProbation = 750;

    private double _raw;

    /// <summary>Windows there are.</summary>
    public int Windows { get; private set; }

    /// <summary>Windows with an alarm in them.</summary>
    public int Found { get; private set; }

    /// <summary>Alarms outside every window.</summary>
    public int FalseAlarms { get; private set; }

    /// <summary>Alarms raised.</summary>
    public int Alarms => Found + FalseAlarms;

    /// <summary>0 no alarm at all, 100 every window at its beginning and no other.</summary>
    public double Normalised => 100 * (_raw + Windows) / (2 * Windows);

    /// <summary>Takes a file.</summary>
    /// <param name="times">When every record was, ascending.</param>
    /// <param name="windows">First and last time of each window, ascending.</param>
    /// <param name="isAlarm">Whether each record raised an alarm.</param>
    public void Add(IReadOnlyList<DateTime> times, IReadOnlyList<(DateTime First, DateTime Last)> windows, IReadOnlyList<bool> isAlarm)
    {
        double probation = Math.Min(Math.Floor(Probation * times.Count), MostProbation);
        Windows += windows.Count;
        int next = 0, right = -1, width = 0, current = -1, lastRight = -1, lastWidth = 0;
        double best = double.NegativeInfinity;
        for (int row = 0; row < times.Count; row++)
        {
            if (current < 0 && next < windows.Count && times[row] == windows[next].First)
            {
                (current, best) = (next++, double.NegativeInfinity);
                right = row;
                while (right + 1 < times.Count && times[right] < windows[current].Last) right++;
                width = right - row + 1;
            }
            if (isAlarm[row] && row >= probation)
            {
                if (current >= 0) best = Math.Max(best, Squash(-(right - row + 1.0) / width) / Squash(-1));
                else AddFalse(lastRight < 0 ? -1 : Squash((row - lastRight) / (double)(lastWidth - 1)));
            }
            if (current < 0 || row != right) continue;
            if (best > double.NegativeInfinity) Found++;
            _raw += Math.Max(best, -1);
            (lastRight, lastWidth, current) = (right, width, -1);
        }
    }

    /// <summary>A time as the benchmark's files have it.</summary>
    public static DateTime Time(string text) =>
        DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private void AddFalse(double worth)
    {
        FalseAlarms++;
        _raw += FalseAlarm * worth;
    }

    private static double Squash(double x) => x > 3 ? -1 : 2 / (1 + Math.Exp(5 * x)) - 1;
}
