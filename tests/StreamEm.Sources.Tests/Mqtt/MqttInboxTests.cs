using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamEm.Sources.Mqtt;

namespace StreamEm.Sources.Tests.Mqtt;

/// <summary>What the broker is told, and when.</summary>
public sealed class MqttInboxTests
{
    [Fact]
    public async Task MayAcknowledge_AskedForBeforeThereIsAnything_CompletesWhenThereIs()
    {
        var inbox = new MqttInbox(first: 0, most: 10);
        Task asked = inbox.MayAcknowledge;
        Assert.False(inbox.TryTakeAcknowledgement(out _));
        inbox.Take(Message(packet: 1));
        Assert.False(asked.IsCompleted);

        inbox.Durable(1);

        await Eventually.Within(asked);
        Assert.True(inbox.TryTakeAcknowledgement(out MqttApplicationMessageReceivedEventArgs? args));
        Assert.Equal(1, args!.PacketIdentifier);
        Assert.False(inbox.TryTakeAcknowledgement(out _));
        Assert.False(inbox.MayAcknowledge.IsCompleted);
    }

    private static MqttApplicationMessageReceivedEventArgs Message(ushort packet) => new(
        "client", new MqttApplicationMessageBuilder().WithTopic("a").WithPayload("b")
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(),
        new MqttPublishPacket { PacketIdentifier = packet }, (_, _) => Task.CompletedTask);
}
