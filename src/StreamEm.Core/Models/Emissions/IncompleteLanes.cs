using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The lanes of rows with missing values: kernels run over them like all others, and then they are set anew.</summary>
internal static class IncompleteLanes
{
    /// <summary>What the lanes held before a kernel added to them: lanes x K.</summary>
    public static double[] Keep(ReadOnlySpan<double> logJoint, int components, ReadOnlySpan<int> lanes)
    {
        if (lanes.Length == 0) return [];
        double[] kept = new double[lanes.Length * components];
        for (int at = 0; at < lanes.Length; at++)
            for (int k = 0; k < components; k++) kept[at * components + k] = logJoint[k * RowBlock.Stride + lanes[at]];
        return kept;
    }
}
