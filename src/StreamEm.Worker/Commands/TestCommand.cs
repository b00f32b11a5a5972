using System.CommandLine;
using System.Globalization;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Testing;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem test [FILE...] -c FILE</c>: records in, scores, alarms and rejections out, as the configuration expects them.
/// </summary>
public static class TestCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("tests")
        { Description = "Files of further 'tests', beside those of the configuration.", Arity = ArgumentArity.ZeroOrMore };
        var name = new Option<string?>("--name") { Description = "Only tests whose name has this in it.", HelpName = "part" };
        var configuration = new ConfigurationArguments();
        Command command = new("test",
            $"Runs the tests of a configuration: records in, scores, alarms and rejections out. Exit code {ExitCode.Ok} if all pass, else "
                + $"{ExitCode.TestsFailed}. Example: streamem test -c streamem.yaml") { files, name };
        configuration.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            configuration.Load(parsed, parsed.GetValue(files) ?? []), parsed.GetValue(name), parsed.InvocationConfiguration.Output,
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(WorkerOptions options, string? part, TextWriter output, CancellationToken cancellationToken)
    {
        TestOptions[] chosen =
            [.. options.Tests.Where(test => part is null || test.Name.Contains(part, StringComparison.OrdinalIgnoreCase))];
        if (chosen.Length == 0)
            throw new CommandException(ExitCode.Usage, options.Tests.Count == 0
                ? "The configuration has no tests. Write some under 'tests': a name, records, and what is expected of each."
                : $"No test has '{part}' in its name; there are {string.Join(", ", options.Tests.Select(test => $"'{test.Name}'"))}.");
        int failed = 0;
        foreach (TestOptions test in chosen)
        {
            (int records, IReadOnlyList<string> differences) = await ResultOf(test).ConfigureAwait(false);
            string count = string.Create(CultureInfo.InvariantCulture, $"{records} {(records == 1 ? "record" : "records")}");
            await output.WriteLineAsync(PrintableText.Of(
                differences.Count == 0 ? $"ok      {test.Name} ({count})" : $"FAILED  {test.Name}"))
                .ConfigureAwait(false);
            foreach (string difference in differences)
                await output.WriteLineAsync(PrintableText.Of($"        {difference}")).ConfigureAwait(false);
            if (differences.Count > 0) failed++;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{chosen.Length - failed} passed, {failed} failed"))
            .ConfigureAwait(false);
        return failed == 0 ? ExitCode.Ok : ExitCode.TestsFailed;

        async Task<(int Records, IReadOnlyList<string> Differences)> ResultOf(TestOptions test)
        {
            try
            {
                using var run = new TestRun(test, options.Models, TimeProvider.System);
                return await run.RunAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (CommandException failure)
            {
                // What one test lacks keeps no other from being run.
                return (0, [failure.Message]);
            }
        }
    }
}
