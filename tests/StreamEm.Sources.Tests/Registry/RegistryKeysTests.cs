using StreamEm.Core.Data;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Tests.Registry;

/// <summary>What the keys of messages are whose schemas are in a registry.</summary>
public sealed class RegistryKeysTests : IDisposable
{
    private readonly StandInRegistry _server = new();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData("\"string\"", new byte[] { 4, (byte)'a', (byte)'b' }, "ab")]
    [InlineData("\"long\"", new byte[] { 14 }, "7")]
    [InlineData("""["null","string"]""", new byte[] { 2, 2, (byte)'a' }, "a")]
    [InlineData("""["null","string"]""", new byte[] { 0 }, null)]
    [InlineData("""{"type":"record","name":"K","fields":[{"name":"id","type":"int"}]}""", new byte[] { 14 }, "7")]
    [InlineData("""{"type":"record","name":"K","fields":[{"name":"id","type":"int"},{"name":"s","type":"string"}]}""",
        new byte[] { 14, 2, (byte)'a' }, """{"id":7,"s":"a"}""")]
    public async Task AvroKey_IsItsText(string schema, byte[] value, string? expected) =>
        Assert.Equal((expected, OptionalFields.None), await ReadAsync(KeyFormat.Avro, schema, "AVRO", value));

    [Theory]
    [InlineData("\"a\\u0062\"", "ab")]
    [InlineData("7.0", "7.0")]
    [InlineData("true", "true")]
    [InlineData("null", null)]
    [InlineData("{\"id\": \"p7\"}", "p7")]
    [InlineData("{\"id\":7,\"s\":\"a\"}", "{\"id\":7,\"s\":\"a\"}")]
    public async Task JsonKey_IsItsText(string json, string? expected) => Assert.Equal((expected, OptionalFields.None),
        await ReadAsync(KeyFormat.JsonSchema, "{}", "JSON", System.Text.Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData(KeyFormat.Avro, "AVRO", new byte[] { 14, 1 })]
    [InlineData(KeyFormat.Avro, "JSON", new byte[] { 14 })]
    [InlineData(KeyFormat.JsonSchema, "JSON", new byte[] { (byte)'{' })]
    public async Task KeyThatCannotBeRead_IsNoneAndCounted(KeyFormat format, string type, byte[] value) =>
        Assert.Equal((null, OptionalFields.Key), await ReadAsync(format, "\"int\"", type, value));

    [Theory]
    [InlineData(new byte[0], OptionalFields.None)]
    [InlineData(new byte[] { 0, 0, 0 }, OptionalFields.Key)]
    [InlineData(new byte[] { (byte)'p', (byte)'u', (byte)'m', (byte)'p', (byte)'7' }, OptionalFields.Key)]
    public void KeyThatNamesNoSchema_IsNone(byte[] key, OptionalFields unread)
    {
        using var registry = new SchemaRegistry(new SchemaRegistryOptions { Url = [_server.Url] }, null, TimeProvider.System);
        RecordDefaults read = new RegistryKeys(registry, KeyFormat.Avro).Read(key, new TextTable(), RecordDefaults.None);

        Assert.Equal((Minibatch.NoKey, unread), (read.Key, read.Unread));
    }

    private async Task<(string? Key, OptionalFields Unread)> ReadAsync(KeyFormat format, string schema, string type, byte[] value)
    {
        int number = _server.Register("t-key", schema, type);
        using var registry = new SchemaRegistry(new SchemaRegistryOptions { Url = [_server.Url] }, null, TimeProvider.System);
        var keys = new RegistryKeys(registry, format);
        byte[] key = StandInRegistry.Message(number, value);
        Assert.Equal(number, keys.Lacks(key));
        await registry.LearnAsync(number, TestContext.Current.CancellationToken);
        Assert.Null(keys.Lacks(key));
        var texts = new TextTable();
        RecordDefaults read = keys.Read(key, texts, RecordDefaults.None);
        return (texts.Find(read.Key), read.Unread);
    }
}
