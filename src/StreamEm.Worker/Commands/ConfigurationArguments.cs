using System.CommandLine;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>The options <c>-c</c> and <c>-s</c> of a verb that needs a configuration. One instance belongs to one verb.</summary>
public sealed class ConfigurationArguments
{
    /// <summary>Read when <c>-c</c> is not given.</summary>
    public const string DefaultFile = "streamem.yaml";

    private readonly Option<string[]> _files = new("--config", "-c")
    {
        Description = "Configuration file (YAML). May be given again: models of all files are joined.",
        DefaultValueFactory = _ => [DefaultFile],
        HelpName = "file",
    };

    private readonly Option<string[]> _overrides = new("--set", "-s")
    {
        Description = "Sets a value: models.0.model.components=5, models.boiler.learning.step_size.kappa=0.6. May be given again.",
        DefaultValueFactory = _ => [],
        HelpName = "path=value",
    };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_files);
        command.Options.Add(_overrides);
    }

    /// <summary>The files named, or the default one.</summary>
    public IReadOnlyList<string> Files(ParseResult parsed) => parsed.GetValue(_files) ?? [];

    /// <summary>Reads the configuration, whatever is wrong with it.</summary>
    public LoadedConfiguration Read(ParseResult parsed) => Read(parsed, []);

    private LoadedConfiguration Read(ParseResult parsed, IReadOnlyList<string> more) =>
        ConfigurationLoader.Load([.. Files(parsed), .. more], parsed.GetValue(_overrides) ?? []);

    /// <summary>The configuration; warnings go to stderr.</summary>
    /// <exception cref="CommandException">It has errors (78); the message holds all of them.</exception>
    public WorkerOptions Load(ParseResult parsed) => Load(parsed, []);

    /// <summary>The same, with further files; warnings go to stderr.</summary>
    /// <exception cref="CommandException">It has errors (78); the message holds all of them.</exception>
    public WorkerOptions Load(ParseResult parsed, IReadOnlyList<string> more)
    {
        LoadedConfiguration loaded = Read(parsed, more);
        WorkerOptions options = OptionsOf(loaded, [.. Files(parsed), .. more]);
        foreach (Problem problem in loaded.Problems) parsed.InvocationConfiguration.Error.WriteLine(PrintableText.Of(problem.ToString()));
        return options;
    }

    /// <summary>The configuration of files, without its warnings.</summary>
    /// <exception cref="CommandException">It has errors (78); the message holds all of them.</exception>
    public static WorkerOptions Load(IReadOnlyList<string> files) => OptionsOf(ConfigurationLoader.Load(files, []), files);

    private static WorkerOptions OptionsOf(LoadedConfiguration loaded, IReadOnlyList<string> files) => loaded.Options
        ?? throw new CommandException(ExitCode.Configuration,
            string.Join('\n', [.. loaded.Problems.Select(problem => problem.ToString()), Verdict(loaded, files)]));

    /// <summary>The values given with <c>-s</c>.</summary>
    public IReadOnlyList<string> Overrides(ParseResult parsed) => parsed.GetValue(_overrides) ?? [];

    /// <summary>Whether a verb that can do without has a configuration: it was named, or the default file is there and no other model was
    /// said.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="own">Options that say a model by themselves, where any was given.</param>
    /// <exception cref="CommandException">A configuration was named, and such options (64).</exception>
    public bool IsThere(ParseResult parsed, IReadOnlyList<string> own)
    {
        bool isNamed = parsed.GetResult(_files) is { Implicit: false };
        if (isNamed && own.Count > 0)
            throw new CommandException(ExitCode.Usage,
                $"{string.Join(", ", own)}: for a model without a configuration. With -c, set the value by its path: "
                    + "-s models.ID.model.components=5.");
        return isNamed || (own.Count == 0 && File.Exists(DefaultFile));
    }

    /// <summary>One line: <c>streamem.yaml: 2 errors, 1 warning</c>.</summary>
    public static string Verdict(LoadedConfiguration loaded, IReadOnlyList<string> files)
    {
        string counts = (loaded.Errors, loaded.Warnings) switch
        {
            (0, 0) => "ok",
            (0, var warnings) => $"ok, {Count(warnings, "warning")}",
            (var errors, 0) => Count(errors, "error"),
            (var errors, var warnings) => $"{Count(errors, "error")}, {Count(warnings, "warning")}",
        };
        return $"{string.Join(", ", files)}: {counts}";
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
