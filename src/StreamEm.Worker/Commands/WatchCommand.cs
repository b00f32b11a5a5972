using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Advanced;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Watching;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem watch [URL]</c>: follows a worker in the terminal, or in a pipe a line for each change, until Ctrl-C.</summary>
public static class WatchCommand
{
    private const string DefaultAddress = "http://127.0.0.1:8080", HideCursor = "\e[?25l", ShowCursor = "\e[?25h";

    /// <summary>How often what is shown is looked at.</summary>
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(250);

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var url = new Argument<string>("url")
        { Description = $"The worker's address, {DefaultAddress} by default.", DefaultValueFactory = _ => DefaultAddress };
        var tokenFile = new Option<string?>("--token-file")
        { Description = $"File that holds the worker's token; by default the variable {WorkerFeed.TokenVariable}.", HelpName = "file" };
        Command command = new("watch",
            "Follows a worker until Ctrl-C: its models, versions, records, likelihood, weights and alarms. On a terminal they are drawn "
                + "anew as they change; in a pipe every change is a line. Example: streamem watch http://worker:8080")
        { url, tokenFile };
        command.SetAction(async (parsed, stop) =>
        {
            Uri address = AddressOf(parsed.GetRequiredValue(url));
            using var feed = new WorkerFeed(address, TokenOf(parsed.GetValue(tokenFile)), TimeProvider.System);
            return await FollowAsync(feed, parsed.InvocationConfiguration.Output, TimeProvider.System, stop).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>Shows a worker until it is stopped.</summary>
    internal static async Task<int> FollowAsync(WorkerFeed feed, TextWriter output, TimeProvider time, CancellationToken stop)
    {
        await feed.ConnectAsync(stop).ConfigureAwait(false);
        Task following = feed.FollowAsync(stop);
        if (Terminal.IsTerminal(output) && Terminal.For(output).Profile.Capabilities.Ansi)
            await DrawAsync(feed, output, time, stop).ConfigureAwait(false);
        else await PrintAsync(feed, output, time, stop).ConfigureAwait(false);
        await following.ConfigureAwait(false);
        return ExitCode.Ok;
    }

    /// <summary>
    /// Draws over what was drawn before. When it is stopped the picture is drawn once more, over what Ctrl-C wrote, and the cursor is below
    /// it.
    /// </summary>
    private static async Task DrawAsync(WorkerFeed feed, TextWriter output, TimeProvider time, CancellationToken stop)
    {
        IAnsiConsole console = Terminal.For(output);
        (string Text, int Lines) drawn = ("", 0);
        await output.WriteAsync(HideCursor).ConfigureAwait(false);
        try
        {
            do
            {
                (string Text, int Lines) picture = Picture(feed, console);
                if (picture == drawn) continue;
                await output.WriteAsync($"{Back(drawn.Lines)}{picture.Text}").ConfigureAwait(false);
                drawn = picture;
            }
            while (await NextAsync(time, stop).ConfigureAwait(false));
        }
        finally
        {
            await output.WriteAsync($"{Back(drawn.Lines)}{drawn.Text}\n{ShowCursor}").ConfigureAwait(false);
        }
    }

    /// <summary>To the beginning of what was drawn, all of it cleared.</summary>
    private static string Back(int lines) =>
        lines > 1 ? string.Create(CultureInfo.InvariantCulture, $"\r\e[{lines - 1}A\e[J") : "\r\e[J";

    private static (string Text, int Lines) Picture(WorkerFeed feed, IAnsiConsole console)
    {
        // One column less than there are: a full line would wrap on some terminals; and one row less, for the cursor.
        var view = new WatchView(Math.Max(20, console.Profile.Width - 1), console.Profile.Capabilities.Unicode);
        IReadOnlyList<IReadOnlyList<WatchView.Piece>> lines = [];
        feed.Look((models, _) => lines = view.Lines(feed.Address, feed.Problem, models));
        string[] shown = [.. lines.Take(Math.Max(1, console.Profile.Height - 1)).Select(line =>
        {
            var paragraph = new Paragraph();
            foreach (WatchView.Piece piece in line) paragraph.Append(piece.Text, piece.Style);
            return line.Count == 0 ? "" : console.ToAnsi(paragraph).TrimEnd('\n', '\r');
        })];
        return (string.Join("\r\n", shown), shown.Length);
    }

    private static async Task PrintAsync(WorkerFeed feed, TextWriter output, TimeProvider time, CancellationToken stop)
    {
        string? problem = null;
        do
        {
            string[] lines = [];
            DateTimeOffset now = time.GetUtcNow();
            feed.Look((models, changed) =>
                lines = [.. models.Where(model => changed.Contains(model.Id)).Select(model => WatchView.Line(model, now))]);
            if (feed.Problem != problem)
            {
                problem = feed.Problem;
                string state = problem is null ? "reachable again" : $"not reachable, trying again: {problem}";
                lines = [$"{now.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} {feed.Address} {state}", .. lines];
            }

            foreach (string line in lines) await output.WriteLineAsync(line.AsMemory(), stop).ConfigureAwait(false);
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        while (await NextAsync(time, stop).ConfigureAwait(false));
    }

    private static async Task<bool> NextAsync(TimeProvider time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(Frame, time, stop).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static Uri AddressOf(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) text = $"http://{text}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https")
            || address.Host.Length == 0)
            throw new CommandException(ExitCode.Usage, $"'{text}' is no address; expected a worker's, such as {DefaultAddress}");
        return new Uri(address.GetLeftPart(UriPartial.Authority));
    }

    private static string? TokenOf(string? file)
    {
        if (file is null) return Environment.GetEnvironmentVariable(WorkerFeed.TokenVariable) is { Length: > 0 } token ? token : null;
        try
        {
            return File.ReadAllText(file).TrimEnd('\n', '\r');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"--token-file '{file}' cannot be read: {failure.Message}", failure);
        }
    }
}
