using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class TopicAddressTests
{
    [Theory]
    [InlineData("kafka://a:9092/models", "a:9092", "models", null)]
    [InlineData("kafka://a:9092,b:9093/models", "a:9092|b:9093", "models", null)]
    [InlineData("kafka:// a:9092 ,,b:9093/models", "a:9092|b:9093", "models", null)]
    [InlineData("kafka://a/models?model=boiler", "a", "models", "boiler")]
    [InlineData("kafka://a/models?model=b%20c%3F", "a", "models", "b c?")]
    public void Parse_Topic_TellsBrokersTopicAndModel(string text, string brokers, string topic, string? model)
    {
        Assert.True(TopicAddress.IsOne(text));

        TopicAddress address = TopicAddress.Parse(text);

        Assert.Equal((brokers, topic, model), (string.Join('|', address.Brokers), address.Topic, address.Model));
        Assert.Equal($"kafka://{brokers.Replace('|', ',')}/{topic}", address.ToString());
    }

    [Theory]
    [InlineData("kafka://")]
    [InlineData("kafka:///models")]
    [InlineData("kafka://,/models")]
    [InlineData("kafka://a:9092")]
    [InlineData("kafka://a:9092/")]
    [InlineData("kafka://a:9092/no topic")]
    [InlineData("kafka://a:9092/models?")]
    [InlineData("kafka://a:9092/models?model=")]
    [InlineData("kafka://a:9092/models?key=boiler")]
    public void Parse_NoTopic_IsRefusedWithWhatIsExpected(string text)
    {
        CommandException refusal = Assert.Throws<CommandException>(() => TopicAddress.Parse(text));

        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.Equal($"'{text}' names no topic; expected kafka://host:port/topic or kafka://host:port,host:port/topic?model=id",
            refusal.Message);
    }

    [Theory]
    [InlineData("models.json")]
    [InlineData("http://a/models")]
    public void IsOne_AnotherKindOfAddress_IsNot(string text) => Assert.False(TopicAddress.IsOne(text));
}
