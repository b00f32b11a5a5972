using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Learning;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Sequences;

/// <summary>
/// Published series: batch EM reaches the likelihood that the best of 15 restarts of Baum-Welch does elsewhere (numpy, free initial
/// distribution).
/// </summary>
public sealed class HiddenMarkovReferenceTests
{
    [Fact]
    public void BatchEm_DiscoveriesAsCounts_ReachesTheReference()
    {
        var rows = new Minibatch(1);
        foreach (int count in BatchReferenceTests.Discoveries) rows.Add([count]);
        BatchFit fit = Fit(new PoissonOptions(), rows);
        Assert.Equal(-206.05410003146864, 100 * fit.MeanLogLikelihoods[^1], 1e-5);
        double[] rates = [.. fit.Learned.Parameters[6..8]];
        Array.Sort(rates);
        Assert.Equal(2.511511722743893, rates[0], 1e-3);
        Assert.Equal(5.8410358610008295, rates[1], 1e-3);
    }

    [Fact]
    public void BatchEm_GeyserAsLongAndShort_ReachesTheReference()
    {
        Minibatch geyser = CsvData.Load("geyser.csv", "duration"), rows = new(1);
        for (int row = 0; row < geyser.Count; row++) rows.Add([geyser.Row(row)[0] >= 3 ? 1 : 0]);
        BatchFit fit = Fit(new BernoulliOptions(), rows);
        // Probabilities stay 1e-6 from 1, which costs 163 long eruptions 1.6e-4.
        Assert.Equal(-126.707761998781, 299 * fit.MeanLogLikelihoods[^1], 3e-4);
        Assert.Contains(fit.Learned.Parameters[6..8], probability => Math.Abs(probability - 0.22506883258828606) < 1e-3);
    }

    private static BatchFit Fit(EmissionOptions family, Minibatch rows) => BatchFit.Run(
        (HiddenMarkovOptions)Hosts.HiddenMarkov(2, EmissionParts.Of(family)) with { Prior = Prior.None }, RecordSchema.OfNumbers(1),
        new LearningOptions { Learn = LearnMode.Always, Initialization = new() { NInit = 10 } }, rows,
        new BatchEmOptions { Tolerance = 1e-12, MaxIterations = 20_000 });
}
