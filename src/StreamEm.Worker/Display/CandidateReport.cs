namespace StreamEm.Worker.Display;

/// <summary>What the criteria say of one candidate. NaN where a criterion says nothing.</summary>
internal sealed record CandidateReport
{
    /// <summary>Its number of components, states ...</summary>
    public required int Components { get; init; }

    /// <summary>Free parameters p.</summary>
    public required int Parameters { get; init; }

    /// <summary>Mean log-likelihood of the stream, every minibatch under the parameters before it, nats per record; larger is
    /// better.</summary>
    public required double Prequential { get; init; }

    /// <summary>Mean log-likelihood at the maximum that batch EM found on the sample, nats per record.</summary>
    public required double LogLikelihood { get; init; }

    /// <summary>-2 l + p log n; smaller is better (Schwarz 1978).</summary>
    public required double Bic { get; init; }

    /// <summary>-2 l + 2 p; smaller is better (Akaike 1974).</summary>
    public required double Aic { get; init; }

    /// <summary>BIC plus twice the entropy of the responsibilities; smaller is better (Biernacki, Celeux &amp; Govaert 2000).</summary>
    public required double Icl { get; init; }

    /// <summary>Mean log-likelihood of records that were left out, over all folds, nats per record; larger is better.</summary>
    public required double HeldOut { get; init; }

    /// <summary>Mean squared distance to the nearest mean, features scaled alike; only where records go wholly to one.</summary>
    public double Distortion { get; init; } = double.NaN;
}

/// <summary>A way to compare candidates.</summary>
/// <param name="Name">Its name, as in JSON.</param>
/// <param name="Title">For a person.</param>
/// <param name="Of">What it says of a candidate.</param>
/// <param name="IsLargerBetter">Which end is the better one.</param>
internal sealed record Criterion(string Name, string Title, Func<CandidateReport, double> Of, bool IsLargerBetter)
{
    /// <summary>All of them but the distortion, in the order they are shown.</summary>
    public static IReadOnlyList<Criterion> All { get; } =
    [
        new("prequential", "prequential", report => report.Prequential, true),
        new("bic", "BIC", report => report.Bic, false),
        new("aic", "AIC", report => report.Aic, false),
        new("icl", "ICL", report => report.Icl, false),
        new("held_out", "held out", report => report.HeldOut, true),
    ];

    /// <summary>The place of the best candidate; -1 where the criterion says nothing of any.</summary>
    public int Best(IReadOnlyList<CandidateReport> reports)
    {
        int best = -1;
        for (int at = 0; at < reports.Count; at++)
        {
            double value = Of(reports[at]);
            if (double.IsNaN(value)) continue;
            bool isBetter = best < 0 || (IsLargerBetter ? value > Of(reports[best]) : value < Of(reports[best]));
            if (isBetter) best = at;
        }

        return best;
    }
}

/// <summary>The distortion of a number of centres.</summary>
internal static class DistortionCurve
{
    /// <summary>
    /// The place of the knee: where the curve is furthest below the straight line from its first to its last point, both axes from 0 to 1
    /// (Satopaa, Albrecht, Irwin &amp; Raghavan 2011). -1 where there is none.
    /// </summary>
    public static int Knee(IReadOnlyList<CandidateReport> reports)
    {
        if (reports.Count < 3 || reports.Any(report => double.IsNaN(report.Distortion))) return -1;
        double first = reports[0].Distortion, last = reports[^1].Distortion;
        double width = reports[^1].Components - reports[0].Components;
        int knee = -1;
        double furthest = 0;
        for (int at = 1; at < reports.Count - 1; at++)
        {
            double x = (reports[at].Components - reports[0].Components) / width;
            double below = 1 - x - (reports[at].Distortion - last) / (first - last);
            if (below > furthest) (knee, furthest) = (at, below);
        }

        return knee;
    }
}
