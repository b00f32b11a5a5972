using System.CommandLine;
using StreamEm.Core.Settings;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Commands;

/// <summary>What a verb is told of a cluster beside its address: <c>-p name=value</c> and <c>--timeout</c>. One instance belongs to one
/// verb.</summary>
internal sealed class KafkaArguments
{
    private const string FileSuffix = "_file";

    private readonly Option<string[]> _properties = new("-p", "--property")
    {
        Description =
            "A setting of the Kafka client: security.protocol=SASL_SSL; sasl.password_file=path reads it from a file. May be given "
                + "again.",
        DefaultValueFactory = _ => [],
        HelpName = "name=value",
    };

    private readonly Option<string> _timeout = new("--timeout")
    { Description = "How long the brokers may be out of reach.", DefaultValueFactory = _ => "30s", HelpName = "duration" };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_properties);
        command.Options.Add(_timeout);
    }

    /// <summary>Settings of the client as they were given: <c>name</c> with its value, <c>name_file</c> with a path.</summary>
    /// <exception cref="CommandException">One is not written as it should be (64).</exception>
    public IReadOnlyDictionary<string, string> Given(ParseResult parsed)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in parsed.GetValue(_properties) ?? [])
        {
            string[] parts = text.Split('=', 2);
            if (parts.Length != 2 || parts[0].Length == 0)
                throw new CommandException(ExitCode.Usage, $"--property {text}: expected name=value, or name_file=path for a secret");
            properties[parts[0]] = parts[1];
        }

        return properties;
    }

    /// <summary>How the cluster is reached: the settings, those in files read from them, and the patience.</summary>
    /// <exception cref="CommandException">One is not written as it should be (64), or a file cannot be read (66).</exception>
    public KafkaAccess Access(ParseResult parsed) => new(
        Given(parsed).ToDictionary(
            pair => IsFile(pair.Key) ? pair.Key[..^FileSuffix.Length] : pair.Key,
            pair => IsFile(pair.Key) ? ReadSecret(pair.Value) : pair.Value, StringComparer.Ordinal),
        Patience(parsed));

    private TimeSpan Patience(ParseResult parsed) => new DurationKind().TryParse(parsed.GetValue(_timeout), out TimeSpan patience)
        ? patience
        : throw new CommandException(ExitCode.Usage, $"--timeout {parsed.GetValue(_timeout)}: expected {new DurationKind().Expected}");

    private static bool IsFile(string name) => name.EndsWith(FileSuffix, StringComparison.Ordinal);

    private static string ReadSecret(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\n', '\r');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"--property: '{path}' cannot be read: {failure.Message}", failure);
        }
    }
}
