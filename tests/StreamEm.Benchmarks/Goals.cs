namespace StreamEm.Benchmarks;

/// <summary>
/// What the kernels are to reach, each measured in this run; on a machine without AVX-512 they are targets for its wider relatives.
/// </summary>
internal sealed class Goals
{
    private static readonly (string Kind, int Dimension, string Peer, double Factor)[] Ratios =
    [
        ("full", 2, "scikit-learn fit", 50), ("full", 8, "scikit-learn fit", 20), ("full", 16, "scikit-learn fit", 12),
        ("full", 32, "scikit-learn fit", 9),
        ("full", 64, "scikit-learn fit", 6.5), ("full", 8, "scikit-learn best", 14), ("full", 16, "scikit-learn best", 9),
        ("full", 32, "scikit-learn best", 5),
        ("full", 64, "scikit-learn best", 3.3), ("diag", 8, "scikit-learn best", 9), ("diag", 16, "scikit-learn best", 4.5),
        ("diag", 32, "scikit-learn best", 3.2),
        ("diag", 64, "scikit-learn best", 2.2), ("full", 8, "Armadillo", 20), ("full", 16, "Armadillo", 16), ("diag", 8, "Armadillo", 15),
    ];

    private static readonly (string Kind, int Dimension, int Threads, double Share)[] Peaks =
    [
        ("full", 8, 1, 0.72), ("full", 16, 1, 0.85), ("full", 32, 1, 0.90), ("full", 64, 1, 0.90), ("diag", 8, 1, 0.48),
        ("full", 16, 2, 0.82), ("full", 32, 2, 0.82), ("full", 64, 2, 0.82),
    ];

    private readonly List<(string Name, string Goal, double Value, bool Met)> _results = [];

    /// <summary>A rate against a peer's.</summary>
    public void Ratio(string kind, Shape shape, string peer, double ours, double theirs)
    {
        foreach ((_, _, _, double factor) in Ratios.Where(
            goal => goal.Kind == kind && goal.Dimension == shape.Dimension && goal.Peer == peer))
            if (theirs > 0) AtLeast($"{kind} {shape} against {peer}", ours / theirs, factor);
    }

    /// <summary>A share of the FMA peak.</summary>
    public void Peak(string kind, Shape shape, int threads, double share)
    {
        foreach ((_, _, _, double least) in Peaks.Where(
            goal => goal.Kind == kind && goal.Dimension == shape.Dimension && goal.Threads == threads))
            AtLeast($"{kind} {shape} share of the FMA peak, {threads} thread(s)", share, least);
    }

    /// <summary>Records a value that should not be below <paramref name="least"/>.</summary>
    public void AtLeast(string name, double value, double least) => _results.Add((name, $">= {least:0.##}", value, value >= least));

    /// <summary>Records a value that should not be above <paramref name="most"/>.</summary>
    public void AtMost(string name, double value, double most) => _results.Add((name, $"<= {most:0.##}", value, value <= most));

    /// <summary>Writes the table.</summary>
    public void Write(Report report)
    {
        report.Table("Goals", $"{_results.Count(result => result.Met)} of {_results.Count} met in this run.", "what", "goal", "measured",
            "");
        foreach ((string name, string goal, double value, bool met) in _results)
            report.Row(name, goal, $"{value:0.00}", met ? "met" : "missed");
    }
}
