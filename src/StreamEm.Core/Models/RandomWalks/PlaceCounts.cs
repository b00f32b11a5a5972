using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>
/// What a row says of the level z: log p(x given z) = sum_d (x_d log(lambda e_d z) - lambda e_d z - log x_d!) = S log(lambda z) - lambda E
/// z + constant, over the counts x_d that are there with their exposures e_d.
/// </summary>
/// <param name="Counts">Which features are counts.</param>
/// <param name="Exposures">Their exposures, where these are given.</param>
/// <param name="Features">The features that hold them, where they are not; -1 where they are.</param>
internal sealed record PlaceCounts(int[] Counts, double[] Exposures, int[] Features)
{
    /// <summary>How many counts a row has.</summary>
    public int Places => Counts.Length;

    /// <summary>The exposure of a count; NaN where it is not known.</summary>
    public double Exposure(ReadOnlySpan<double> row, int place) =>
        Features[place] < 0 ? Exposures[place] : row[Features[place]];

    /// <summary>Reads a row.</summary>
    public StepCounts Of(ReadOnlySpan<double> row)
    {
        double sum = 0, exposure = 0, constant = 0;
        int seen = 0;
        for (int place = 0; place < Places; place++)
        {
            double x = row[Counts[place]], e = Exposure(row, place);
            if (double.IsNaN(x) || double.IsNaN(e)) continue;
            seen++;
            sum += x;
            exposure += e;
            if (x > 0) constant += e > 0 ? x * ScalarMath.Log(e) - LogFactorials.Of(x) : double.NegativeInfinity;
        }
        return new StepCounts(seen, sum, exposure, constant);
    }
}

/// <summary>What a row says of the level.</summary>
/// <param name="Seen">Counts that are there.</param>
/// <param name="Sum">S, their sum.</param>
/// <param name="Exposure">E, the sum of their exposures.</param>
/// <param name="Constant">What does not depend on the level; negative infinity where something was counted that was not looked at.</param>
internal readonly record struct StepCounts(int Seen, double Sum, double Exposure, double Constant)
{
    /// <summary>log p(x given z), z above 0.</summary>
    public double LogDensity(double level, double rate) =>
        (Sum > 0 ? Sum * ScalarMath.Log(rate * level) : 0) - rate * Exposure * level + Constant;
}
