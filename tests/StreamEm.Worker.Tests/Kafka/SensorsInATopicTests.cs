using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Models;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A sensor among three that breaks, read from a topic.</summary>
public sealed class SensorsInATopicTests(KafkaBroker broker)
{
    [Fact]
    public async Task Broken_ReportedToTheEnd()
    {
        string topic = await broker.CreateTopicAsync(1);
        broker.Produce(topic, 0, [.. ThreeSensors.Draw(seed: 2).Select(row => new Message<byte[]?, byte[]?>
        {
            Value = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"a\":{row![0]:R},\"b\":{row[1]:R}}}")),
        })]);
        using var read = new ModelFolder("""
            features: [a, b]
            model: { type: gaussian_mixture, components: { max: 32 } }
            scores: [ file: { path: scores.ndjson } ]
            alarms: {}
            """.ReplaceLineEndings("\n"), $"{{ kafka: {{ brokers: [\"{broker.Address}\"], topics: [{topic}] }} }}");

        await read.Run();

        ThreeSensors.AssertReported(File.ReadLines(read["scores.ndjson"]));
    }
}
