using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>The way back, what it adds to the statistics, and what is said of a row.</summary>
internal sealed partial class LinearGaussianStateSpaceEStep
{
    /// <summary>Smooths the rows of one sequence, the last one first, and adds what they say.</summary>
    private void Smooth(
        Minibatch batch, int first, int from, int to, bool isCarried, in StateSpaceSums sums, StateSpaceWorkspace space)
    {
        Array.Clear(space.Pull);
        Array.Clear(space.Weight);
        for (int row = to - 1; row >= from; row--)
        {
            ReadOnlySpan<double> next = row + 1 < to ? space.PredictedCovariance(row + 1) : default;
            StepBack(space, space.Predicted(row), space.PredictedCovariance(row), space.PullOf(row), space.WeightOf(row),
                space.Gain(row), next);
            if (!next.IsEmpty) AddPassage(sums, batch.Weight(first + row + 1), space);
            if (space.Says[row]) AddRow(sums, batch.Row(first + row), batch.Weight(first + row), space);
            space.Smoothed.CopyTo(space.Next, 0);
            space.Moments.CopyTo(space.NextMoments, 0);
        }
        double weight = batch.Weight(first + from);
        if (!isCarried)
        {
            sums.Begun[0] += weight;
            DenseMatrix.Add(sums.FirstMeans, space.Smoothed, weight);
            LinearGaussianStateSpace.AddPacked(space.Moments, weight, sums.FirstMoments, _states);
            return;
        }
        StepBack(space, space.CarriedMean, space.CarriedCovariance, default, default, _transition, space.PredictedCovariance(from));
        AddPassage(sums, weight, space);
    }

    /// <summary>
    /// Mean and second moments of a row's state given all rows, and, where there is a row after it, their covariance.
    /// </summary>
    /// <param name="space">What later rows say; goes on to this row.</param>
    /// <param name="mean">a_t.</param>
    /// <param name="covariance">P_t.</param>
    /// <param name="pull">C' F^-1 v; empty for zeros.</param>
    /// <param name="weight">C' F^-1 C; empty for zeros.</param>
    /// <param name="gain">L_t.</param>
    /// <param name="next">P_t+1; empty for the last row.</param>
    private void StepBack(
        StateSpaceWorkspace space, ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, ReadOnlySpan<double> pull,
        ReadOnlySpan<double> weight, ReadOnlySpan<double> gain, ReadOnlySpan<double> next)
    {
        int d = _states;
        if (!next.IsEmpty)
        {
            // Cov[z_t, z_t+1]' = (I - P_t+1 N_t) L_t P_t.
            DenseMatrix.Multiply(next, space.Weight, space.A, d, d, d);
            for (int i = 0; i < space.A.Length; i++) space.A[i] = (i % (d + 1) == 0 ? 1 : 0) - space.A[i];
            DenseMatrix.Multiply(space.A, gain, space.B, d, d, d);
            DenseMatrix.Multiply(space.B, covariance, space.Cross, d, d, d);
        }
        DenseMatrix.TransposedMultiply(gain, space.Pull, space.Vector, d, d, 1);
        space.Vector.AsSpan(0, d).CopyTo(space.Pull);
        DenseMatrix.TransposedMultiply(gain, space.Weight, space.A, d, d, d);
        DenseMatrix.Multiply(space.A, gain, space.Weight, d, d, d);
        DenseMatrix.Add(space.Pull, pull);
        DenseMatrix.Add(space.Weight, weight);
        DenseMatrix.Symmetrize(space.Weight, d);

        DenseMatrix.Multiply(covariance, space.Pull, space.Smoothed, d, d, 1);
        DenseMatrix.Add(space.Smoothed, mean);
        DenseMatrix.Sandwich(covariance, space.Weight, space.A, space.B, d, d);
        for (int i = 0; i < space.A.Length; i++) space.SmoothedCovariance[i] = covariance[i] - space.A[i];
        for (int i = 0; i < d; i++)
            for (int j = 0; j < d; j++)
                space.Moments[i * d + j] =
                    Math.FusedMultiplyAdd(space.Smoothed[i], space.Smoothed[j], space.SmoothedCovariance[i * d + j]);
    }

    /// <summary>Adds a passage from the row last smoothed to the one after it.</summary>
    private void AddPassage(in StateSpaceSums sums, double weight, StateSpaceWorkspace space)
    {
        sums.Passed[0] += weight;
        LinearGaussianStateSpace.AddPacked(space.Moments, weight, sums.From, _states);
        LinearGaussianStateSpace.AddPacked(space.NextMoments, weight, sums.To, _states);
        for (int i = 0; i < _states; i++)
            for (int j = 0; j < _states; j++)
            {
                double moment = Math.FusedMultiplyAdd(space.Next[i], space.Smoothed[j], space.Cross[i * _states + j]);
                sums.Cross[i * _states + j] = Math.FusedMultiplyAdd(weight, moment, sums.Cross[i * _states + j]);
            }
    }

    /// <summary>Adds a row's values with its smoothed state; values that are missing as both expect them, with what is unsure.</summary>
    private void AddRow(in StateSpaceSums sums, ReadOnlySpan<double> row, double weight, StateSpaceWorkspace space)
    {
        sums.Seen[0] += weight;
        LinearGaussianStateSpace.AddPacked(space.Moments, weight, sums.States, _states);
        Span<double> values = space.Values, products = sums.Products, squares = sums.Squares;
        row.CopyTo(values);
        if (row.Contains(double.NaN)) Fill(sums, row, weight, space);
        for (int i = 0; i < _dimension; i++)
        {
            double scaled = weight * values[i];
            for (int j = 0; j < _states; j++)
                products[i * _states + j] = Math.FusedMultiplyAdd(scaled, space.Smoothed[j], products[i * _states + j]);
            for (int j = 0; j <= i; j++)
                squares[Packed.Index(i, j)] = Math.FusedMultiplyAdd(scaled, values[j], squares[Packed.Index(i, j)]);
        }
    }

    /// <summary>
    /// The missing values h of a row given the observed ones o and the state: x_h = D z + B x_o + e, B = R_ho R_oo^-1, D = C_h - B C_o, e ~
    /// N(0, R_hh - B R_oh).
    /// </summary>
    private void Fill(in StateSpaceSums sums, ReadOnlySpan<double> row, double weight, StateSpaceWorkspace space)
    {
        ObservedPart seen = space.Observed;
        seen.Take(row, _observation, _error);
        int known = seen.Count, d = _states;
        seen.Error.AsSpan(0, known * known).CopyTo(seen.Inverse);
        seen.Invert();
        Span<double> slopes = space.Wide, unsure = space.Square;
        unsure.Clear();
        slopes.Clear();
        for (int h = 0; h < _dimension; h++)
        {
            if (!double.IsNaN(row[h])) continue;
            Span<double> slope = slopes.Slice(h * d, d);
            _observation.AsSpan(h * d, d).CopyTo(slope);
            double expected = 0;
            for (int i = 0; i < known; i++)
            {
                double b = Regression(seen, h, i);
                DenseMatrix.Add(slope, seen.Map.AsSpan(i * d, d), -b);
                expected = Math.FusedMultiplyAdd(b, row[seen.Features[i]], expected);
            }
            space.Values[h] = expected + DenseMatrix.Dot(slope, space.Smoothed);
            for (int other = 0; other <= h; other++)
            {
                if (!double.IsNaN(row[other])) continue;
                double left = _error[h * _dimension + other];
                for (int i = 0; i < known; i++)
                    left = Math.FusedMultiplyAdd(-Regression(seen, h, i), _error[seen.Features[i] * _dimension + other], left);
                unsure[h * _dimension + other] = left;
            }
        }
        AddUnsure(sums, row, weight, slopes, unsure, space);
    }

    /// <summary>Adds E[x_h z'] and E[x_h x_h'] beyond what their means make: D V, and D V D' and the covariance of e.</summary>
    private void AddUnsure(
        in StateSpaceSums sums, ReadOnlySpan<double> row, double weight, ReadOnlySpan<double> slopes, ReadOnlySpan<double> unsure,
        StateSpaceWorkspace space)
    {
        int d = _states;
        Span<double> product = space.Vector.AsSpan(0, d);
        for (int h = 0; h < _dimension; h++)
        {
            if (!double.IsNaN(row[h])) continue;
            DenseMatrix.Multiply(slopes.Slice(h * d, d), space.SmoothedCovariance, product, 1, d, d);
            DenseMatrix.Add(sums.Products.Slice(h * d, d), product, weight);
            for (int other = 0; other <= h; other++)
            {
                if (!double.IsNaN(row[other])) continue;
                double spread = unsure[h * _dimension + other] + DenseMatrix.Dot(product, slopes.Slice(other * d, d));
                sums.Squares[Packed.Index(h, other)] += weight * spread;
            }
        }
    }

    /// <summary>Entry (h, i) of B.</summary>
    private double Regression(ObservedPart seen, int missing, int index)
    {
        double sum = 0;
        for (int n = 0; n < seen.Count; n++)
            sum = Math.FusedMultiplyAdd(
                _error[missing * _dimension + seen.Features[n]], seen.Inverse[n * seen.Count + index], sum);
        return sum;
    }

    /// <summary>What a row was expected to be, before it is looked at.</summary>
    private void SayPrediction(StateSpaceWorkspace space, Span<double> score)
    {
        int at = _states + _states * _states;
        SayRecord(space, score.Slice(at, _dimension), score.Slice(at + _dimension, _dimension));
    }

    /// <summary>The filtered state, and what is to come from there.</summary>
    private void SayState(StateSpaceWorkspace space, Span<double> score)
    {
        int d = _states, at = d + d * d + 2 * _dimension;
        space.Mean.CopyTo(score);
        space.Covariance.CopyTo(score[d..]);
        if (_forecast == 0) return;
        space.Mean.CopyTo(space.CarriedMean, 0);
        space.Covariance.CopyTo(space.CarriedCovariance, 0);
        Span<double> latent = score.Slice(at, _forecast * d), variance = score.Slice(at + _forecast * d, _forecast * d);
        Span<double> rest = score[(at + 2 * _forecast * d)..];
        int block = _forecast * _dimension;
        for (int step = 0; step < _forecast; step++)
        {
            Predict(space);
            space.Mean.CopyTo(latent[(step * d)..]);
            for (int i = 0; i < d; i++) variance[step * d + i] = space.Covariance[i * (d + 1)];
            Span<double> mean = rest.Slice(step * _dimension, _dimension), spread = rest.Slice(block + step * _dimension, _dimension);
            SayRecord(space, mean, spread);
            for (int i = 0; i < _dimension; i++)
            {
                double half = Forecasts.Deviate * Math.Sqrt(spread[i]);
                rest[2 * block + step * _dimension + i] = mean[i] - half;
                rest[3 * block + step * _dimension + i] = mean[i] + half;
            }
        }
        space.CarriedMean.CopyTo(space.Mean, 0);
        space.CarriedCovariance.CopyTo(space.Covariance, 0);
    }

    /// <summary>Mean C a and variances of C P C' + R.</summary>
    private void SayRecord(StateSpaceWorkspace space, Span<double> mean, Span<double> variance)
    {
        Span<double> product = space.Vector.AsSpan(0, _states);
        for (int i = 0; i < _dimension; i++)
        {
            ReadOnlySpan<double> c = _observation.AsSpan(i * _states, _states);
            mean[i] = DenseMatrix.Dot(c, space.Mean);
            DenseMatrix.Multiply(c, space.Covariance, product, 1, _states, _states);
            variance[i] = DenseMatrix.Dot(product, c) + _error[i * (_dimension + 1)];
        }
    }
}
