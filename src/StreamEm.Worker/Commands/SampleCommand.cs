using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem sample SNAPSHOT -n N [--seed S]</c>: draws records from a model, as <c>fit</c> and <c>run</c> read them.
/// </summary>
public static class SampleCommand
{
    private const int Chunk = 4096;
    private const string Csv = "csv", Ndjson = "ndjson", Standard = "-", ComponentField = "component_id", ClassField = "class";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("snapshot") { Description = SnapshotFile.Named };
        var count = new Option<long>("-n", "--records") { Description = "How many records.", Required = true, HelpName = "n" };
        var seed = new Option<ulong>("--seed")
        { Description = "Seed of all chance: the same seed draws the same records.", DefaultValueFactory = _ => 1, HelpName = "s" };
        var output = new Option<string?>("-o", "--output")
        { Description = "Where the records go; standard output by default, and for -.", HelpName = "file" };
        var format = new Option<string?>("--format")
        { Description = "csv or ndjson; by default what the name of the output says, else csv.", HelpName = "format" };
        format.AcceptOnlyFromAmong(Csv, Ndjson);
        var length = new Option<int>("--length")
        { Description = "Of sequences: records of each key.", DefaultValueFactory = _ => 100, HelpName = "n" };
        var total = new Option<int>("--total")
        { Description = "Of multinomial counts: what a record adds up to.", DefaultValueFactory = _ => 100, HelpName = "n" };
        var component = new Option<bool>("--with-component")
        { Description = "Adds the id of the component that each record is drawn from, as component_id." };
        Command command = new("sample",
            "Draws records from a snapshot's model, as fit and run read them. Example: streamem sample boiler.json -n 10000 -o drawn.csv")
        { file, count, seed, output, format, length, total, component };
        foreach (Option option in (Option[])[count, length, total]) Require(option);
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            string? to = parsed.GetValue(output) is Standard ? null : parsed.GetValue(output);
            OutputFile.RefuseInputs(to, [path]);
            ModelSnapshot snapshot = SnapshotFile.Read(path);
            if (parsed.GetValue(component) && snapshot.Features.Contains(ComponentField))
                throw new CommandException(ExitCode.Usage,
                    $"--with-component: the model has a feature {ComponentField} itself; leave the option out.");
            Sampler sampler = Begin(path, snapshot, parsed.GetValue(seed), parsed.GetValue(total));
            int sequence = snapshot.Model.Order == RowOrder.Any ? 0 : parsed.GetValue(length);
            using Stream? target = to is null ? null : OutputFile.Create(to);
            TextWriter console = parsed.InvocationConfiguration.Output;
            Write(snapshot, sampler, parsed.GetValue(count), sequence, FormatOf(parsed.GetValue(format), to), parsed.GetValue(component),
                bytes =>
                {
                    if (target is not null) target.Write(bytes);
                    else console.Write(Encoding.UTF8.GetString(bytes));
                });
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(
        ModelSnapshot snapshot, Sampler sampler, long count, int length, RecordFormat format, bool withComponent,
        Action<ReadOnlySpan<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        bool isClassifier = snapshot.Model.ClassesOfComponents.Count > 0;
        string[] fields = [.. isClassifier ? (string[])[ClassFieldOf(snapshot)] : [], .. withComponent ? (string[])[ComponentField] : []];
        using var text = new RecordText(buffer, format, snapshot, fields);
        var beside = new List<string[]>(Chunk);
        Minibatch? rows = null;
        for (long row = 0; row < count; row += rows.Count)
        {
            beside.Clear();
            rows = sampler.Draw((int)Math.Min(Chunk, count - row), length, row, drawn => beside.Add(
            [
                .. isClassifier ? (string[])[snapshot.Labels[drawn] ?? ""] : [],
                .. withComponent ? (string[])[drawn < snapshot.ComponentIds.Count ? snapshot.ComponentIds[drawn] : ""] : [],
            ]));
            text.Write(rows, beside);
            write(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
        }
    }

    /// <summary>The field of a record's class, which is no feature.</summary>
    private static string ClassFieldOf(ModelSnapshot snapshot)
    {
        string field = ClassField;
        while (snapshot.Features.Contains(field)) field = $"drawn_{field}";
        return field;
    }

    private static Sampler Begin(string path, ModelSnapshot snapshot, ulong seed, int total)
    {
        try
        {
            return new Sampler(snapshot, seed, total);
        }
        catch (NotSupportedException failure)
        {
            throw new CommandException(ExitCode.Usage, $"'{path}': {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is ArgumentException or ArithmeticException)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}' cannot be drawn from: {failure.Message}", failure);
        }
    }

    private static RecordFormat FormatOf(string? named, string? path) => named switch
    {
        Csv => RecordFormat.Csv,
        Ndjson => RecordFormat.Ndjson,
        _ => path is not null && DataFiles.FormatSaidBy(path) == RecordFormat.Ndjson ? RecordFormat.Ndjson : RecordFormat.Csv,
    };

    private static void Require(Option option) => option.Validators.Add(result =>
    {
        bool isNumber = long.TryParse(
            result.Tokens.Count == 1 ? result.Tokens[0].Value : "", NumberStyles.Integer, CultureInfo.InvariantCulture, out long value);
        if (isNumber && value < 1)
            result.AddError($"{option.Name} must be at least 1.");
    });
}
