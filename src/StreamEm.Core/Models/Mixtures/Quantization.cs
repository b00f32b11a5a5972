using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// Vector quantisation (Gray 1984): a record is encoded as the number of its component and decoded as that component's mean; what is lost
/// is its squared distance, in the user's units, over the features it has. The number costs -log2 weights[k] bits by the best code for
/// components as frequent as they are (Shannon 1948), on average the entropy of the weights and at most log2 K; exactly log2 K where the
/// weights are held equal.
/// </summary>
/// <param name="components">K.</param>
/// <param name="scales">The scale of every feature [D]: the user's units of one inside.</param>
internal sealed class Quantization(int components, double[] scales)
{
    private readonly double[] _means = new double[components * scales.Length], _variances = new double[components * scales.Length],
        _bits = new double[components];

    /// <summary>Doubles of a record's scores.</summary>
    public int Length => scales.Length + 2;

    /// <summary>Adds the blocks that are said of a record.</summary>
    public static void AddTo(VectorLayout layout, int dimension) =>
        layout.Add("reconstruction", Units.Value, Domain.Real, dimension).Add("reconstruction_error").Add("bits");

    /// <summary>Takes parameters.</summary>
    /// <param name="weights">The weights [K].</param>
    /// <param name="emission">The components' family.</param>
    /// <param name="parameters">Its parameters.</param>
    public void Set(ReadOnlySpan<double> weights, Emission emission, ReadOnlySpan<double> parameters)
    {
        emission.TryMoments(parameters, _means, _variances);
        for (int k = 0; k < components; k++) _bits[k] = -ScalarMath.Log(weights[k]) / ScalarMath.Log(2);
    }

    /// <summary>Encodes a record and decodes it again.</summary>
    /// <param name="row">Its values inside, NaN = missing.</param>
    /// <param name="memberships">Probabilities of the components [K]; of equal ones the first is the code.</param>
    /// <param name="scores">Overwritten: the centre [D], the squared distance and the bits.</param>
    public void Write(ReadOnlySpan<double> row, ReadOnlySpan<double> memberships, Span<double> scores)
    {
        int code = 0;
        for (int k = 1; k < memberships.Length; k++)
            if (memberships[k] > memberships[code]) code = k;
        double error = 0;
        for (int d = 0; d < row.Length; d++)
        {
            double centre = scores[d] = _means[code * row.Length + d], distance = scales[d] * (row[d] - centre);
            if (!double.IsNaN(distance)) error = Math.FusedMultiplyAdd(distance, distance, error);
        }
        (scores[row.Length], scores[row.Length + 1]) = (error, _bits[code]);
    }
}
