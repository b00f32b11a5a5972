using System.CommandLine;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;

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
        Option<bool> acceptsModelChange = RunCommand.AcceptModelChange();
        command.Options.Add(acceptsModelChange);
        command.SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            LoadedConfiguration loaded =
                WithState(configuration.Read(parsed), configuration.Files(parsed)[0], parsed.GetValue(acceptsModelChange));
            foreach (Problem problem in loaded.Problems) output.WriteLine(problem);
            output.WriteLine(ConfigurationArguments.Verdict(loaded, configuration.Files(parsed)));
            if (loaded.Options is null) return ExitCode.Configuration;
            ConfigurationSummary.Write(loaded.Options, output);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>What a run would say of the states that are there, if any are.</summary>
    private static LoadedConfiguration WithState(LoadedConfiguration loaded, string file, bool acceptsModelChange)
    {
        if (loaded.Options is not { } options) return loaded;
        var states = new StateDirectory(options.StateDirectory);
        Problem[] problems = [.. options.Models
            .Select(model => states.NewestOf(model.Id) is { } state ? StateBinding.Of(model, state)?.Refusal(acceptsModelChange) : null)
            .OfType<string>().Select(refusal => new Problem(new Origin(file), Severity.Error, refusal))];
        return problems.Length == 0 ? loaded : new LoadedConfiguration(null, [.. loaded.Problems, .. problems]);
    }
}
