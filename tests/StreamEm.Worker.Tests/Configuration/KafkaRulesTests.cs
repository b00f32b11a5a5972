
namespace StreamEm.Worker.Tests.Configuration;

/// <summary>What only Kafka knows to be wrong is told by <c>validate</c>, before anything starts.</summary>
public sealed class KafkaRulesTests
{
    [Theory]
    [InlineData("socket.timout.ms: 5000", ".socket.timout.ms is no property of the Kafka client; did you mean 'socket.timeout.ms'?")]
    [InlineData("xyzzy: 1", ".xyzzy is no property of the Kafka client; see librdkafka's CONFIGURATION.md")]
    [InlineData("socket.timeout.ms: soon", ".socket.timeout.ms is 'soon'; expected a whole number")]
    [InlineData("message.max.bytes: 2000000000", ".message.max.bytes is '2000000000'; expected a whole number from 1000 to 1000000000")]
    [InlineData("security.protocol: tls", ".security.protocol is 'tls'; expected plaintext, ssl, sasl_plaintext, sasl_ssl")]
    [InlineData("check.crcs: perhaps", ".check.crcs is 'perhaps'; expected true or false")]
    [InlineData("reconnect.backoff.ms: 60000",
        " make no Kafka client: `reconnect.backoff.max.ms` must be >= `reconnect.backoff.ms`. Correct or complete them; see librdkafka's "
            + "CONFIGURATION.md")]
    [InlineData("security.protocol: sasl_ssl, sasl.mechanism: PLAIN",
        " make no Kafka client: sasl.username and sasl.password must be set. Correct or complete them; see librdkafka's CONFIGURATION.md")]
    public void PropertyTheClientRefuses_IsTold(string properties, string problem)
    {
        string written = $"brokers: [h:1], topic: t, properties: {{ {properties} }}";

        Assert.Equal(
            [
                $"--set models.0.source: error: source.kafka.properties{problem}",
                $"--set models.0.publish: error: publish.0.kafka.properties{problem}",
                $"--set models.0.rejected.kafka: error: rejected.kafka.properties{problem}",
            ],
            ConfigFile.ProblemsOf(ConfigFile.Minimal,
            [
                $"models.0.source={{kafka: {{ {written.Replace("topic: t", "topics: [u]", StringComparison.Ordinal)} }}}}",
                $"models.0.publish=[{{kafka: {{ {written} }}}}]", $"models.0.rejected.kafka={{ {written} }}",
            ]));
    }

    [Fact]
    public void PropertiesThatDoNotGoTogether_NameTheFileThatIsNotThere()
    {
        string problem = Assert.Single(Problems("properties: { security.protocol: ssl, ssl.ca.location: /no/ca.pem }"));

        Assert.StartsWith("streamem.yaml:3:", problem, StringComparison.Ordinal);
        Assert.Contains("source.kafka.properties make no Kafka client: ssl.ca.location failed: ", problem, StringComparison.Ordinal);
        Assert.Contains(" (there is no '/no/ca.pem'). ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryBadProperty_IsToldAtItsPlace() => Assert.Equal(
        ["streamem.yaml:3:84", "streamem.yaml:3:110"],
        Problems("properties: { retry.backof.ms: 1, linger.ms: 5, retries: x }").Select(problem => problem.Split(": error: ")[0]));

    [Theory]
    [InlineData("security.protocol: sasl_ssl, sasl.mechanism: SCRAM-SHA-512, sasl.username: me, sasl.password: hush")]
    [InlineData(
        "security.protocol: sasl_ssl, sasl.mechanism: OAUTHBEARER, sasl.oauthbearer.method: oidc, sasl.oauthbearer.token.endpoint.url: "
            + "'https://127.0.0.1:1/token', sasl.oauthbearer.client.id: a, sasl.oauthbearer.client.secret: b")]
    [InlineData("compression.codec: lz4, client.rack: a, fetch.max.bytes: 2000000")]
    public void PropertiesTheClientTakes_AreNoProblem(string properties) => Assert.Empty(Problems($"properties: {{ {properties} }}"));

    [Theory]
    [InlineData("bad topic")]
    [InlineData("..")]
    [InlineData("ümlaut")]
    [InlineData("a/b")]
    public void TopicKafkaDoesNotAllow_IsRefused(string topic)
    {
        string problem =
            $"is '{topic}'; expected a topic's name: letters a-z and A-Z, digits, '.', '_' and '-', at most 249, not '.' or '..'";

        Assert.Equal(
            [$"--set models.0.source: error: source.kafka.topics.1 {problem}",
                $"--set models.0.publish: error: publish.0.kafka.topic {problem}",
                $"--set models.0.rejected.kafka: error: rejected.kafka.topic {problem}"],
            ConfigFile.ProblemsOf(ConfigFile.Minimal,
                [$"models.0.source={{kafka: {{brokers: [h:1], topics: [a.b-C_9, '{topic}']}}}}",
                    $"models.0.publish=[{{kafka: {{brokers: [h:1], topic: '{topic}'}}}}]",
                    $"models.0.rejected.kafka={{brokers: [h:1], topic: '{topic}'}}"]));
    }

    [Theory]
    [InlineData(249, 0)]
    [InlineData(250, 1)]
    public void LongestTopic_IsThatOfKafka(int length, int problems) =>
        Assert.Equal(problems,
            ConfigFile.ProblemsOf(ConfigFile.Minimal,
                [$"models.0.publish=[{{kafka: {{brokers: [h:1], topic: {new string('t', length)}}}}}]"]).Length);

    [Theory]
    [InlineData("key", "kafka.timestamp",
        "error: key: 'kafka.timestamp' cannot be used here: key may be kafka.key, timestamp kafka.timestamp and weight kafka.header.NAME; "
            + "everything else is taken from the message's value")]
    [InlineData("label", "kafka.header.x",
        "error: label: 'kafka.header.x' cannot be used here: key may be kafka.key, timestamp kafka.timestamp and weight kafka.header.NAME; "
            + "everything else is taken from the message's value")]
    [InlineData("features", "[a, kafka.key]",
        "error: features.1: 'kafka.key' cannot be used here: key may be kafka.key, timestamp kafka.timestamp and weight kafka.header.NAME; "
            + "everything else is taken from the message's value")]
    [InlineData("weight", "kafka.header.", "error: weight: 'kafka.header.' names no header; expected kafka.header.NAME")]
    [InlineData("weight", "kafka.headers.w",
        "warning: weight: 'kafka.headers.w' is looked for in the message's value; did you mean 'kafka.header.NAME'?")]
    [InlineData("key", "Kafka.key", "warning: key: 'Kafka.key' is looked for in the message's value; did you mean 'kafka.key'?")]
    public void PartOfTheMessageInTheWrongPlace_IsTold(string role, string field, string problem)
    {
        string[] problems = ConfigFile.ProblemsOf(
            ConfigFile.Minimal, ["models.0.source={kafka: {brokers: [h:1], topics: [t]}}", $"models.0.{role}={field}"]);

        Assert.Equal([$"--set models.0.{role}: {problem}"], problems);
    }

    [Fact]
    public void PartsOfTheMessageInTheirPlaces_AreNoProblem() => Assert.Empty(ConfigFile.ProblemsOf(
        ConfigFile.Minimal,
        ["models.0.source={kafka: {brokers: [h:1], topics: [t]}}", "models.0.key=kafka.key", "models.0.timestamp=kafka.timestamp",
            "models.0.weight=kafka.header.w"]));

    [Fact]
    public void ColumnsWithoutAFeature_AreRefused() => Assert.Equal(
        ["streamem.yaml:3:75: error: 'source.kafka.columns' has no column 'pressure'. Its columns are: temperature"],
        Problems("format: csv, columns: [temperature]"));

    private static string[] Problems(string more) =>
        ConfigFile.ProblemsOf(ConfigFile.Minimal.Replace(
            "{ stdin: {} }", $"{{ kafka: {{ brokers: [h:1], topics: [t], {more} }} }}", StringComparison.Ordinal));
}
