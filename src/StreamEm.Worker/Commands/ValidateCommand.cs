using System.CommandLine;
using System.Diagnostics;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rehearsals;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem validate -c FILE</c>: every problem of a configuration, or what it says with all defaults in place.</summary>
public static class ValidateCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        Command command =
            new("validate", "Checks a configuration and reports everything wrong with it at once (exit code 78 if there are errors).");
        configuration.AddTo(command);
        var connects = new Option<bool>("--connect")
        {
            Description =
            "Tries what is outside too: reads first records, asks brokers for topics, knocks at webhooks; nothing is changed."
        };
        var data = new Option<string[]>("--data")
        {
            Description =
                "Runs the worker for some seconds on these files, or on the models' own, and says what it takes: time to the first "
                + "version, memory, disk.",
            HelpName = "files",
            Arity = ArgumentArity.ZeroOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        command.Options.Add(connects);
        command.Options.Add(data);
        Option<bool> acceptsModelChange = RunCommand.AcceptModelChange();
        command.Options.Add(acceptsModelChange);
        command.SetAction(async (parsed, stop) =>
        {
            using var process = Process.GetCurrentProcess();
            TimeSpan startUp = TimeProvider.System.GetUtcNow() - new DateTimeOffset(process.StartTime);
            TextWriter output = parsed.InvocationConfiguration.Output;
            LoadedConfiguration loaded =
                WithState(configuration.Read(parsed), configuration.Files(parsed)[0], parsed.GetValue(acceptsModelChange));
            using var text = new StringWriter { NewLine = output.NewLine };
            foreach (Problem problem in loaded.Problems) text.WriteLine(problem);
            text.WriteLine(ConfigurationArguments.Verdict(loaded, configuration.Files(parsed)));
            if (loaded.Options is not null) ConfigurationSummary.Write(loaded.Options, text);
            output.Write(PrintableText.Of(text.ToString()));
            if (loaded.Options is not { } options) return ExitCode.Configuration;
            int code = parsed.GetValue(connects)
                ? await RehearsalText.ConnectAsync(options, output, stop).ConfigureAwait(false)
                : ExitCode.Ok;
            if (code != ExitCode.Ok || parsed.GetResult(data) is not { Implicit: false }) return code;
            return await RehearsalText.RehearseAsync(options, parsed.GetValue(data) ?? [], startUp, output, stop).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>What a run would say of the states that are there, if any are.</summary>
    private static LoadedConfiguration WithState(LoadedConfiguration loaded, string file, bool acceptsModelChange)
    {
        if (loaded.Options is not { } options) return loaded;
        var states = new StateDirectory(options.StateDirectory);
        var problems = new List<Problem>();
        foreach (ModelOptions model in options.Models)
        {
            if (states.NewestOf(model.Id) is not { } state) continue;
            ModelOptions kept = KeptRecursion.Of(model, state);
            if (kept != model)
                problems.Add(new Problem(new Origin(file), Severity.Warning,
                    $"model '{model.Id}' goes on with recursion: parameters, which its state was learned with; recursion: statistics, the "
                        + "default since, has no bias of small minibatches. Write either to choose"));
            if (StateBinding.RefusalOf(model, states, acceptsModelChange) is { } refusal)
                problems.Add(new Problem(new Origin(file), Severity.Error, refusal));
        }

        bool isRefused = problems.Exists(problem => problem.Severity == Severity.Error);
        return problems.Count == 0 ? loaded : new LoadedConfiguration(isRefused ? null : options, [.. loaded.Problems, .. problems]);
    }
}
