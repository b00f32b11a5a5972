using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>The M-step, its inverse, and first parameters.</summary>
internal sealed partial class LinearGaussianStateSpace
{
    /// <summary>The smallest noise, in units of what it is of: a covariance that rounding made singular gets that.</summary>
    private const double LeastNoise = 1e-12;

    /// <summary>How much wider than the features the first state of a form may be: as if nothing were known of it (R's StructTS).</summary>
    private const double Diffuse = 1e4;

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        MaximizeInitial(statistics, rows, result, events);
        MaximizeTransition(statistics, rows, result, events);
        MaximizeObservation(statistics, rows, result, events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>Of sequences of the nominal length, each with all its values.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        int d = States;
        double[] moments = new double[d * d], next = new double[d * d], scratch = new double[Math.Max(d, Dimension) * d],
            from = new double[d * d], all = new double[d * d], square = new double[Dimension * Dimension];
        ReadOnlySpan<double> a = _transition.Of(parameters), c = _observation.Of(parameters), m = _mean0.Of(parameters);
        result.Clear();
        _covariance0.Of(parameters).CopyTo(moments);
        for (int i = 0; i < d; i++)
            for (int j = 0; j < d; j++) moments[i * d + j] += m[i] * m[j];
        _begun.Of(result)[0] = 1.0 / NominalLength;
        for (int i = 0; i < d; i++) _firstMeans.Of(result)[i] = m[i] / NominalLength;
        AddPacked(moments, 1.0 / NominalLength, _firstMoments.Of(result), d);
        for (int t = 1; t <= NominalLength; t++)
        {
            DenseMatrix.Add(all, moments, 1.0 / NominalLength);
            if (t == NominalLength) break;
            DenseMatrix.Add(from, moments, 1.0 / NominalLength);
            DenseMatrix.Sandwich(a, moments, next, scratch, d, d);
            DenseMatrix.Add(next, _noise.Of(parameters));
            (moments, next) = (next, moments);
        }
        double passages = _passed.Of(result)[0] = (NominalLength - 1.0) / NominalLength;
        DenseMatrix.Multiply(a, from, _cross.Of(result), d, d, d);
        AddPacked(from, 1, _from.Of(result), d);
        DenseMatrix.Sandwich(a, from, next, scratch, d, d);
        DenseMatrix.Add(next, _noise.Of(parameters), passages + PriorRows(d) / effectiveRows);
        for (int i = 0; i < d; i++) next[i * (d + 1)] -= PriorOfNoise / effectiveRows;
        AddPacked(next, 1, _to.Of(result), d);

        _seen.Of(result)[0] = 1;
        AddPacked(all, 1, _states.Of(result), d);
        DenseMatrix.Multiply(c, all, _products.Of(result), Dimension, d, d);
        DenseMatrix.Sandwich(c, all, square, scratch, Dimension, d);
        double weight = 1 + PriorRows(Dimension) / effectiveRows;
        DenseMatrix.Add(square, _error.Of(parameters), weight);
        for (int i = 0; i < Dimension; i++)
            square[i * (Dimension + 1)] -= weight * _regularization.Ridge[i] + PriorOf(i) / effectiveRows;
        AddPacked(square, 1, _squares.Of(result), Dimension);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Where most sequences have a single row yet, nothing can be said of how their states move: the stream begins at what is drawn.
    /// </remarks>
    public override double[] Start(Minibatch buffer, ModelStart start)
    {
        (double[] first, double[] squares, double[] changes) = FirstLooks(buffer);
        int sequences = Math.Max(1, buffer.SequenceStarts.Length);
        if (_structure is null && buffer.Count < 2 * sequences) return Drawn(start.Chance(0), squares);
        return start.Best(this, buffer, chance => _structure is null ? Drawn(chance, squares) : Structured(first, squares, changes));
    }

    /// <summary>States that forget at different speeds, seen in random directions; half of what is seen is noise.</summary>
    private double[] Drawn(SplitMix64 chance, double[] squares)
    {
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        for (int i = 0; i < States; i++)
        {
            double memory = 0.95 - 0.5 * i / States;
            _transition.Of(theta.AsSpan())[i * (States + 1)] = memory;
            _noise.Of(theta.AsSpan())[i * (States + 1)] = 1 - memory * memory;
        }
        var draws = new RandomDraws(chance.NextUInt64());
        for (int d = 0; d < Dimension; d++)
        {
            Span<double> row = _observation.Of(theta.AsSpan()).Slice(d * States, States);
            double square = 0;
            for (int i = 0; i < States; i++)
            {
                row[i] = draws.Normal();
                square += row[i] * row[i];
            }
            for (int i = 0; i < States; i++) row[i] *= Math.Sqrt(0.5 * squares[d] / square);
            _error.Of(theta.AsSpan())[d * (Dimension + 1)] = 0.5 * squares[d];
        }
        return theta;
    }

    /// <summary>The form's matrices, levels that begin about where sequences do, and noise for the changes from row to row.</summary>
    private double[] Structured(double[] first, double[] squares, double[] changes)
    {
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        int each = States / Dimension;
        for (int d = 0; d < Dimension; d++)
        {
            _error.Of(theta.AsSpan())[d * (Dimension + 1)] = 0.4 * changes[d];
            _mean0.Of(theta.AsSpan())[d * each] = first[d];
            for (int i = d * each; i < (d + 1) * each; i++)
            {
                _covariance0.Of(theta.AsSpan())[i * (States + 1)] = Diffuse * squares[d];
                _noise.Of(theta.AsSpan())[i * (States + 1)] =
                    !_structure!.IsNoisy[i] ? 0 : i == d * each ? 0.2 * changes[d] : 0.01 * changes[d];
            }
        }
        return theta;
    }

    /// <summary>
    /// Of every feature the mean of the sequences' first values, the mean square (of a form: the variance), and the mean square of changes
    /// from one value to the next; 1 where there is none above 0.
    /// </summary>
    private (double[] First, double[] Squares, double[] Changes) FirstLooks(Minibatch buffer)
    {
        double[] first = new double[Dimension], squares = new double[Dimension], changes = new double[Dimension];
        for (int d = 0; d < Dimension; d++)
        {
            double begun = 0, seen = 0, sum = 0, square = 0, passed = 0, change = 0, last = double.NaN;
            for (int row = 0; row < buffer.Count; row++)
            {
                if (row == 0 || buffer.SequenceStarts.BinarySearch(row) >= 0) last = double.NaN;
                double x = buffer.Row(row)[d];
                if (double.IsNaN(x)) continue;
                if (double.IsNaN(last)) (begun, first[d]) = (begun + 1, first[d] + x);
                else (passed, change) = (passed + 1, change + (x - last) * (x - last));
                (seen, sum, square, last) = (seen + 1, sum + x, square + x * x, x);
            }
            double mean = _structure is null ? 0 : sum / seen;
            first[d] = begun > 0 ? first[d] / begun : 0;
            squares[d] = seen > 1 && square / seen > mean * mean ? (square - seen * mean * mean) / (seen - 1) : 1;
            changes[d] = change > 0 ? change / passed : squares[d];
        }
        return (first, squares, changes);
    }

    private void MaximizeInitial(ReadOnlySpan<double> statistics, RowsWorth rows, Span<double> result, ModelEvents events)
    {
        int d = States;
        double begun = _begun.Of(statistics)[0];
        if (!(begun * rows.Evidence >= ComponentEvidence.Some)) return;
        Span<double> mean = _mean0.Of(result), covariance = _covariance0.Of(result);
        ReadOnlySpan<double> means = _firstMeans.Of(statistics);
        double[] moments = Unpacked(_firstMoments.Of(statistics), d);
        for (int i = 0; i < d && !FixedBlocks.Contains(_mean0); i++) mean[i] = means[i] / begun;
        for (int i = 0; i < d; i++)
            for (int j = 0; j < d; j++)
                covariance[i * d + j] = (moments[i * d + j] - means[i] * mean[j] - mean[i] * means[j]) / begun + mean[i] * mean[j];
        Keep(covariance, d, LeastNoise * Trace(moments, d) / (begun * d), events);
    }

    private void MaximizeTransition(ReadOnlySpan<double> statistics, RowsWorth rows, Span<double> result, ModelEvents events)
    {
        int d = States;
        double passed = _passed.Of(statistics)[0];
        if (!(passed * rows.Evidence >= ComponentEvidence.Some)) return;
        double[] from = Unpacked(_from.Of(statistics), d), noise = Unpacked(_to.Of(statistics), d);
        double scale = Trace(noise, d) / (passed * d);
        if (!Regress(_cross.Of(statistics), from, noise, _transition.Of(result), d, FixedBlocks.Contains(_transition)))
        {
            events.Add(ModelEventKind.NoEvidence, -1, passed * rows.Evidence);
            return;
        }
        Span<double> covariance = _noise.Of(result);
        double weight = passed + PriorRows(d) / rows.Prior;
        for (int i = 0; i < d; i++)
            for (int j = 0; j < d; j++)
            {
                double value = (noise[i * d + j] + (i == j ? PriorOfNoise / rows.Prior : 0)) / weight;
                covariance[i * d + j] = _structure is null ? value
                    : i == j && _structure.IsNoisy[i] ? Math.Max(value, LeastNoise * scale) : 0;
            }
        if (_structure is null) Keep(covariance, d, LeastNoise * scale, events);
    }

    private void MaximizeObservation(ReadOnlySpan<double> statistics, RowsWorth rows, Span<double> result, ModelEvents events)
    {
        double seen = _seen.Of(statistics)[0];
        if (!(seen * rows.Evidence >= ComponentEvidence.Some)) return;
        double[] states = Unpacked(_states.Of(statistics), States), error = Unpacked(_squares.Of(statistics), Dimension);
        if (!Regress(_products.Of(statistics), states, error, _observation.Of(result), Dimension, FixedBlocks.Contains(_observation)))
        {
            events.Add(ModelEventKind.NoEvidence, -1, seen * rows.Evidence);
            return;
        }
        Span<double> covariance = _error.Of(result);
        double weight = seen + PriorRows(Dimension) / rows.Prior;
        for (int i = 0; i < error.Length; i++) covariance[i] = error[i] / weight;
        for (int i = 0; i < Dimension; i++)
            covariance[i * (Dimension + 1)] += PriorOf(i) / rows.Prior / weight + _regularization.Ridge[i];
        Keep(covariance, Dimension, _regularization.Floor, events);
    }

    /// <summary>
    /// B = E[y z'] E[z z']^-1, unless it is held, and E[(y - B z)(y - B z)'] in place of E[y y'], all of them sums of the same weight.
    /// </summary>
    /// <returns>False where E[z z'] is singular.</returns>
    private bool Regress(
        ReadOnlySpan<double> products, double[] moments, Span<double> squares, Span<double> slopes, int rows, bool isHeld)
    {
        int d = States;
        double[] scratch = new double[rows * d], other = new double[rows * rows];
        if (!isHeld)
        {
            double[] inverse = [.. moments];
            if (!DenseMatrix.TryInvert(inverse, d, new double[Packed.Length(d)], out _)) return false;
            DenseMatrix.Multiply(products, inverse, slopes, rows, d, d);
        }
        DenseMatrix.MultiplyTransposed(slopes, products, other, rows, d, rows);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < rows; j++) squares[i * rows + j] -= other[i * rows + j] + other[j * rows + i];
        DenseMatrix.Sandwich(slopes, moments, other, scratch, rows, d);
        DenseMatrix.Add(squares, other);
        DenseMatrix.Symmetrize(squares, rows);
        return true;
    }

    private double PriorRows(int dimension) => HasPrior ? 2 * dimension + 3 : 0;

    private double PriorOfNoise => HasPrior ? PriorScale * (_structure is null ? 1 : _variances.Average()) : 0;

    private double PriorOf(int feature) => HasPrior ? PriorScale * _variances[feature] : 0;

    private static void Keep(Span<double> covariance, int dimension, double floor, ModelEvents events)
    {
        double? found =
            SymmetricMatrix.EnsurePositiveDefinite(covariance, dimension, floor, new double[Packed.Length(dimension)]);
        if (found is { } eigenvalue) events.Add(ModelEventKind.CovarianceFloored, -1, eigenvalue);
    }

    private static double Trace(ReadOnlySpan<double> matrix, int dimension)
    {
        double sum = 0;
        for (int i = 0; i < dimension; i++) sum += matrix[i * (dimension + 1)];
        return sum;
    }

    private static double[] Unpacked(ReadOnlySpan<double> packed, int dimension)
    {
        double[] full = new double[dimension * dimension];
        SymmetricMatrix.Unpack(packed, dimension, full);
        return full;
    }

    /// <summary>The lower triangle of a full matrix, added.</summary>
    internal static void AddPacked(ReadOnlySpan<double> full, double factor, Span<double> packed, int dimension)
    {
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++)
                packed[Packed.Index(i, j)] = Math.FusedMultiplyAdd(factor, full[i * dimension + j], packed[Packed.Index(i, j)]);
    }
}
