using StreamEm.ContainerTests;
using Testcontainers.Kafka;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestPipelineStartup(typeof(KafkaInContainer))]

namespace StreamEm.ContainerTests;

/// <summary>
/// Starts Apache Kafka in a container before the tests and shows it to them as an existing broker; what stops brokers is then skipped.
/// </summary>
public sealed class KafkaInContainer : ITestPipelineStartup
{
    private readonly KafkaContainer _kafka = new KafkaBuilder().WithImage("apache/kafka:4.1.0").Build();

    public async ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        await _kafka.StartAsync();
        Environment.SetEnvironmentVariable("STREAMEM_TEST_BROKER", _kafka.GetBootstrapAddress());
    }

    public ValueTask StopAsync() => _kafka.DisposeAsync();
}
