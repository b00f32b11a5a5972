using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;

namespace StreamEm.Benchmarks;

/// <summary>
/// Before anything is timed: responsibilities, statistics and the next parameters against scikit-learn's on the same rows.
/// </summary>
internal static class Agreement
{
    private const int Rows = 20_000;

    /// <summary>What may differ: absolute for responsibilities, relative to the largest entry for sums and parameters.</summary>
    private const double Tolerance = 1e-10;

    /// <summary>Compares one shape and returns a table row.</summary>
    /// <exception cref="InvalidOperationException">They differ: no timing would mean anything.</exception>
    public static string Check(Peers peers, Shape shape, SyntheticMixture data, Minibatch batch, bool full)
    {
        int rows = Math.Min(Rows, batch.Count), k = shape.Components, d = shape.Dimension;
        var head = new Minibatch(d, rows);
        head.Append(batch, 0, rows);
        var iteration = new Iteration(data, full);
        LatentModel model = iteration.Model;
        EStep eStep = model.Prepare(iteration.Parameters);
        double[] densities = new double[rows], responsibilities = new double[rows * k], sums = new double[model.StatisticsLayout.Length];
        eStep.Score(head, 0, rows, densities, responsibilities, eStep.CreateWorkspace());
        Evidence evidence = eStep.Accumulate(head, 0, rows, sums, densities, eStep.CreateWorkspace());
        iteration.Run(new ShardedEStep(model, 1), head);

        var reference = new Reader(peers.Reference(shape, rows, full));
        double likelihood = Math.Abs(evidence.MeanLogLikelihood - reference.Next(1)[0]);
        double r = Largest(responsibilities, reference.Next(rows * k), relative: false);
        double statistics = Largest(sums.AsSpan(0, k), reference.Next(k), relative: true);
        statistics = Math.Max(statistics, Largest(model.StatisticsLayout["first_moments"].Of(sums), reference.Next(k * d), relative: true));
        ReadOnlySpan<double> second = model.StatisticsLayout["second_moments"].Of(sums);
        statistics = Math.Max(statistics,
            full ? Largest(Unpack(second, k, d), reference.Next(k * d * d), relative: true) : Largest(
                second, reference.Next(k * d), relative: true));
        double parameters = Largest(model.ParameterLayout["means"].Of(iteration.Next), reference.Next(k * d), relative: true);
        int covariances = full ? k * d * d : k * d;
        parameters = Math.Max(parameters, Largest(iteration.Next[^covariances..], reference.Next(covariances), relative: true));
        string row = $"| {(full ? "full" : "diag")} | {shape} | {r:E1} | {statistics:E1} | {parameters:E1} | {likelihood:E1} |";
        if (!(r <= Tolerance && statistics <= Tolerance && parameters <= Tolerance && likelihood <= Tolerance))
            throw new InvalidOperationException($"StreamEM and scikit-learn differ by more than {Tolerance:E0}: {row}");
        return row;
    }

    private static double[] Unpack(ReadOnlySpan<double> packed, int components, int dimension)
    {
        double[] full = new double[components * dimension * dimension];
        for (int k = 0, at = 0; k < components; k++)
            for (int i = 0; i < dimension; i++)
                for (int j = 0; j <= i; j++, at++)
                    full[(k * dimension + i) * dimension + j] = full[(k * dimension + j) * dimension + i] = packed[at];
        return full;
    }

    private static double Largest(ReadOnlySpan<double> ours, ReadOnlySpan<double> theirs, bool relative)
    {
        double difference = 0, scale = 0;
        for (int at = 0; at < theirs.Length; at++)
        {
            difference = double.MaxNumber(difference, Math.Abs(ours[at] - theirs[at]));
            if (double.IsNaN(ours[at])) return double.NaN;
            scale = Math.Max(scale, Math.Abs(theirs[at]));
        }
        return relative ? difference / scale : difference;
    }

    private sealed class Reader(double[] values)
    {
        private int _at;

        public ReadOnlySpan<double> Next(int count)
        {
            ReadOnlySpan<double> part = values.AsSpan(_at, count);
            _at += count;
            return part;
        }
    }
}
