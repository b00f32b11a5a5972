using System.Text;
using Confluent.Kafka;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class SnapshotHeadersTests
{
    private static readonly SnapshotIdentity Identity =
        new("boiler", "mine", 7, new DateTimeOffset(2026, 11, 20, 8, 0, 0, 250, TimeSpan.Zero));

    [Fact]
    public void Of_Snapshot_HasTheHeadersOfCloudEventsAndOurOwn()
    {
        Headers headers = SnapshotHeaders.Of(Identity, new RunClaim("mine") { Incarnation = 12, Predecessors = ["a", "b"] });

        Assert.Equal(
            [
                ("ce_specversion", "1.0"),
                ("ce_type", "io.streamem.snapshot.v1"),
                ("ce_id", "mine/7"),
                ("ce_source", $"/streamem/{Environment.MachineName}"),
                ("ce_subject", "boiler"),
                ("ce_time", "2026-11-20T08:00:00.250Z"),
                ("content-type", "application/vnd.streamem.snapshot+json;v=1"),
                ("streamem_version", "7"),
                ("streamem_incarnation", "12"),
                ("streamem_predecessors", "a,b"),
            ],
            headers.Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))));
    }

    [Fact]
    public void Of_RunThatTakesNoPlace_NamesNoPredecessors() =>
        Assert.DoesNotContain(
            SnapshotHeaders.Of(Identity, new RunClaim("mine")), header => header.Key == SnapshotHeaders.PredecessorsHeader);

    [Fact]
    public void Of_ManyPredecessors_NamesTheNewest()
    {
        var claim = new RunClaim("mine") { Predecessors = [.. Enumerable.Range(0, 20).Select(at => $"r{at}")] };

        SnapshotHeaders read = SnapshotHeaders.Read(Message(SnapshotHeaders.Of(Identity, claim)))!;

        Assert.Equal(Enumerable.Range(4, 16).Select(at => $"r{at}"), read.Predecessors);
    }

    [Fact]
    public void Read_NoHeaders_KnowsWhatTheValueSays()
    {
        SnapshotHeaders read = SnapshotHeaders.Read(Message(null))!;

        Assert.Equal(("mine", 7L, 0L, null), (read.RunId, read.Version, read.Incarnation, read.Host));
        Assert.Empty(read.Predecessors);
    }

    [Theory]
    [InlineData("253402300799999", 253_402_300_799_999)]
    [InlineData("253402300800000", 0)]
    public void Read_LatestStart_IsTheLastThereIs(string text, long incarnation)
    {
        var headers = new Headers { { SnapshotHeaders.IncarnationHeader, Encoding.UTF8.GetBytes(text) } };

        Assert.Equal(incarnation, SnapshotHeaders.Read(Message(headers))!.Incarnation);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(101, 100)]
    public void Read_NameOfAHost_IsCutWhereItIsTooLong(int length, int kept)
    {
        var headers = new Headers { { "ce_source", Encoding.UTF8.GetBytes("/streamem/" + new string('h', length)) } };

        Assert.Equal(kept, SnapshotHeaders.Read(Message(headers))!.Host!.Length);
    }

    private static Message<byte[]?, byte[]?> Message(Headers? headers) => new()
    {
        Headers = headers,
        Value = """
            {"format":"streamem.snapshot","model":{"id":"boiler","run_id":"mine"},"version":7,"created_at":"1970-01-01T00:00:00Z"}
            """u8.ToArray(),
    };
}
