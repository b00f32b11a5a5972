using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Registry;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>A schema registry is there where it is needed, nowhere else, and reached as is meant.</summary>
public sealed class RegistryRulesTests
{
    [Theory]
    [InlineData("format: avro",
        "error: 'format' needs the registry that has the schemas: add schema_registry: { url: [http://host:8081] }")]
    [InlineData("format: json_schema",
        "error: 'format' needs the registry that has the schemas: add schema_registry: { url: [http://host:8081] }")]
    [InlineData("schema_registry: { url: [http://localhost:1] }",
        "warning: schema_registry has no effect: neither format nor key_format is avro or json_schema")]
    [InlineData("format: avro, schema_registry: { url: [localhost:1] }",
        "error: source.kafka.schema_registry.url.0 is 'localhost:1'; expected an address such as https://host/path, without user and "
            + "password")]
    [InlineData("format: avro, schema_registry: { url: [https://h], token: t, username: me, password: p }",
        "error: schema_registry has a token and a username or password; keep one of them")]
    [InlineData("format: avro, schema_registry: { url: [https://h], password: p }",
        "error: schema_registry has a password and no username; give both")]
    [InlineData("format: avro, schema_registry: { url: [http://h], username: me, password: p }",
        "warning: the password or token goes over the network as it is; use https://")]
    [InlineData("format: avro, key_format: avro, schema_registry: { url: [http://localhost:1] }",
        "warning: key_format has no effect: the keys are of no use without key: kafka.key")]
    [InlineData("format: avro, schema_registry: { url: [https://h], key_file: k.pem }",
        "error: key_file is without certificate_file; give both")]
    [InlineData("format: avro, separator: ';', schema_registry: { url: [https://h] }",
        "warning: separator say how csv is written and have no effect: format is avro; set format: csv")]
    public void Mistake_IsToldAtItsPlace(string source, string problem)
    {
        string found = Assert.Single(Problems(source));

        Assert.StartsWith("streamem.yaml:3:", found, StringComparison.Ordinal);
        Assert.EndsWith(problem, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Registry_WithAPasswordFromAFile_IsRead_AndThePasswordIsToldNowhere()
    {
        using var file = new ConfigFile(ConfigFile.Minimal);
        string password = file.Write("password", "hush-hush\n");
        string source =
            $"models.0.source={{kafka: {{brokers: [h:1], topics: [t], format: avro, key_format: json_schema, schema_registry: "
                + $"{{url: ['https://a', 'https://b'], username: me, password_file: '{password}'}}}}}}";

        var loaded = ConfigFile.ModelWith(source, "models.0.key=kafka.key");

        var kafka = Assert.IsType<KafkaSourceOptions>(loaded.Source);
        Assert.Equal((RecordFormat.Avro, KeyFormat.JsonSchema), (kafka.Format, kafka.KeyFormat));
        Assert.Equal(["https://a", "https://b"], kafka.SchemaRegistry!.Url);
        Assert.Equal(("me", "hush-hush"), (kafka.SchemaRegistry.Username, kafka.SchemaRegistry.Password));
        Assert.DoesNotContain(loaded.Values.Values, value => value.Contains("hush", StringComparison.Ordinal));
        Assert.Contains("source.kafka.schema_registry.password", loaded.Values.Keys);
    }

    private static string[] Problems(string more) => ConfigFile.ProblemsOf(ConfigFile.Minimal.Replace(
        "{ stdin: {} }", $"{{ kafka: {{ brokers: [h:1], topics: [t], {more} }} }}", StringComparison.Ordinal));
}
