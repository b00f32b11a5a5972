using StreamEm.Sources.Kafka;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

public sealed class SharedSourceTests
{
    private static readonly KafkaSourceOptions Source =
        new() { Brokers = ["nobody:1"], Topics = ["x"], GroupId = "group", Start = KafkaStart.Latest, IdleAfter = null };

    /// <summary>A partition that was added later may be all that a worker has: nothing of it tells that the run has begun.</summary>
    [Fact]
    public void OptionsOf_ARunThatHasBegun_ReadsNewPartitionsFromTheirFirstRecord()
    {
        Assert.Equal(KafkaStart.Earliest, SharedSource.OptionsOf(Source, ["x/7"], hasBegun: true).Start);
        Assert.Equal(KafkaStart.Latest, SharedSource.OptionsOf(Source, ["x/7"], hasBegun: false).Start);
    }

    [Fact]
    public void OptionsOf_AShare_IsOfItsPartitionsAlone()
    {
        KafkaSourceOptions share = SharedSource.OptionsOf(Source, ["x/7"], hasBegun: false);

        Assert.Equal(["x/7"], share.Only);
        Assert.Null(share.GroupId);
        Assert.Equal(TimeSpan.FromSeconds(1), share.IdleAfter);
    }
}
