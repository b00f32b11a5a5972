using System.CommandLine;
using System.Runtime.InteropServices;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Paths;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem run -c FILE [--once]</c>: the worker.</summary>
public static class RunCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        Option<bool> once = new("--once") { Description = "Learn what is there now (files to their end), keep and publish it, and end." };
        Command command = new("run", "Runs the worker: every model of the configuration, until SIGTERM or Ctrl-C.") { once };
        configuration.AddTo(command);
        command.SetAction((parsed, stop) => RunAsync(
            configuration.Load(parsed), parsed.GetValue(once), parsed.GetValue(Cli.LogLevelOption), parsed.InvocationConfiguration.Output,
            stop));
        return command;
    }

    private static async Task<int> RunAsync(WorkerOptions options, bool once, LogLevel level, TextWriter output, CancellationToken stop)
    {
        using var logs = new LineLoggerProvider(output, json: Console.IsOutputRedirected, level, TimeProvider.System);
        // Not disposed: the command line hears the same signal and may end the run before our own handler has come to cancel this.
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using IDisposable signals = StopAtSignal(stopping);
        OwnFiles own = WrittenFiles.Of(options);
        ILogger log = logs.CreateLogger("worker");
        var host = new WorkerHost(
            options, (model, position) => OpenSource(model, position, once, own, log), TimeProvider.System, logs) { Once = once };
        return await host.RunAsync(stopping.Token).ConfigureAwait(false);
    }

    private static RecordSource OpenSource(ModelOptions model, SourcePosition position, bool once, OwnFiles own, ILogger log)
    {
        var context = new SourceContext(model.Schema, position, TimeProvider.System)
        {
            Once = once,
            MinibatchSize = model.Learning.MinibatchSize,
            KeepOriginals = model.Rejected.Kafka is not null,
            Own = own,
            Tell = text => WorkerLog.SourceTold(log, model.Id, text),
        };
        return SourceCatalog.Create(model.Source, context);
    }

    /// <summary>The first SIGINT or SIGTERM stops the worker in order, however early it comes (the command line's own handler is set up
    /// only once the worker waits for something); one more ends the process as it is, which costs nothing but a replay.</summary>
    private static SignalRegistrations StopAtSignal(CancellationTokenSource stopping)
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
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
    }

    private sealed class SignalRegistrations(params PosixSignalRegistration[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        }
    }
}
