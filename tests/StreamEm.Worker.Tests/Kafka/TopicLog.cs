using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The records of a topic as another program reads them: from the beginning to the end there is now.</summary>
internal static class TopicLog
{
    /// <summary>Every record of a topic of one partition, by a plain client.</summary>
    public static List<Message<byte[]?, byte[]?>> Read(KafkaBroker broker, string topic)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = broker.Address,
            GroupId = "test",
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false
        };
        using IConsumer<byte[]?, byte[]?> consumer = new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!).SetLogHandler((_, _) => { })
                .Build();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        var messages = new List<Message<byte[]?, byte[]?>>();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            Assert.True(watch.Elapsed < Eventually.Deadline, $"topic {topic} was not read to its end");
            if (consumer.Consume(TimeSpan.FromSeconds(1)) is not { } result) continue;
            if (result.IsPartitionEOF) return messages;
            messages.Add(result.Message);
        }
    }

    /// <summary>Key and value of every record, by Kafka's own console consumer.</summary>
    public static async Task<IReadOnlyList<(string Key, string Value)>> ReadByConsole(KafkaBroker broker, string topic, int records)
    {
        string? home = Environment.GetEnvironmentVariable("KAFKA_HOME");
        Assert.SkipWhen(string.IsNullOrEmpty(home), "Kafka's console consumer is not there; set KAFKA_HOME");
        var start = new ProcessStartInfo(Path.Combine(home!, "kafka.sh"),
        [
            "consumer", "--bootstrap-server", broker.Address, "--topic", topic, "--from-beginning", "--max-messages", $"{records}",
            "--timeout-ms", "20000",
            "--formatter-property", "print.key=true", "--formatter-property", "key.separator=|",
        ])
        { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8 };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        List<(string, string)> lines =
            [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Contains("|{", StringComparison.Ordinal))
            .Select(
                line => (line[..line.IndexOf('|', StringComparison.Ordinal)], line[(line.IndexOf('|', StringComparison.Ordinal) + 1)..]))];
        Assert.True(lines.Count == records, $"{lines.Count} records of {records}:\n{output}\n{await errors}");
        return lines;
    }

    /// <summary>A header as text.</summary>
    public static string? Header(this Message<byte[]?, byte[]?> message, string name) =>
        message.Headers.TryGetLastBytes(name, out byte[] value) ? Encoding.UTF8.GetString(value) : null;

    /// <summary>A setting of a topic.</summary>
    public static async Task<string> Setting(KafkaBroker broker, string topic, string name)
    {
        List<DescribeConfigsResult> results = await broker.Admin
            .DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }]);
        return results.Single().Entries[name].Value;
    }
}
