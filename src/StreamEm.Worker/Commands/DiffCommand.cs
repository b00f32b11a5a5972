using System.CommandLine;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem diff A B</c>: how far two snapshots are apart, and what moved.</summary>
public static class DiffCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var first = new Argument<string>("a") { Description = SnapshotFile.Named };
        var second = new Argument<string>("b") { Description = "Another one of the same type over the same features." };
        var draws = new Option<int>("--draws")
        {
            Description = "Records drawn from either model to estimate their divergence.",
            DefaultValueFactory = _ => 20_000,
            HelpName = "n",
        };
        var seed = new Option<ulong>("--seed") { Description = "Seed of the draws.", DefaultValueFactory = _ => 1, HelpName = "s" };
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        Command command = new("diff",
            "Compares two snapshots: the Kullback-Leibler divergence of the models and of each component, and what moved. "
                + "Example: streamem diff monday.json friday.json")
        { first, second, draws, seed, json };
        draws.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 2) result.AddError("--draws must be at least 2.");
        });
        command.SetAction(parsed =>
        {
            ModelSnapshot a = SnapshotFile.Read(parsed.GetRequiredValue(first)), b = SnapshotFile.Read(parsed.GetRequiredValue(second));
            SnapshotDifference difference;
            try
            {
                difference = SnapshotDifference.Of(a, b, parsed.GetValue(draws), parsed.GetValue(seed));
            }
            catch (Exception failure) when (failure is ArgumentException or ArithmeticException)
            {
                throw new CommandException(ExitCode.DataCorrupt,
                    $"'{parsed.GetValue(first)}' and '{parsed.GetValue(second)}' cannot be compared: {failure.Message}.", failure);
            }

            TextWriter output = parsed.InvocationConfiguration.Output;
            var table = new DifferenceTable(a, b, difference, parsed.GetValue(draws));
            if (parsed.GetValue(json)) output.WriteLine(table.Json());
            else table.Write(output);
            return ExitCode.Ok;
        });
        return command;
    }
}
