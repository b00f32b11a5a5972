using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>The laws every model obeys, whatever it is of. None knows a layout: blocks are found by what they say of themselves.</summary>
public abstract partial class ModelContract
{
    /// <summary>The options a user would have, with every default.</summary>
    /// <param name="components">How large the model is, whatever that means to it.</param>
    /// <param name="dimension">D.</param>
    protected abstract LatentModelOptions Options(int components, int dimension);

    /// <summary>
    /// The model under test without priors and regularisation, as the laws are stated, over D features that stay as they are.
    /// </summary>
    protected virtual LatentModel Create(int components, int dimension) => CreateUsual(components, dimension);

    /// <summary>Rows inside; those of sequences begin them and have slots as keys.</summary>
    protected abstract Minibatch Rows(int dimension, int count, ulong seed, double missing = 0);

    /// <summary>The same rows as a source delivers them.</summary>
    protected virtual Minibatch Records(Minibatch rows) => rows;

    /// <summary>What the fields of D features mean.</summary>
    protected virtual RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension);

    /// <summary>A row that the model gives no probability; null where every row has some.</summary>
    protected virtual double[]? ImpossibleRow(int dimension) => null;

    /// <summary>Whether an E-step is exact: where it draws, the log-likelihood is one it estimates.</summary>
    protected virtual bool IsExact => true;

    /// <summary>What the entropy of latent variables is at least: 0 of what is discrete, nothing of densities.</summary>
    protected virtual double LeastEntropy => 0;

    /// <summary>Whether rows in other units are as likely, but for the scale: not where a model knows where they begin.</summary>
    protected virtual bool FollowsUnits => true;

    /// <summary>So many rows that no prior weighs: without end, but for a model that says how sure it is after so many.</summary>
    protected virtual double ManyRows => double.PositiveInfinity;

    /// <summary>Whether parameters keep their digits where the origin is a million standard deviations from the records.</summary>
    protected virtual bool KeepsDigitsFarFromZero => true;

    /// <summary>The statistics that only rows with values add to: all of them, but for steps of a chain.</summary>
    protected virtual IEnumerable<VectorBlock> StatisticsOfRows(LatentModel model) => model.StatisticsLayout.Blocks;

    /// <summary>What the model would be for a user, over features that stay as they are.</summary>
    protected LatentModel CreateUsual(int components, int dimension)
    {
        FeatureSpace plan = Options(components, dimension).Plan(Schema(dimension));
        return Options(components, dimension).Create(plan.WithoutScaling().Learn(Rows(dimension, 400, 99)).WithMostLevels());
    }

    /// <summary>Parameters fitted to the rows.</summary>
    protected static double[] Theta(LatentModel model, Minibatch rows) =>
        model.Start(rows, new Initializer(new InitializationOptions { NInit = 1, Seed = 3 }, 1));

    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 0.25)]
    public void BatchEm_EveryIteration_NeverLowersTheLogLikelihood(int dimension, double missing)
    {
        if (!IsExact) return;
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 900, 2, missing);
        BatchEmResult result = BatchEm.Run(model, rows, Theta(model, rows), new BatchEmOptions { Tolerance = -1, MaxIterations = 60 });
        Assert.True(result.LargestFall <= 1e-10 * Math.Abs(result.LogLikelihoods[^1]), $"fell by {result.LargestFall:R}");
    }

    [Theory]
    [InlineData(2, 0, 101)]
    [InlineData(4, 0.2, 101)]
    [InlineData(3, 0.1, 1)]
    [InlineData(3, 0.1, 256)]
    public void Statistics_AnySplitOfTheRows_AddUp(int dimension, double missing, int after)
    {
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 611, 4, missing);
        if (model.Order != RowOrder.Any) after = rows.SequenceStarts[1 + rows.SequenceStarts.Length * after / 611];
        double[] theta = Theta(model, rows), whole = Sums(model, theta, rows, 0, rows.Count);
        double[] parts = [.. Sums(model, theta, rows, 0, after).Zip(Sums(model, theta, rows, after, rows.Count - after), (a, b) => a + b)];
        Near(whole, parts, 1e-11);
        Assert.Contains(whole, value => value != 0);
    }

    [Fact]
    public void Statistics_RowsInAnotherOrder_AreTheSame()
    {
        LatentModel model = Create(3, 3);
        if (model.Order != RowOrder.Any) return;
        Minibatch rows = Rows(3, 500, 5, 0.1);
        double[] theta = Theta(model, rows);
        Near(Sums(model, theta, rows, 0, 500), Sums(model, theta, CsvData.Shuffle(rows, 8), 0, 500), 1e-11);
    }

    [Fact]
    public void Statistics_WeightTwo_EqualsTheRowsTwice()
    {
        LatentModel model = Create(2, 2);
        Minibatch rows = Rows(2, 40, 6, 0.1), twice = new(2), doubled = new(2);
        double[] theta = Theta(model, rows);
        foreach ((Minibatch result, double weight, int copies) in ((Minibatch, double, int)[])[(doubled, 2, 1), (twice, 1, 2)])
            for (int copy = 0; copy < copies; copy++)
                for (int row = 0; row < rows.Count; row++)
                {
                    if (rows.SequenceStarts.Contains(row)) result.BeginSequence();
                    result.Add(rows.Row(row), weight, key: rows.Key(row));
                }
        Near(Sums(model, theta, doubled, 0, 40), Sums(model, theta, twice, 0, 80), 1e-12);
    }

    [Fact]
    public void Maximize_ImpliedStatistics_GivesTheParametersBack()
    {
        LatentModel model = Create(3, 4);
        double[] theta = Theta(model, Rows(4, 800, 7));
        AssertImplies(model, theta, ManyRows, new RowsWorth(1000, ManyRows));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(1000)]
    public void Maximize_ImpliedStatisticsOfSoManyRows_GivesTheParametersBackUnderPriors(double rows)
    {
        LatentModel model = CreateUsual(3, 4);
        AssertImplies(model, Theta(model, Rows(4, 800, 7)), rows, rows);
    }

    [Fact]
    public void Maximize_NoStatistics_KeepsTheParameters()
    {
        LatentModel model = Create(3, 2);
        double[] theta = Theta(model, Rows(2, 300, 8)), result = new double[theta.Length];
        model.Maximize(new double[model.StatisticsLayout.Length], 0.0, theta, result, new ModelEvents());
        Assert.Equal(theta, result);
    }

    [Fact]
    public void Accumulate_RowWithoutValues_AddsNothing()
    {
        LatentModel model = Create(2, 2);
        AssertAddsNothing(model, [double.NaN, double.NaN], double.IsNaN);
    }

    [Fact]
    public void Accumulate_RowThatCannotBe_AddsNothing()
    {
        LatentModel model = Create(2, 2);
        if (ImpossibleRow(2) is { } impossible) AssertAddsNothing(model, impossible, double.IsNegativeInfinity);
    }

    [Theory]
    [InlineData(20, 0.25, -7, 4, 1e-13)]
    // Offsets of 1e6 with a scale of 1e-6 leave 4 digits of a mean.
    [InlineData(1e6, 1e-6, -3, 250, 2e-4)]
    public void UserUnits_ThereAndBack_GiveTheParameters(
        double location, double scale, double otherLocation, double otherScale, double tolerance)
    {
        if (location == 1e6 && !KeepsDigitsFarFromZero) return;
        LatentModel model = Create(3, 2);
        double[] theta = Theta(model, Rows(2, 500, 10)), user = new double[theta.Length], back = new double[theta.Length];
        FeatureSpace plan = Options(3, 2).Plan(Schema(2));
        (double Location, double Scale) OfFeature(int d) => plan.Features[d].Scaling switch
        {
            FeatureScaling.None => (0, 1),
            FeatureScaling.ScaleOnly => (0, d == 0 ? scale : otherScale),
            FeatureScaling.CommonScale => (d == 0 ? location : otherLocation, scale),
            _ => d == 0 ? (location, scale) : (otherLocation, otherScale),
        };
        FeatureSpace space = plan.WithScales([OfFeature(0).Location, OfFeature(1).Location], [OfFeature(0).Scale, OfFeature(1).Scale]);
        model.ToUserUnits(theta, space, user);
        model.FromUserUnits(user, space, back);
        Near(theta, back, tolerance);
        model.ToUserUnits(theta, plan, user);
        Near(theta, user, 1e-14);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void UserUnits_OfParameters_GiveTheDensityInTheUsersUnits(int dimension)
    {
        if (!FollowsUnits) return;
        const double location = -30, scale = 8;
        LatentModel model = Create(3, dimension);
        Minibatch rows = Rows(dimension, 300, 23), user = Rows(dimension, 300, 23);
        double[] theta = Theta(model, rows), there = new double[theta.Length], inside = new double[300], outside = new double[300];
        FeatureSpace plan = Options(3, dimension).Plan(Schema(dimension));
        double[] locations = [.. plan.Features.Select(f => f.Scaling is FeatureScaling.None or FeatureScaling.ScaleOnly ? 0 : location)];
        double[] scales = [.. plan.Features.Select(feature => feature.Scaling == FeatureScaling.None ? 1 : scale)];
        double logScale = Enumerable.Range(0, dimension).Where(model.IsDensityOf).Sum(d => Math.Log(scales[d]));
        for (int row = 0; row < 300; row++)
            user.Overwrite(row, [.. rows.Row(row).ToArray().Select((value, d) => locations[d] + scales[d] * value)]);

        // Parameters in the user's units are those of the same model over features that stay as they are.
        model.ToUserUnits(theta, plan.WithScales(locations, scales), there);
        model.FromUserUnits(there, plan.WithoutScaling(), there);
        Sums(model, theta, rows, 0, 300, inside, out _);
        Sums(model, there, user, 0, 300, outside, out _);

        Near([.. inside.Select(logDensity => logDensity - logScale)], outside, 1e-9);
    }

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void SaveAndLoad_OfALearnerAtAnyRecord_ContinuesToTheSameBytes(Recursion recursion)
    {
        Minibatch records = Records(Rows(2, 640, 11, 0.1));
        var options = new LearningOptions
        {
            Recursion = recursion,
            MinibatchSize = 100,
            AnomalyHalfLife = 500,
            Initialization = new() { Buffer = 250, NInit = 1 },
        };
        byte[] uninterrupted = [];
        foreach (int stop in (int[])[0, 1, 249, 250, 251, 399, 555, 600, 639])
        {
            Learner learner = new(Options(3, 2), Schema(2), options), resumed = new(Options(3, 2), Schema(2), options);
            Streams.Feed(learner, records, 0, stop);
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
            Assert.Equal(Streams.State(learner), Streams.State(resumed));
            Streams.Feed(resumed, records, stop, records.Count - stop);
            while (resumed.TryUpdate(flush: true)) { }
            if (stop == 0) uninterrupted = Streams.State(resumed);
            Assert.Equal(uninterrupted, Streams.State(resumed));
        }
    }

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void Update_AnyNumberOfThreads_GivesTheSameBytes(Recursion recursion)
    {
        LatentModel model = Create(8, 6);
        Minibatch rows = Rows(6, 5000, 12, 0.02);
        double[] theta = Theta(model, Rows(6, 600, 12));
        byte[] one = AfterTwoUpdates(model, recursion, rows, theta, 1);
        Assert.Equal(one, AfterTwoUpdates(model, recursion, rows, theta, 2));
        Assert.Equal(one, AfterTwoUpdates(model, recursion, rows, theta, 7));
    }

    private static byte[] AfterTwoUpdates(LatentModel model, Recursion recursion, Minibatch rows, double[] theta, int threads)
    {
        var em = new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions()), threads);
        var state = new StepwiseState(model, theta, 1000);
        StreamMemory? memory = model.CreateMemory(rows.Count);
        double[] logDensities = new double[rows.Count];
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        for (int update = 0; update < 2; update++)
        {
            em.Update(state, rows, logDensities, memory);
            foreach (double value in logDensities) writer.Write(value);
        }
        state.Save(writer);
        memory?.Save(writer);
        return stream.ToArray();
    }
}
