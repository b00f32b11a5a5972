using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Plotting;

/// <summary>What an update says of a fit.</summary>
/// <param name="Records">Records learned from.</param>
/// <param name="StepSize">gamma.</param>
/// <param name="LogLikelihood">log p(x) of the minibatch under the parameters before it, or its bound, nats per record.</param>
/// <param name="Energy">E_q[log p(x, z)]; NaN where nobody says it.</param>
/// <param name="Entropy">Of q; NaN where nobody says it.</param>
internal sealed record LearningPoint(double Records, double StepSize, double LogLikelihood, double Energy, double Entropy)
{
    /// <summary>What a version says of itself.</summary>
    public static LearningPoint Of(TrainingReport training) => new(
        training.Records, training.LastStepSize, training.MeanLogLikelihood, training.Energy, training.Entropy);
}

/// <summary>How the likelihood, or its bound, was climbed; what it is made of, and by what steps.</summary>
internal static class LearningPlot
{
    private const int Columns = 3, MostPoints = 2000;

    /// <summary>The picture.</summary>
    /// <param name="points">The updates.</param>
    /// <param name="isBound">Whether it is a lower bound of log p(x).</param>
    /// <param name="title">Above the picture.</param>
    public static string Draw(IReadOnlyList<LearningPoint> points, bool isBound, string title)
    {
        int every = (points.Count + MostPoints - 1) / MostPoints;
        LearningPoint[] shown = [.. points.Where((_, at) => at % every == 0 || at == points.Count - 1)];
        // Of a fit that sees the same records again and again the iterations are counted.
        bool isBatch = shown.Length > 1 && shown[0].Records == shown[^1].Records;
        double[] records = [.. shown.Select((point, at) => isBatch ? (at * every) + 1.0 : point.Records)];
        string across = isBatch ? "iterations" : "records learned from";
        string what = isBound ? "lower bound" : "log-likelihood";
        var panels = new List<Panel>
        {
            new Chart($"Mean {what}, before each update", across, "nats per record")
                .Line("", records, [.. shown.Select(point => point.LogLikelihood)]),
        };
        if (shown.Any(point => double.IsFinite(point.Energy)))
            panels.Add(new Chart("Free energy: energy + entropy", across, "nats per record")
                .Line("energy", records, [.. shown.Select(point => point.Energy)])
                .Line("entropy", records, [.. shown.Select(point => point.Entropy)])
                .Line("their sum", records, [.. shown.Select(point => point.Energy + point.Entropy)], dashed: true));
        if (!isBatch)
            panels.Add(new Chart("Step size", across, "gamma") { IsLogAcross = true, IsLogUp = true }
                .Line("", records, [.. shown.Select(point => point.StepSize)]));
        return Figure.Of(title, Math.Min(Columns, panels.Count), panels);
    }
}
