using System.CommandLine;
using System.Text.Json;
using StreamEm.Worker.Api;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem healthcheck</c>: asks the worker on this machine whether it is alive; for containers without a shell.</summary>
public static class HealthcheckCommand
{
    /// <summary>How long the worker may take to answer.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private const string Path = "/livez", ReadyPath = "/readyz";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        Option<string?> url = new("--url") { Description = $"What to ask instead of {Path} at the configured address.", HelpName = "url" };
        Command command = new("healthcheck",
            $"Asks the worker whether it is alive: exit code {ExitCode.Ok} if it answers within {Deadline.TotalSeconds:0} s, else "
                + $"{ExitCode.Unhealthy}.") { url };
        configuration.AddTo(command);
        command.SetAction(
            (parsed, cancellationToken) => AskAsync(Target(parsed, url, configuration), parsed.InvocationConfiguration, cancellationToken));
        return command;
    }

    private static Uri Target(ParseResult parsed, Option<string?> url, ConfigurationArguments configuration)
    {
        if (parsed.GetValue(url) is not { } text)
        {
            bool isConfigured = configuration.Files(parsed) is not [ConfigurationArguments.DefaultFile]
                || File.Exists(ConfigurationArguments.DefaultFile);
            HttpOptions http = isConfigured ? configuration.Load(parsed).Http : new HttpOptions();
            return new Uri(AddressKind.ClientUri(http.Address), Path);
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? target) || target.Scheme is not ("http" or "https"))
            throw new CommandException(ExitCode.Usage, $"--url is '{text}'; expected an http address such as http://127.0.0.1:8080{Path}");
        return target.AbsolutePath == "/" ? new Uri(target, Path) : target;
    }

    private static async Task<int> AskAsync(Uri target, InvocationConfiguration invocation, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Deadline };
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(target, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            if (answer.IsSuccessStatusCode)
            {
                string state = await IsFinishedAsync(client, target, cancellationToken).ConfigureAwait(false) ? "finished" : "alive";
                await invocation.Output.WriteLineAsync($"{state}: {target}").ConfigureAwait(false);
                return ExitCode.Ok;
            }

            await invocation.Error.WriteLineAsync($"not alive: {target} answered {(int)answer.StatusCode}").ConfigureAwait(false);
        }
        catch (HttpRequestException failure)
        {
            await invocation.Error.WriteLineAsync(PrintableText.Of($"not alive: {target}: {failure.Message}")).ConfigureAwait(false);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await invocation.Error.WriteLineAsync($"not alive: {target} did not answer within {Deadline.TotalSeconds:0} s")
                .ConfigureAwait(false);
        }

        return ExitCode.Unhealthy;
    }

    /// <summary>Whether the worker says that every source has ended and all of it is learned.</summary>
    private static async Task<bool> IsFinishedAsync(HttpClient client, Uri target, CancellationToken cancellationToken)
    {
        try
        {
            using Stream answer = await client.GetStreamAsync(new Uri(target, ReadyPath), cancellationToken).ConfigureAwait(false);
            using JsonDocument json = await JsonDocument.ParseAsync(answer, default, cancellationToken).ConfigureAwait(false);
            return json.RootElement.TryGetProperty("status", out JsonElement status) && status.ValueEquals("finished");
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or InvalidOperationException
            || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It lives; what more it would say is not known.
            return false;
        }
    }
}
