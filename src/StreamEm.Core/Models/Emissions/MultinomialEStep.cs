using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of multinomial components: linear in the counts, rows with missing counts conditioned on the observed total.
/// </summary>
internal sealed class MultinomialEStep(int components, int dimension) : EmissionEStep
{
    private readonly double[] _logs = new double[components * dimension], _probabilities = new double[components * dimension];
    private readonly double[] _none = new double[components];

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> probabilities)
    {
        probabilities.CopyTo(_probabilities);
        for (int at = 0; at < _logs.Length; at++) _logs[at] = ScalarMath.Log(Math.Max(probabilities[at], Multinomial.Least));
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<int> incomplete = block.Incomplete;
        ReadOnlySpan<double> kept = IncompleteLanes.Keep(block, logJoint, components);
        LinearForms.Add(block.Columns, dimension, components, _logs, _none, logJoint, block.Count);
        Span<double> coefficients = stackalloc double[RowBlock.Capacity];
        for (int i = 0; i < block.Count; i++) coefficients[i] = LogCoefficient(block.Row(i));
        for (int k = 0; k < components; k++)
            Interpolation.Add(logJoint.Slice(k * RowBlock.Stride, block.Count), coefficients[..block.Count]);
        for (int at = 0; at < incomplete.Length; at++)
        {
            ReadOnlySpan<double> row = block.Row(incomplete[at]);
            for (int k = 0; k < components; k++)
                logJoint[k * RowBlock.Stride + incomplete[at]] =
                    kept[at * components + k] + LogDensity(row, k) + coefficients[incomplete[at]];
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        if (row.Contains(double.NaN)) return false;
        double coefficient = LogCoefficient(row);
        logJoint.Fill(double.NegativeInfinity);
        for (int k = 0; k < components; k++)
        {
            double sum = 0;
            for (int d = 0; d < dimension; d++) sum = Math.FusedMultiplyAdd(_logs[k * dimension + d], row[d], sum);
            logJoint[k] = logWeights[k] + sum + coefficient;
        }
        return true;
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        WeightedSums.AddFirstMoments(block.Columns, dimension, responsibilities, components, statistics, block.Count);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            double total = Total(row);
            for (int k = 0; k < components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index], unseen = r * total / Observed(row, k);
                for (int d = 0, at = k * dimension; d < dimension; d++, at++)
                    statistics[at] += double.IsNaN(row[d]) ? unseen * _probabilities[at] : r * row[d];
            }
        }
    }

    /// <summary>log n! - sum_d log x_d! over the observed counts.</summary>
    private static double LogCoefficient(ReadOnlySpan<double> row)
    {
        double total = 0, sum = 0;
        foreach (double count in row)
        {
            if (double.IsNaN(count)) continue;
            total += count;
            sum += LogFactorials.Of(count);
        }
        return LogFactorials.Of(total) - sum;
    }

    private static double Total(ReadOnlySpan<double> row)
    {
        double total = 0;
        foreach (double count in row)
            if (!double.IsNaN(count)) total += count;
        return total;
    }

    /// <summary>sum over the observed features of x log(p / P); 0 when there are none.</summary>
    private double LogDensity(ReadOnlySpan<double> row, int k)
    {
        double sum = 0;
        for (int d = 0, at = k * dimension; d < dimension; d++, at++)
            if (!double.IsNaN(row[d])) sum = Math.FusedMultiplyAdd(row[d], _logs[at], sum);
        double total = Total(row);
        return total > 0 ? sum - total * ScalarMath.Log(Observed(row, k)) : 0;
    }

    /// <summary>P: the probability that a count is of an observed feature.</summary>
    private double Observed(ReadOnlySpan<double> row, int k)
    {
        double sum = 0;
        for (int d = 0, at = k * dimension; d < dimension; d++, at++)
            if (!double.IsNaN(row[d])) sum += Math.Max(_probabilities[at], Multinomial.Least);
        return Math.Max(sum, Multinomial.Least);
    }
}
