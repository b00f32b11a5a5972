namespace StreamEm.Core.Models.StateSpaces;

/// <summary>What a linear-Gaussian state space is known to be before any record.</summary>
internal enum StateSpaceForm
{
    /// <summary>Nothing: all matrices are learned.</summary>
    Free,

    /// <summary>A level that walks at random, seen with noise.</summary>
    LocalLevel,

    /// <summary>The same with a slope that walks at random too.</summary>
    LocalTrend,

    /// <summary>The same with a season: effects of one period that sum to noise.</summary>
    LocalTrendSeason,
}

/// <summary>
/// The matrices of a structural time series model (Harvey 1989; Durbin &amp; Koopman 2012, section 3.2), a copy of it for every feature:
/// x_d is the level of feature d, plus its season, plus noise.
/// </summary>
internal sealed class StructuralModel
{
    /// <summary>Makes the matrices.</summary>
    /// <param name="form">Any but free.</param>
    /// <param name="season">Records of a period; of no meaning without a season.</param>
    /// <param name="features">D.</param>
    public StructuralModel(StateSpaceForm form, int season, int features)
    {
        bool hasTrend = form != StateSpaceForm.LocalLevel, hasSeason = form == StateSpaceForm.LocalTrendSeason;
        int each = 1 + (hasTrend ? 1 : 0) + (hasSeason ? season - 1 : 0);
        Dimension = each * features;
        Transition = new double[Dimension * Dimension];
        Observation = new double[features * Dimension];
        IsNoisy = new bool[Dimension];
        for (int d = 0; d < features; d++)
        {
            int level = d * each, slope = level + 1, effects = level + 2;
            Set(level, level, 1);
            Observation[d * Dimension + level] = 1;
            IsNoisy[level] = true;
            if (!hasTrend) continue;
            Set(level, slope, 1);
            Set(slope, slope, 1);
            IsNoisy[slope] = true;
            if (!hasSeason) continue;
            Observation[d * Dimension + effects] = 1;
            IsNoisy[effects] = true;
            for (int at = 0; at < season - 1; at++)
            {
                Set(effects, effects + at, -1);
                if (at > 0) Set(effects + at, effects + at - 1, 1);
            }
        }
    }

    /// <summary>State dimension d.</summary>
    public int Dimension { get; }

    /// <summary>A [d, d].</summary>
    public double[] Transition { get; }

    /// <summary>C [D, d].</summary>
    public double[] Observation { get; }

    /// <summary>Which entries of the state have noise of their own [d]; the others are what they were before.</summary>
    public bool[] IsNoisy { get; }

    private void Set(int row, int column, double value) => Transition[row * Dimension + column] = value;
}
