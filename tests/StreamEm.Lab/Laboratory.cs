using StreamEm.Lab.Experiments;

namespace StreamEm.Lab;

/// <summary>All experiments, in the order in which a reader learns from them. A new one costs its file and a line here.</summary>
internal static class Laboratory
{
    /// <summary>The experiments.</summary>
    public static IReadOnlyList<Experiment> Experiments { get; } =
    [
        new ExponentialSum(),
        new JensensGap(),
        new TouchingBound(),
        new HeightsOfTwo(),
        new AnyDensity(),
        new SeveralMaxima(),
        new KMeansPlusPlusBound(),
        new Annealing(),
        new LabelSwitching(),
        new MapAgainstMl(),
        new Outliers(),
        new DroppedVariance(),
        new TwoRecursions(),
        new ThreeEngines(),
        new TwoRegressions(),
        new MemoryAndTime(),
        new ReportCard(),
        new AnyLook(),
        new IntervalsAtEveryLook(),
        new OverRelaxation(),
        new SparseShares(),
        new EmAgainstGradient(),
        new ProbitThreeWays(),
        new LassoPath(),
        new LassoAndItsPosterior(),
        new PiecewiseLines(),
        new InverseArm(),
        new PcaWithHoles(),
        new TwoFactorizations(),
        new ImageCodes(),
        new DishonestCasino(),
        new TopicsOfACorpus(),
        new HiddenNode(),
        new FishSeries(),
        new SharedError(),
    ];
}
