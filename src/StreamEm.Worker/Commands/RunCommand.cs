using System.CommandLine;
using System.Runtime.InteropServices;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Paths;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>
/// The worker: <c>streamem run -c FILE [--once]</c>, <c>run --file PATH [--follow]</c> or <c>run --kafka BROKER/TOPIC</c>.
/// </summary>
public static class RunCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        var detection = new DetectArguments();
        Option<bool> once = new("--once") { Description = "Learn what is there now (files to their end), keep and publish it, and end." };
        Option<bool> acceptsModelChange = AcceptModelChange();
        Option<bool> watch = new("--watch", "-w")
        {
            Description = "Reads the configuration again whenever its files change, as SIGHUP does: models that changed go on with their "
                + "new settings, the others are not touched.",
        };
        Command command = new("run", "Runs the worker: every model of the configuration, until SIGTERM or Ctrl-C.")
        { once, acceptsModelChange, watch };
        configuration.AddTo(command);
        detection.AddTo(command);
        command.SetAction((parsed, stop) => RunAsync(
            Options(parsed, configuration, detection, stop), parsed.GetValue(once), parsed.GetValue(acceptsModelChange),
            Files(parsed, configuration, detection, parsed.GetValue(watch)), parsed, stop));
        return command;
    }

    /// <summary>The files that the configuration is read from; none where it comes of the command line.</summary>
    /// <exception cref="CommandException">There are none, and they are to be watched (64).</exception>
    private static ConfigurationFiles? Files(
        ParseResult parsed, ConfigurationArguments configuration, DetectArguments detection, bool isWatched)
    {
        if (configuration.IsThere(parsed, detection.Given(parsed)))
            return new ConfigurationFiles(() => configuration.Load(parsed), isWatched ? configuration.Files(parsed) : []);
        return !isWatched ? null : throw new CommandException(ExitCode.Usage, "--watch needs a configuration: name it with -c FILE.");
    }

    /// <summary>The configuration; without one, what the options name is watched.</summary>
    private static WorkerOptions Options(
        ParseResult parsed, ConfigurationArguments configuration, DetectArguments detection, CancellationToken stop)
    {
        IReadOnlyList<string> given = detection.Given(parsed);
        if (configuration.IsThere(parsed, given)) return configuration.Load(parsed);
        return given.Count > 0
            ? detection.Propose(parsed, configuration.Overrides(parsed), stop)
            : throw new CommandException(ExitCode.Configuration,
                $"There is no {ConfigurationArguments.DefaultFile} here. Name the configuration with -c FILE, or watch data without one: "
                    + "--file PATH, --kafka BROKER/TOPIC.");
    }

    /// <summary><c>--accept-model-change</c>.</summary>
    public static Option<bool> AcceptModelChange() => new("--accept-model-change")
    {
        Description = "Where the configuration has more or fewer components than the state: splits the widest, merges the closest, and "
            + "goes on with what was learned.",
    };

    private static async Task<int> RunAsync(
        WorkerOptions options, bool once, bool acceptsModelChange, ConfigurationFiles? files, ParseResult parsed, CancellationToken stop)
    {
        if (once && options.Models.FirstOrDefault(model => model.ScaleOut is not null) is { } together)
            throw new CommandException(ExitCode.Usage,
                $"--once: model '{together.Id}' is learned by several workers (scale_out), of which none knows when all is done; run it "
                    + "without --once.");
        LogLevel level = parsed.GetValue(Cli.LogLevelOption);
        InvocationConfiguration invocation = parsed.InvocationConfiguration;
        // Where standard output is for scores, the log is not among them.
        bool printsScores = options.Models.Any(model => model.Scores.Any(entry => entry is StdoutScoreOptions));
        using var logs = printsScores
            ? new LineLoggerProvider(invocation.Error, json: Console.IsErrorRedirected, level, TimeProvider.System)
            : new LineLoggerProvider(invocation.Output, json: Console.IsOutputRedirected, level, TimeProvider.System);
        // Not disposed: the command line hears the same signal and may end the run before our own handler has come to cancel this.
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ILogger log = logs.CreateLogger("worker");
        WorkerHost host = null!;
        host = new WorkerHost(
            options, (model, position) => OpenSource(model, position, once, WrittenFiles.Of(host.Options), log), TimeProvider.System, logs)
        {
            Once = once,
            AcceptsModelChange = acceptsModelChange,
            Read = files?.Read,
            Watched = files?.Watched ?? [],
            Manager = ServiceManager.OfProcess(),
        };
        using IDisposable signals = HearSignals(stopping, host.HangUp);
        return await host.RunAsync(stopping.Token).ConfigureAwait(false);
    }

    private static RecordSource OpenSource(ModelOptions model, SourcePosition position, bool once, OwnFiles own, ILogger log)
    {
        var context = new SourceContext(model.Schema.Read, position, TimeProvider.System)
        {
            Once = once,
            MinibatchSize = model.Learning.MinibatchSize,
            KeepOriginals = model.Rejected.Kafka is not null,
            KeepTraces = WorkerTraces.IsOn,
            Own = own,
            Tell = text => WorkerLog.SourceTold(log, model.Id, text),
        };
        return SourceCatalog.Create(model.Source, context);
    }

    /// <summary>
    /// SIGHUP has the state kept and the configuration read again: a terminal that closes, or a log that is rotated, costs nothing. The
    /// first SIGINT or SIGTERM stops the worker in order, however early it comes (the command line's own handler is set up only once the
    /// worker waits for something); one more ends the process as it is, which costs nothing but a replay.
    /// </summary>
    private static SignalRegistrations HearSignals(CancellationTokenSource stopping, Action hangUp)
    {
        long first = 0;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            long now = TimeProvider.System.GetTimestamp();
            long before = Interlocked.CompareExchange(ref first, now, 0);
            // A supervisor that signals both the process and its group means one stop.
            if (before != 0 && TimeProvider.System.GetElapsedTime(before, now) > TimeSpan.FromSeconds(1))
                Environment.Exit(ExitCode.TryAgain);
            stopping.Cancel();
        }

        return new SignalRegistrations(
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                hangUp();
            }));
    }

    /// <summary>Where the configuration comes from.</summary>
    /// <param name="Read">Reads it.</param>
    /// <param name="Watched">Files whose changes count.</param>
    private sealed record ConfigurationFiles(Func<WorkerOptions> Read, IReadOnlyList<string> Watched);

    private sealed class SignalRegistrations(params PosixSignalRegistration[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        }
    }
}
