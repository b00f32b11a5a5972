using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.StateSpaces;

namespace StreamEm.Core.Tests.Models.StateSpaces;

/// <summary>All states and rows of a short chain as one normal vector (z_1, x_1, z_2, x_2, ...), by its definition alone.</summary>
internal sealed class JointNormal
{
    private readonly int _states, _dimension, _length, _each;
    private readonly double[] _mean, _covariance;

    public JointNormal(LinearGaussianStateSpace model, double[] theta, int length)
    {
        (_states, _dimension, _length) = (model.States, model.Dimension, length);
        _each = _states + _dimension;
        ReadOnlySpan<double> Block(string name) => model.ParameterLayout[name].Of((ReadOnlySpan<double>)theta);
        int size = length * _each;
        (_mean, _covariance) = (new double[size], new double[size * size]);
        // Every entry as a linear map of independent parts: z_1, the noises of the passages, the errors of the rows.
        double[] map = new double[size * size], parts = new double[size * size];
        for (int t = 0; t < length; t++)
        {
            int z = t * _each, x = z + _states;
            for (int i = 0; i < _states; i++)
            {
                for (int j = 0; j < size && t > 0; j++)
                    for (int n = 0; n < _states; n++)
                        map[(z + i) * size + j] += Block("transition_matrix")[i * _states + n] * map[(z - _each + n) * size + j];
                map[(z + i) * size + z + i] += 1;
                for (int j = 0; j < _states; j++)
                    parts[(z + i) * size + z + j] =
                        Block(t == 0 ? "initial_state_covariance" : "transition_covariance")[i * _states + j];
            }
            for (int d = 0; d < _dimension; d++)
            {
                for (int j = 0; j < size; j++)
                    for (int n = 0; n < _states; n++)
                        map[(x + d) * size + j] += Block("observation_matrix")[d * _states + n] * map[(z + n) * size + j];
                map[(x + d) * size + x + d] += 1;
                for (int j = 0; j < _dimension; j++)
                    parts[(x + d) * size + x + j] = Block("observation_covariance")[d * _dimension + j];
            }
        }
        double[] begin = new double[size];
        Block("initial_state_mean").CopyTo(begin);
        DenseMatrix.Multiply(map, begin, _mean, size, size, 1);
        DenseMatrix.Sandwich(map, parts, _covariance, new double[size * size], size, size);
    }

    /// <summary>log p of the values of the first rows.</summary>
    public double LogDensity(Minibatch rows, int upTo)
    {
        int[] known = Known(rows, upTo);
        if (known.Length == 0) return 0;
        double[] inverse = Part(known, known), deviation = Deviation(rows, known), scaled = new double[known.Length];
        Assert.True(DenseMatrix.TryInvert(inverse, known.Length, new double[Packed.Length(known.Length)], out double logDeterminant));
        DenseMatrix.Multiply(inverse, deviation, scaled, known.Length, known.Length, 1);
        return -0.5 * (known.Length * Math.Log(2 * Math.PI) + logDeterminant + DenseMatrix.Dot(scaled, deviation));
    }

    /// <summary>Mean and covariance of a state given the values of the first rows.</summary>
    public (double[] Mean, double[] Covariance) State(Minibatch rows, int t, int upTo) =>
        Given(rows, [.. Enumerable.Range(t * _each, _states)], upTo);

    /// <summary>The sums of the complete data's statistics, expected given all values there are.</summary>
    public double[] Statistics(LinearGaussianStateSpace model, Minibatch rows)
    {
        double[] sums = new double[model.StatisticsLayout.Length];
        (double[] mean, double[] covariance) = Given(rows, [.. Enumerable.Range(0, _length * _each)], _length);
        int size = _length * _each;
        double Moment(int i, int j) => mean[i] * mean[j] + covariance[i * size + j];
        void Add(string block, int entry, double value) => sums[model.StatisticsLayout[block].Offset + entry] += value;
        for (int t = 0; t < _length; t++)
        {
            int z = t * _each, x = z + _states;
            bool isSeen = rows.Row(t).ContainsAnyExcept(double.NaN);
            Add(t == 0 ? "initial" : "passages", 0, 1);
            if (isSeen) Add("observations", 0, 1);
            for (int i = 0; i < _states; i++)
            {
                if (t == 0) Add("initial_means", i, mean[z + i]);
                for (int j = 0; j < _states; j++)
                {
                    if (t > 0) Add("cross_moments", i * _states + j, Moment(z + i, z - _each + j));
                    if (j > i) continue;
                    int at = Packed.Index(i, j);
                    if (t == 0) Add("initial_moments", at, Moment(z + i, z + j));
                    else Add("to_moments", at, Moment(z + i, z + j));
                    if (t > 0) Add("from_moments", at, Moment(z - _each + i, z - _each + j));
                    if (isSeen) Add("state_moments", at, Moment(z + i, z + j));
                }
            }
            for (int d = 0; d < _dimension && isSeen; d++)
            {
                for (int i = 0; i < _states; i++) Add("products", d * _states + i, Moment(x + d, z + i));
                for (int other = 0; other <= d; other++) Add("squares", Packed.Index(d, other), Moment(x + d, x + other));
            }
        }
        return sums;
    }

    private (double[] Mean, double[] Covariance) Given(Minibatch rows, int[] asked, int upTo)
    {
        int[] known = Known(rows, upTo);
        double[] mean = [.. asked.Select(i => _mean[i])], covariance = Part(asked, asked);
        if (known.Length == 0) return (mean, covariance);
        double[] inverse = Part(known, known), cross = Part(asked, known), gain = new double[cross.Length],
            change = new double[asked.Length], less = new double[covariance.Length];
        Assert.True(DenseMatrix.TryInvert(inverse, known.Length, new double[Packed.Length(known.Length)], out _));
        DenseMatrix.Multiply(cross, inverse, gain, asked.Length, known.Length, known.Length);
        DenseMatrix.Multiply(gain, Deviation(rows, known), change, asked.Length, known.Length, 1);
        DenseMatrix.MultiplyTransposed(gain, cross, less, asked.Length, known.Length, asked.Length);
        for (int i = 0; i < mean.Length; i++) mean[i] += change[i];
        for (int i = 0; i < less.Length; i++) covariance[i] -= less[i];
        return (mean, covariance);
    }

    private int[] Known(Minibatch rows, int upTo) =>
        [.. from t in Enumerable.Range(0, upTo)
            from d in Enumerable.Range(0, _dimension)
            where !double.IsNaN(rows.Row(t)[d])
            select t * _each + _states + d];

    private double[] Deviation(Minibatch rows, int[] known) =>
        [.. known.Select(i => rows.Row(i / _each)[i % _each - _states] - _mean[i])];

    private double[] Part(int[] rows, int[] columns)
    {
        int size = _length * _each;
        return [.. rows.SelectMany(i => columns.Select(j => _covariance[i * size + j]))];
    }
}
