using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Models;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Sequences whose keys are those of the messages.</summary>
public sealed class KeyedTopicTests(KafkaBroker broker)
{
    private const int Rows = 4000;

    [Fact]
    public async Task HiddenMarkov_KeysOfMessages_LearnsAsFromAFileThatNamesThem()
    {
        broker.NeedsRealBroker("has more than one partition to a topic, so that the order of the records is not that of the file");
        string topic = await broker.CreateTopicAsync(1);
        (string Key, string X)[] rows = Draw();
        broker.Produce(topic, 0,
            [.. rows.Select(row =>
                new Message<byte[]?, byte[]?> { Key = Encoding.UTF8.GetBytes(row.Key),
                    Value = Encoding.UTF8.GetBytes($"{{\"x\":{row.X}}}") })]);
        using var read = new ModelFolder(Model("kafka.key"), $"{{ kafka: {{ brokers: [\"{broker.Address}\"], topics: [{topic}] }} }}");
        using var file = new ModelFolder(Model("machine"));
        file.Write("data.csv", ["machine,x", .. rows.Select(row => $"{row.Key},{row.X}")]);
        file.Write("some.csv", ["machine,x", "m1,0", "m1,5"]);

        await read.Run();
        await file.Run();

        JsonElement learned = read.Published;
        Assert.Equal(file.Published.GetProperty("parameters").GetRawText(), learned.GetProperty("parameters").GetRawText());
        Assert.Equal("kafka.key", learned.GetProperty("signature").GetProperty("key").GetString());
        Assert.Equal(Rows, learned.GetProperty("training").GetProperty("records").GetInt32());
        // Learned as one sequence, without the keys, the passages are others: every record would be another machine's.
        using var without = new ModelFolder(Model("machine").Replace("key: machine\n", "", StringComparison.Ordinal));
        File.Copy(file["data.csv"], without["data.csv"]);
        await without.Run();
        Assert.True(Math.Abs(without.Published.Parameter("transmat")[0] - learned.Parameter("transmat")[0]) > 0.05,
            "The keys made no difference.");
    }

    private static string Model(string key) => $$"""
        features: [x]
        key: {{key}}
        model: { type: hidden_markov, states: 2, max_keys: 1000 }
        """.ReplaceLineEndings("\n");

    private static (string Key, string X)[] Draw()
    {
        var random = new Random(9);
        int[] states = [0, 1, 0, 1, 0];
        return [.. Enumerable.Range(0, Rows).Select(_ =>
        {
            int key = random.Next(states.Length);
            if (random.NextDouble() < 0.08) states[key] = 1 - states[key];
            return ($"m{key}", (5 * states[key] + random.NextDouble() + random.NextDouble()).ToString("F4", CultureInfo.InvariantCulture));
        })];
    }
}
