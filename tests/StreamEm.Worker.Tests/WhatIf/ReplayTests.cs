using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;
using StreamEm.Worker.WhatIf;

namespace StreamEm.Worker.Tests.WhatIf;

/// <summary>What a replay under another configuration says.</summary>
public sealed class ReplayTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private ModelOptions Model => Pipelines.Model(_directory) with { Alarms = new AlarmOptions { Threshold = 0.01, Rest = 0 } };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Replay_OfTheSameConfiguration_IsTheSameTwice()
    {
        ReplayOutcome first = Run(new WhatIfChanges { Kappa = 0.7 }), again = Run(new WhatIfChanges { Kappa = 0.7 });

        Assert.Equal((first.Updates, first.Records, first.MeanLogLikelihood), (again.Updates, again.Records, again.MeanLogLikelihood));
        Assert.Equal(first.Curve.MeanLogLikelihood, again.Curve.MeanLogLikelihood);
        Assert.Equal(first.Alarms!.First, again.Alarms!.First);
        Assert.Equal(2000 - 96, first.Records);
        Assert.Equal(2000, first.Curve.Records[^1]);
    }

    [Fact]
    public void Replay_OfOneComponent_PredictsTwoCloudsWorse()
    {
        Assert.True(Run(new WhatIfChanges { Components = 1 }).MeanLogLikelihood + 0.5 < Run(new WhatIfChanges()).MeanLogLikelihood);
    }

    [Fact]
    public void Replay_OfAnotherThreshold_RaisesOtherAlarms()
    {
        long asItIs = Run(new WhatIfChanges()).Alarms!.Raised, more = Run(new WhatIfChanges { AlarmThreshold = 0.1 }).Alarms!.Raised;

        Assert.InRange(asItIs, 1, 60);
        Assert.InRange(more, 100, 400);
    }

    [Fact]
    public void Replay_OfSomeFeatures_IsThatOfRecordsWithoutTheOthers()
    {
        ModelOptions narrow = Model with { Schema = new RecordSchema { Features = ["y"] } };
        var only = new Minibatch(1, 2000);
        foreach (double[]? row in Pipelines.Clouds(2000)) only.Add([row![1]]);

        ReplayOutcome chosen = Run(new WhatIfChanges { Features = ["y"] }),
            alone = Replay.Run(narrow, [only], narrow.Schema.Read, TimeProvider.System, CancellationToken.None);

        Assert.Equal(alone.MeanLogLikelihood, chosen.MeanLogLikelihood);
    }

    [Fact]
    public void Replay_ThatIsStopped_EndsSoon() => Assert.Throws<OperationCanceledException>(
        () => Replay.Run(Model, Records(), Model.Schema.Read, TimeProvider.System, new CancellationToken(canceled: true)));

    [Theory]
    [InlineData(0.5, null, null, "'kappa' cannot be used; expected a number in (0.5, 1].")]
    [InlineData(null, 0, null, "'components' cannot be used; expected a whole number from 1 to 1000.")]
    [InlineData(null, null, "z", "'features' cannot be used; expected some of x, y, each once.")]
    public void Changes_ThatCannotBe_SayWhatCan(double? kappa, int? components, string? feature, string problem)
    {
        var changes = new WhatIfChanges { Kappa = kappa, Components = components, Features = feature is null ? null : [feature] };

        Assert.Equal(problem, Assert.Throws<CommandException>(() => changes.Apply(Model)).Message);
    }

    [Fact]
    public void Changes_Written_AreAConfigurationOfThem()
    {
        var changes = new WhatIfChanges
        {
            Kappa = 0.6, Components = 4, Features = ["y"], AlarmThreshold = 0.001, FalseDiscoveryRate = 0.1,
        };

        Assert.Equal(
            """
            models:
              - id: clouds
                features: ["y"]
                model:
                  components: 4
                learning:
                  step_size:
                    kappa: 0.6
                alarms:
                  threshold: 0.001
                  false_discovery_rate: 0.1

            """, changes.Yaml(Model));
        Assert.Equal(
            ["models.clouds.features=[\"y\"]", "models.clouds.model.components=4", "models.clouds.learning.step_size.kappa=0.6",
                "models.clouds.alarms.threshold=0.001", "models.clouds.alarms.false_discovery_rate=0.1"],
            changes.Settings(Model));
    }

    private ReplayOutcome Run(WhatIfChanges changes) =>
        Replay.Run(changes.Apply(Model), Records(), Model.Schema.Read, TimeProvider.System, CancellationToken.None);

    private static IReadOnlyList<Minibatch> Records()
    {
        var rows = new Minibatch(2, 2000);
        foreach (double[]? row in Pipelines.Clouds(2000)) rows.Add(row!);
        return [rows];
    }
}
