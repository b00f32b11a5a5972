using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>Workers that learn one model have to mean the same by its parameters.</summary>
public sealed class SharedConfigurationTests
{
    private const string Yaml = """
        models:
          - id: clouds
            source: { kafka: { brokers: [localhost:9092], topics: [rows] } }
            features: [a, b]
            model: { type: gaussian_mixture, components: 1 }
            learning: { learn: always, dead_components: keep }
            scale_out: { statistics_topic: statistics, model_topic: model }
        """;

    /// <summary>Also of the state that the run began with, which has parameters and no update.</summary>
    [Theory]
    [InlineData("features=[b, a]", "features: [a, b] -> [b, a]")]
    [InlineData("features=[a, c]", "features: [a, b] -> [a, c]")]
    [InlineData("where=a > 0", "where: null -> a > 0")]
    [InlineData("model.components=2", "model.components: 1 -> 2")]
    [InlineData("model.covariance_type=diag", "model.covariance_type: full -> diag")]
    [InlineData("learning.standardize=false", "learning.standardize: true -> false")]
    [InlineData("learning.recursion=parameters", "learning.recursion: statistics -> parameters")]
    public void State_WhoseParametersMeanSomethingElse_IsRefused(string change, string told)
    {
        Checkpoint state = Begun(Options()).Capture(DateTimeOffset.UnixEpoch);
        ModelOptions other = Options(change);

        foreach (Action use in (Action[])[() => Reduction.Restore(other, state), () => Looking(other, new ListLogger()).Look(state)])
        {
            CommandException refusal = Assert.Throws<CommandException>(use);
            Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
            Assert.Contains(told, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("name another model_topic, statistics_topic and group_id", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("state reset", refusal.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>What one worker alone may change at a restart; and where it makes the fold another one, it is known.</summary>
    [Theory]
    [InlineData("learning.step_size.kappa=0.8", "learning.step_size.kappa: 0.7 -> 0.8")]
    [InlineData("scale_out.in_flight=5", "scale_out.in_flight: 2 -> 5")]
    [InlineData("model.reg_covar=1e-5", "model.reg_covar: 1E-06 -> 1E-05")]
    [InlineData("rejected.stop_above_ratio=1", null)]
    [InlineData("learning.initialization.seed=7", null)]
    [InlineData("source.kafka.on_gap=skip", null)]
    public void State_OfAnotherSetting_IsGoneOnWithAndSaysSo(string change, string? told)
    {
        Checkpoint state = Begun(Options()).Capture(DateTimeOffset.UnixEpoch);
        ModelOptions other = Options(change);
        var log = new ListLogger();
        SharedConfiguration looking = Looking(other, log);

        Checkpoint after = Again(Reduction.Restore(other, state));
        looking.Look(state);
        looking.Look(Again(Begun(Options())));

        Assert.Equal(other.ConfigHash, after.ConfigHash);
        Assert.Equal(told, after.History?.Single().Text);
        // Once, for all states of that configuration.
        Assert.Equal(told is null ? [] : ["shared_configuration_differs"], log.Events);
        looking.Look(after);
        Assert.Equal(told is null ? 0 : 1, log.Events.Count);
        looking.Look(state);
        Assert.Equal(told is null ? 0 : 2, log.Events.Count);
    }

    private static SharedConfiguration Looking(ModelOptions options, ListLogger log) => new(options, log);

    private static Checkpoint Again(Reduction reduction) =>
        CheckpointFile.DecodeState(CheckpointFile.Encode(reduction.Capture(DateTimeOffset.UnixEpoch)));

    private static ModelOptions Options(params string[] changes) =>
        Assert.Single(ConfigFile.OptionsOf(Yaml, [.. changes.Select(change => $"models.0.{change}")]).Models);

    private static Reduction Begun(ModelOptions options) => Reduction.Begin(options,
        new Learner(options.Model, options.Schema, options.Learning, new InitialParameters(
            new Dictionary<string, double[]>(StringComparer.Ordinal)
            {
                ["weights"] = [1],
                ["means"] = [5, 5],
                ["covariances"] = [4, 0, 0, 4],
            })),
        next: 0, TimeProvider.System);
}
