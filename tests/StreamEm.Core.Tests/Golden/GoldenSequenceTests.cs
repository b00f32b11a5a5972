using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;

namespace StreamEm.Core.Tests.Golden;

/// <summary>Hidden Markov models of the golden files whose minibatches are not all of one number of rows a sequence.</summary>
public sealed class GoldenSequenceTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenSequencesWithMissingSteps_GivesGoldenSteps(Recursion recursion)
    {
        foreach (int batch in (int[])[0, 1])
            Steps(
                "hmm_gaussian_missing", new FullGaussian(3, 1, new CovarianceRegularization([0], 1e-12)),
                new() { ["means"] = "means", ["covariances"] = "var" }).CheckStep(recursion, batch);
    }

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenSequencesOfCounts_GivesGoldenSteps(Recursion recursion)
    {
        foreach (int batch in (int[])[0, 1])
            Steps("hmm_poisson", new Poisson(3, [0], Prior.None), new() { ["rates"] = "lambda" }).CheckStep(recursion, batch);
    }

    private static GoldenSequences Steps(string file, Emission emission, Dictionary<string, string> blocks)
    {
        blocks.Add("startprob", "pi");
        blocks.Add("transmat", "A");
        return new GoldenSequences(file, new HiddenMarkov("test", emission, Prior.None), blocks);
    }
}
