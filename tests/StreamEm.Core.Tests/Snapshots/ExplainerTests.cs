using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Snapshots;

/// <summary>Which feature is to blame for a record, and what it should have been.</summary>
public sealed class ExplainerTests
{
    private static readonly Gaussians Pair = new(
        [0.7, 0.3], [[0, 10, 100], [5, 20, 80]], [[1, 0.8, 0, 0.8, 4, 1, 0, 1, 9], [2, 0, 0.5, 0, 1, 0, 0.5, 0, 4]]);

    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Tied)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    public void Explain_OfOneGaussian_IsTheConditionalDistribution(CovarianceType type)
    {
        LearnedModel learned = Learn(1, type);
        Minibatch row = Row(1, 14, 90);

        FeatureExplanation[] features = new Explainer(learned).Explain(row, 0).ToArray();

        (Vector<double> mean, Matrix<double> covariance) = Moments(learned);
        Matrix<double> precision = covariance.Inverse();
        Vector<double> off = Vector<double>.Build.Dense(row.Row(0).ToArray()) - mean;
        for (int d = 0; d < 3; d++)
        {
            double variance = 1 / precision[d, d], expected = row.Row(0)[d] - (precision.Row(d) * off) * variance;
            double distance = row.Row(0)[d] - expected, scale = learned.Space.Scale[d];
            Assert.Equal(expected, features[d].Expected, 1e-8 * (1 + Math.Abs(expected)));
            Assert.Equal(Math.Sqrt(variance), features[d].Deviation, 1e-8 * Math.Sqrt(variance));
            double surprise = 0.5 * (distance * distance / variance + Math.Log(2 * Math.PI * variance / (scale * scale)));
            Assert.Equal(surprise, features[d].Contribution, 1e-8);
        }
    }

    [Fact]
    public void Explain_OfAMixture_BlamesTheFeatureThatIsOff()
    {
        LearnedModel learned = Learn(2, CovarianceType.Full);

        FeatureExplanation[] features = new Explainer(learned).Explain(Row(5, 20, 130), 0).ToArray();

        Assert.True(features[2].Contribution > 10 + Math.Max(features[0].Contribution, features[1].Contribution));
        Assert.InRange(features[2].Expected, 79, 81);
        Assert.InRange(features[2].Deviation, 1.5, 2.5);
    }

    [Fact]
    public void Explain_AMissingValue_SaysWhatItWouldBe()
    {
        FeatureExplanation[] features =
            new Explainer(Learn(2, CovarianceType.Full)).Explain(Row(5, double.NaN, 80), 0).ToArray();

        Assert.True(double.IsNaN(features[1].Contribution));
        Assert.InRange(features[1].Expected, 19, 21);
    }

    private static LearnedModel Learn(int components, CovarianceType type) => Streams.Snapshot(Streams.Learn(
        Gaussians.Mixture(components, type),
        new LearningOptions { Learn = LearnMode.Always, Initialization = new() { Buffer = 1000, NInit = 1 } }, Pair.Draw(4000, 3)));

    private static Minibatch Row(params double[] values)
    {
        var rows = new Minibatch(values.Length, 1);
        rows.Add(values);
        return rows;
    }

    private static (Vector<double> Mean, Matrix<double> Covariance) Moments(LearnedModel learned)
    {
        ReadOnlySpan<double> parameters = learned.Parameters;
        double[] mean = learned.Layout["means"].Of(parameters).ToArray(), given = learned.Layout["covariances"].Of(parameters).ToArray();
        double[] scale = learned.Layout.Contains("scale") ? learned.Layout["scale"].Of(parameters).ToArray() : [1, 1, 1];
        return (Vector<double>.Build.Dense(mean), given.Length == 9
            ? Matrix<double>.Build.Dense(3, 3, given)
            : Matrix<double>.Build.DenseOfDiagonalArray(
                [.. Enumerable.Range(0, 3).Select(d => given[given.Length == 1 ? 0 : d] * scale[d] * scale[d])]));
    }
}
