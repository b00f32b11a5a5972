using System.CommandLine;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;

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
        command.SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            LoadedConfiguration loaded = configuration.Read(parsed);
            foreach (Problem problem in loaded.Problems) output.WriteLine(problem);
            output.WriteLine(ConfigurationArguments.Verdict(loaded, configuration.Files(parsed)));
            if (loaded.Options is null) return ExitCode.Configuration;
            ConfigurationSummary.Write(loaded.Options, output);
            return ExitCode.Ok;
        });
        return command;
    }
}
