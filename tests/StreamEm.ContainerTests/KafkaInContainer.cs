using System.Reflection;
using StreamEm.ContainerTests;
using Testcontainers.Kafka;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestPipelineStartup(typeof(KafkaInContainer))]
[assembly: NeedsContainer]

namespace StreamEm.ContainerTests;

/// <summary>
/// Starts Apache Kafka in a container before the tests and shows it to them as an existing broker; what stops brokers is then skipped.
/// </summary>
public sealed class KafkaInContainer : ITestPipelineStartup
{
    private const string Image = "apache/kafka:4.1.0";

    private KafkaContainer? _kafka;

    /// <summary>Why there is no broker; null when there is one.</summary>
    public static string? Lacking { get; private set; }

    public async ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        try
        {
            _kafka = new KafkaBuilder(Image).Build();
            await _kafka.StartAsync();
            Environment.SetEnvironmentVariable("STREAMEM_TEST_BROKER", _kafka.GetBootstrapAddress());
        }
        catch (Exception failure)
        {
            // No engine, or none that may pull the image: whatever it is, nothing can be said of the source.
            Lacking = $"no broker in a container: {failure.Message.Split('\n')[0].Trim()}";
        }
    }

    public ValueTask StopAsync() => _kafka?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Skips every test of a source, with the reason, where there is no broker in a container.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class NeedsContainerAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) =>
        Assert.SkipWhen(KafkaInContainer.Lacking is not null && test.TestCase.TestClassNamespace != "StreamEm.ContainerTests.Image",
            KafkaInContainer.Lacking ?? "");
}
