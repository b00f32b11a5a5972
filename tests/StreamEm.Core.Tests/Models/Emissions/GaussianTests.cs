using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Emissions;

[ContractOf("gaussian_mixture")]
public sealed class FullGaussianInMixture : MixtureOf<FullGaussians>;

[ContractOf("mixture")]
public sealed class FullGaussianInProduct : ProductOf<FullGaussians>;

[ContractOf("hidden_markov")]
public sealed class FullGaussianInHiddenMarkov : HiddenMarkovOf<FullGaussians>;

public sealed class TiedGaussianInMixture : MixtureOf<TiedGaussians>;

public sealed class TiedGaussianInProduct : ProductOf<TiedGaussians>;

public sealed class TiedGaussianInHiddenMarkov : HiddenMarkovOf<TiedGaussians>;

public sealed class DiagonalGaussianInMixture : MixtureOf<DiagonalGaussians>;

public sealed class DiagonalGaussianInProduct : ProductOf<DiagonalGaussians>;

public sealed class DiagonalGaussianInHiddenMarkov : HiddenMarkovOf<DiagonalGaussians>;

public sealed class SphericalGaussianInMixture : MixtureOf<SphericalGaussians>;

public sealed class SphericalGaussianInProduct : ProductOf<SphericalGaussians>;

public sealed class SphericalGaussianInHiddenMarkov : HiddenMarkovOf<SphericalGaussians>;

public sealed class GaussianTests
{
    /// <summary>A quarter of the ridge is what rounding leaves of no spread at all: the floor begins at half of it.</summary>
    [Theory]
    [InlineData(0.25, true)]
    [InlineData(0.75, false)]
    [InlineData(-3, true)]
    public void Maximize_DiagonalVarianceBelowHalfTheRidge_IsFlooredAndReported(double ridges, bool isFloored)
    {
        const double ridge = 1e-3;
        var family = new DiagonalGaussian(1, 1, new CovarianceRegularization([ridge], CovarianceRegularization.RelativeFloor));
        var events = new ModelEvents();
        double[] result = new double[2];

        // S2 / O - mu^2 + ridge = ridges x ridge, about mean 0.
        family.Maximize([1], [1, 0, (ridges - 1) * ridge], 100.0, [0, 1], result, events);

        Assert.Equal(isFloored, events.All.Any(item => item.Kind == ModelEventKind.CovarianceFloored && item.Component == 0));
        Assert.Equal(isFloored ? CovarianceRegularization.RelativeFloor : ridges * ridge, result[1], 1e-15);
    }

    [Fact]
    public void Learn_ConstantFeatureOnALargeOffset_KeepsPositiveVariances()
    {
        var options = new LearningOptions { Standardize = false, MinibatchSize = 100, Initialization = new() { Buffer = 200, NInit = 1 } };
        Minibatch drawn = Gaussians.Three.Draw(2000, 1), rows = new(2);
        for (int row = 0; row < drawn.Count; row++) rows.Add([1e8, drawn.Row(row)[0]]);
        var learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(2, CovarianceType.Diag, regCovar: 1e-2), options, rows));
        Assert.All(learned.Parameters[6..], variance => Assert.True(variance > 0 && double.IsFinite(variance), $"variance {variance:R}"));
    }
}
