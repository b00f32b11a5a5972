using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.Commands;

public sealed class ValidateCommandTests
{
    [Fact]
    public async Task GoodFile_Returns0AndTellsTheModelsAndTheDefaultsInForce()
    {
        using var file = new ConfigFile(ConfigFile.Minimal);

        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", file.Path, "-s", "models.boiler.learning.step_size.kappa=0.6");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Empty(run.Error);
        Assert.Equal(
            $"""
            {file.Path}: ok

            worker
              defaults: http.address: 127.0.0.1:8080, http.auth_token: null, state_directory: ./state,
                serve: false

            model boiler (sha256:ee4b)
              features.0: temperature
              features.1: pressure
              model.type: gaussian_mixture
              learning.step_size.kappa: 0.6
              defaults: source.stdin.format: ndjson, source.stdin.separator: null, source.stdin.decimal: null,
                source.stdin.comment: null, source.stdin.skip_lines: 0, feature_keys: 100000, where: null,
                label: null, weight: null, key: null, per_key: false, max_keys: 100000, timestamp: null,
                timestamp_unit: auto, target: null, missing: allow, model.components: 4,
                model.covariance_type: full, model.reg_covar: 1E-06, model.prior: none, model.label_noise: none,
                model.fixed: [], model.quantize: false, learning.recursion: statistics,
                learning.responsibilities: soft, learning.step_size.t0: 1, learning.step_size.floor: 0,
                learning.minibatch.size: 512, learning.minibatch.max_wait: 10s,
                learning.initialization.method: k_means_plus_plus, learning.initialization.buffer: 1536,
                learning.initialization.n_init: 3, learning.initialization.seed: 1,
                learning.initialization.max_wait: 1m, learning.initialization.from: null,
                learning.initialization.from_token: null, learning.standardize: true, learning.learn: bounded,
                learning.learn_above: 0.001, learning.confirm_after: 1000, learning.freeze_after: null,
                learning.dead_components: reseed, learning.drift: null, learning.averaging: none,
                learning.intervals: false, learning.anomaly_half_life: null, calendar: null,
                checkpoint.every_updates: 50, checkpoint.every: 10s, checkpoint.keep: 3, snapshots.keep: 100,
                snapshots.archive_every: 1h, snapshots.archive_keep: 24, alarms: null, candidates: null,
                scale_out: null, feedback: null, rejected.file: null, rejected.kafka: null,
                rejected.stop_above_ratio: 0.05, on_failure: null

            """,
            run.Output
                .Replace(ConfigFile.ModelWith("models.0.learning.step_size.kappa=0.6").ConfigHash, "sha256:ee4b",
                    StringComparison.Ordinal));
    }

    [Fact]
    public async Task BadFile_Returns78AndEveryProblemOnALineOfItsOwn()
    {
        using var file = new ConfigFile(ConfigFile.Minimal
            + "\n    learning: { recursion: parameters, minibatch: { size: 8 }, step_size: { kapa: 0.7, kappa: 2 } }\n");

        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", file.Path);

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        string[] lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.StartsWith($"{file.Path}:6:59: warning: minibatches of m = 8 records are small for K = 4 components", lines[0],
            StringComparison.Ordinal);
        Assert.Equal($"{file.Path}:6:77: error: unknown key 'kapa' in learning.step_size; did you mean 'kappa'?", lines[1]);
        Assert.Equal($"{file.Path}:6:95: error: learning.step_size.kappa is '2'; expected a number, in (0.5, 1]", lines[2]);
        Assert.Equal($"{file.Path}: 2 errors, 1 warning", lines[3]);
    }

    [Fact]
    public async Task Warnings_Return0AndAreCounted()
    {
        using var file = new ConfigFile(ConfigFile.Minimal);

        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", file.Path, "--set", "models.0.learning.minibatch.size=8",
            "--set", "models.0.learning.recursion=parameters");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains($"{file.Path}: ok, 1 warning\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileThatIsNotThere_Returns78()
    {
        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", "no-such.yaml");

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Equal("no-such.yaml: error: no such file; name the configuration with -c FILE\nno-such.yaml: 1 error\n", run.Output);
    }
}
