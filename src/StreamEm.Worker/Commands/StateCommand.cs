using System.CommandLine;
using System.Globalization;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem state ls | inspect MODEL | reset MODEL | rename A B | rollback MODEL VERSION</c>: what the state directory holds, and
/// changes to it while no worker runs. What changes something asks first, or is told <c>--yes</c>.
/// </summary>
public static class StateCommand
{
    private const string InUse = "A worker that uses the directory must be stopped first.";

    /// <summary>The verb.</summary>
    public static Command Create() =>
        new("state", "Shows what is kept in the state directory, and changes it while no worker runs.")
        {
            List(), Inspect(), Reset(), Rename(), Rollback(),
        };

    private static Command List()
    {
        var place = new Place();
        return place.Verb("ls", "Lists the models that have a state: version, records, checkpoints, run.", (parsed, directory) =>
        {
            StateTable.Write(directory, parsed.InvocationConfiguration.Output);
            return ExitCode.Ok;
        });
    }

    private static Command Inspect()
    {
        var place = new Place();
        Argument<string> model = ModelArgument("model", "The model's id.");
        return place.Verb("inspect", "Shows a model's newest checkpoint: parameters, positions, configuration and history.",
            (parsed, directory) =>
            {
                string id = Existing(directory, parsed.GetRequiredValue(model));
                TextWriter output = parsed.InvocationConfiguration.Output;
                IReadOnlyList<KeptCheckpoint> kept = directory.CheckpointsOf(id);
                KeptCheckpoint newest = kept.FirstOrDefault(one => one.Checkpoint is not null) ?? throw new CommandException(
                    ExitCode.DataCorrupt, $"None of the {kept.Count} checkpoints of model '{id}' can be used: {kept[0].Damage}");
                CheckpointText.Write(newest.Checkpoint!, newest.Bytes, output);
                output.WriteLine();
                CheckpointText.WriteOrigin(newest.Checkpoint!, kept, output);
                return ExitCode.Ok;
            }, model);
    }

    private static Command Reset()
    {
        var place = new Place { Changes = true };
        Argument<string> model = ModelArgument("model", "The model's id.");
        return place.Verb("reset",
            $"Forgets what a model has learned: the next start begins at the start of its source. Rejected records are left. {InUse}",
            (parsed, directory) =>
            {
                string id = Existing(directory, parsed.GetRequiredValue(model));
                place.Confirm(parsed, $"Forget model '{id}', {Standing(directory, id)}", id);
                StateChange.Reset(directory, id);
                parsed.InvocationConfiguration.Output.WriteLine($"Model '{id}' is forgotten; the next start begins a new run.");
                return ExitCode.Ok;
            }, model);
    }

    private static Command Rename()
    {
        var place = new Place { Changes = true };
        Argument<string> from = ModelArgument("from", "The model's id."), to = ModelArgument("to", "Its new id.");
        return place.Verb("rename", $"Gives a model's state another id, under which the configuration goes on with it. {InUse}",
            (parsed, directory) =>
            {
                string id = Existing(directory, parsed.GetRequiredValue(from)), name = parsed.GetRequiredValue(to);
                if (!StateDirectory.IsId(name))
                    throw new CommandException(ExitCode.Usage,
                        $"'{name}' is no id; expected a-z, 0-9, '.', '_' and '-', at most 64, starting with a letter or digit.");
                place.Confirm(parsed, $"Rename model '{id}', {Standing(directory, id)}, to '{name}'", id);
                StateChange.Rename(directory, id, name, TimeProvider.System);
                parsed.InvocationConfiguration.Output.WriteLine($"Model '{id}' is '{name}' now; set its id in the configuration.");
                return ExitCode.Ok;
            }, from, to);
    }

    private static Command Rollback()
    {
        var place = new Place { Changes = true };
        Argument<string> model = ModelArgument("model", "The model's id.");
        var version = new Argument<long>("version") { Description = "The version to go back to, of a checkpoint that is kept." };
        var keepPosition = new Option<bool>("--keep-position")
        {
            Description = "Goes on reading where the model is now: what was learned after that version is not learned again.",
        };
        Command command = place.Verb("rollback",
            $"Goes back to an earlier version, and learns again what came after it. The versions from there on are of a new run. {InUse}",
            (parsed, directory) =>
            {
                string id = Existing(directory, parsed.GetRequiredValue(model));
                long wanted = parsed.GetRequiredValue(version);
                string position = parsed.GetValue(keepPosition) ? "kept" : "rolled back too";
                place.Confirm(parsed, string.Create(CultureInfo.InvariantCulture,
                    $"Go back to version {wanted} of model '{id}', {Standing(directory, id)}, the place in its source {position}"), id);
                StateChange.Rollback(directory, id, wanted, parsed.GetValue(keepPosition), TimeProvider.System);
                parsed.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"Model '{id}' is at version {wanted} again; what comes after it is of a new run."));
                return ExitCode.Ok;
            }, model, version);
        command.Options.Add(keepPosition);
        return command;
    }

    private static Argument<string> ModelArgument(string name, string description) => new(name) { Description = description };

    private static string Existing(StateDirectory directory, string id)
    {
        IReadOnlyList<string> known = directory.Models;
        if (StateDirectory.IsId(id) && known.Contains(id)) return id;
        string there = known.Count == 0 ? "it holds none" : $"it holds {string.Join(", ", known)}";
        throw new CommandException(ExitCode.InputMissing, $"The state directory '{directory.Path}' holds no model '{id}'; {there}.");
    }

    private static string Standing(StateDirectory directory, string id) => directory.NewestOf(id) is { } newest
        ? string.Create(CultureInfo.InvariantCulture, $"at version {newest.Updates} after {newest.Records} records")
        : "whose checkpoints are damaged";

    /// <summary>Which directory a verb is about, and whether it may be changed.</summary>
    private sealed class Place
    {
        private readonly ConfigurationArguments _configuration = new();

        private readonly Option<string?> _directory = new("--state-directory", "-d")
        { Description = "The state directory, instead of the configuration's.", HelpName = "directory" };

        private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Does it without asking, for scripts." };

        /// <summary>Whether the verb changes something: it then holds the lock.</summary>
        public bool Changes { get; init; }

        public Command Verb(
            string name, string description, Func<ParseResult, StateDirectory, int> action, params IReadOnlyList<Argument> arguments)
        {
            var command = new Command(name, description);
            foreach (Argument argument in arguments) command.Arguments.Add(argument);
            command.Options.Add(_directory);
            if (Changes) command.Options.Add(_yes);
            _configuration.AddTo(command);
            command.SetAction(parsed =>
            {
                string path = parsed.GetValue(_directory) ?? _configuration.Load(parsed).StateDirectory;
                if (!Directory.Exists(path))
                    throw new CommandException(
                        ExitCode.InputMissing, $"There is no state directory '{path}'; nothing has been learned there.");
                using StateLock? held = Changes ? StateLock.Acquire(path) : null;
                return action(parsed, new StateDirectory(path));
            });
            return command;
        }

        /// <summary>Asks on a terminal; elsewhere the answer must have been given.</summary>
        public void Confirm(ParseResult parsed, string what, string answer)
        {
            if (parsed.GetValue(_yes)) return;
            TextWriter console = parsed.InvocationConfiguration.Error;
            if (Console.IsInputRedirected || !Terminal.IsTerminal(console))
                throw new CommandException(ExitCode.Usage, $"{what}? Add --yes to do it: there is no terminal to ask on.");
            console.Write($"{what}? Type {answer} to do it: ");
            if (Console.ReadLine()?.Trim() != answer) throw new CommandException(ExitCode.Usage, "Nothing was changed.");
        }
    }
}
