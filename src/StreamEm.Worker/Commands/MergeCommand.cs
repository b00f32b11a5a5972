using System.CommandLine;
using System.Globalization;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Merging;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem merge A B ... -o C</c>: one state of what workers learned apart from the same start, as if one worker had met all their
/// records.
/// </summary>
public static class MergeCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var states = new Argument<string[]>("states")
        {
            Description = "Checkpoints (.sem), or folders of a state directory whose newest checkpoint is taken; at least two.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("-o", "--output")
        {
            Description = "The file to write: a checkpoint; or, where its name ends in .json or .ndjson, its snapshot.",
            HelpName = "file",
            Required = true,
        };
        var id = new Option<string?>("--id") { Description = "The id of the merged model; default: that of the first state." };
        Command command = new("merge",
            "Adds up what workers learned apart that began at the same parameters (learning.initialization.from) with the same "
                + "configuration: the state that one worker would have that had met all their records.")
        { states, output, id };
        command.SetAction(parsed =>
        {
            string[] names = parsed.GetRequiredValue(states);
            string target = parsed.GetRequiredValue(output);
            if (names.Length < 2) throw new CommandException(ExitCode.Usage, $"merge: expected at least two states, found {names.Length}.");
            if (parsed.GetValue(id) is { } given && !StateDirectory.IsId(given))
                throw new CommandException(ExitCode.Usage,
                    $"--id {given}: expected a-z, 0-9, '.', '_' and '-', at most 64, starting with a letter or digit");
            NamedCheckpoint[] parts = [.. names.Select(name => new NamedCheckpoint(name, Read(name)))];
            OutputFile.RefuseInputs(target, names);
            MergedCheckpoint merged = CheckpointMerge.Of(parts, parsed.GetValue(id), TimeProvider.System);
            Write(merged.Checkpoint, target);
            Tell(parts, merged, target, parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    private static void Tell(NamedCheckpoint[] parts, MergedCheckpoint merged, string target, TextWriter output)
    {
        foreach ((string name, Checkpoint part) in parts)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name}: model {part.ModelId}, {CheckpointMerge.Described(part)}, {part.Records} records"));
        Checkpoint made = merged.Checkpoint;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target}: model {made.ModelId}, {CheckpointMerge.Described(made)}, {made.Records} records"));
        if (merged.ForgetsKeys)
            output.WriteLine("What is remembered of keys stays with the workers: in the merged state each begins anew.");
        if (merged.Unplaced.Count > 0)
            output.WriteLine(
                $"The states stood at different places in {string.Join(", ", merged.Unplaced)}, the merged one stands at none: a "
                + "worker that goes on from it would read them from their start. Begin a new run from its snapshot instead "
                + "(learning.initialization.from).");
    }

    private static void Write(Checkpoint merged, string target)
    {
        bool isSnapshot = Path.GetExtension(target) is ".json" or ".ndjson";
        using Stream file = OutputFile.Create(target);
        file.Write(isSnapshot ? merged.Latest!.Json.Span : CheckpointFile.Encode(merged));
        if (isSnapshot) file.WriteByte((byte)'\n');
    }

    private static Checkpoint Read(string name)
    {
        if (Directory.Exists(name)) return NewestIn(name);
        byte[] bytes = SnapshotFile.ReadBytes(name);
        if (!CheckpointFile.IsCheckpoint(bytes))
            throw new CommandException(ExitCode.DataCorrupt,
                $"'{name}' is no checkpoint. A snapshot holds parameters, not the statistics that are added up: merge the checkpoints "
                    + "(.sem) in the workers' state directories.");
        try
        {
            return CheckpointFile.Decode(bytes);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{name}': {failure.Message}", failure);
        }
    }

    /// <summary>The newest checkpoint of a model's folder, or of a state directory of one model.</summary>
    private static Checkpoint NewestIn(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var parent = new StateDirectory(Path.GetDirectoryName(full) ?? full);
        if (parent.Models.Contains(Path.GetFileName(full)) && parent.NewestOf(Path.GetFileName(full)) is { } own) return own;
        var directory = new StateDirectory(full);
        return directory.Models switch
        {
            [var only] when directory.NewestOf(only) is { } newest => newest,
            { Count: > 1 } models => throw new CommandException(
                ExitCode.Usage, $"'{folder}' holds the models {string.Join(", ", models)}; name one: {Path.Combine(folder, models[0])}"),
            _ => throw new CommandException(ExitCode.InputMissing, $"'{folder}' holds no checkpoint that can be used."),
        };
    }
}
