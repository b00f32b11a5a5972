using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Hosting;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class SecretTests
{
    [Fact]
    public void TokenFile_GivesTheToken()
    {
        using var file = new ConfigFile("");
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ auth_token_file: {file.Write("token", "hush\n")} }}\n");

        Assert.Equal("hush", file.Load().Options!.Http.AuthToken);
    }

    [Fact]
    public void TokenAndTokenFile_AreRefusedTogether()
    {
        using var file = new ConfigFile("");
        File.WriteAllText(file.Path,
            $"{ConfigFile.Minimal}\nhttp: {{ auth_token: a, auth_token_file: {file.Write("token", "hush\n")} }}\n");

        Assert.Equal("http.auth_token_file and the same without _file are both set; keep one", Assert.Single(file.Load().Problems).Message);
    }

    [Fact]
    public void EmptyTokenFile_IsAnError()
    {
        using var file = new ConfigFile("");
        string token = file.Write("token", "\n");
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ auth_token_file: {token} }}\n");

        Assert.Equal($"http.auth_token_file: file '{token}' is empty", Assert.Single(file.Load().Problems).Message);
    }

    [Fact]
    public void BadToken_IsNotShown()
    {
        string[] problems = ConfigFile.ProblemsOf(ConfigFile.Minimal + "\nhttp: { auth_token: [hunter2] }\n");

        Assert.Equal(["streamem.yaml:6:21: error: http.auth_token cannot be used; expected a text that is not empty"], problems);
    }

    [Fact]
    public void KafkaPropertyFile_GivesTheProperty()
    {
        using var file = new ConfigFile("");
        string password = file.Write("password", "hush\n");
        File.WriteAllText(file.Path,
            ConfigFile.Minimal
                .Replace("{ stdin: {} }", $"{{ kafka: {{ brokers: [b], topics: [t], properties: {{ sasl.password_file: {password} }} }} }}",
                    StringComparison.Ordinal));

        var kafka = Assert.IsType<KafkaSourceOptions>(Assert.Single(file.Load().Options!.Models).Source);
        Assert.Equal("hush", kafka.Properties["sasl.password"]);
    }

    [Theory]
    [InlineData("group.id: g", "source.kafka.properties.group.id is not allowed: use group_id")]
    [InlineData("plugin.library.paths: x", "source.kafka.properties.plugin.library.paths is not allowed: it would load foreign code")]
    [InlineData("linger.ms: [1]", "source.kafka.properties.linger.ms is a list; expected a text, a number, true or false")]
    public void KafkaPropertyThatUndoesAGuarantee_IsRefused(string property, string message)
    {
        string problem = Assert.Single(ConfigFile.ProblemsOf(
            ConfigFile.Minimal, [$"models.0.source={{kafka: {{brokers: [b], topics: [t], properties: {{{property}}}}}}}"]));

        Assert.Equal($"--set models.0.source: error: {message}", problem);
    }

    [Fact]
    public void HostnameCheckSwitchedOff_IsWarnedOf()
    {
        string problem = Assert.Single(ConfigFile.ProblemsOf(
            ConfigFile.Minimal,
            ["models.0.source={kafka: {brokers: [b], topics: [t], properties: {ssl.endpoint.identification.algorithm: none}}}"]));

        Assert.Contains("warning: source.kafka.properties.ssl.endpoint.identification.algorithm is 'none'", problem,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_TellsNoSecret()
    {
        WorkerOptions options = ConfigFile.OptionsOf(
            ConfigFile.Minimal + "\nhttp: { auth_token: hunter2 }\n",
            ["models.0.source={kafka: {brokers: [b], topics: [t], properties: {sasl.password: hunter3}}}"]);
        using var text = new StringWriter();

        ConfigurationSummary.Write(options, text);

        Assert.Contains("http.auth_token: (set)", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter", text.ToString(), StringComparison.Ordinal);
    }
}
