using System.Text;
using Confluent.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Publishing;

/// <summary>Two workers that publish one id to one topic: who may.</summary>
public sealed class TopicLeaseTests
{
    private const long Day = 86_400_000, Now = 20_000 * Day;
    private static readonly RunClaim Mine = new("mine") { Incarnation = Now, KnownIncarnation = Now - 100, Predecessors = ["old"] };

    [Fact]
    public void Start_NothingThere_MayPublish() => Assert.Null(Lease().Refusal(null));

    [Theory]
    [InlineData("mine", 0)]
    [InlineData("mine", Now - 200)]
    [InlineData("mine", Now - 100)]
    [InlineData("old", Now)]
    public void Start_OwnRunAsTheStateKnowsIt_OrOneWhosePlaceItTakes_MayPublish(string run, long incarnation) =>
        Assert.Null(Lease().Refusal(Seen(run, incarnation)));

    [Fact]
    public void Start_AnotherRunsId_IsRefusedHoweverOldItIsAndToldHowToTakeOver()
    {
        CommandException refusal = Lease().Refusal(Seen("theirs", Now - (100 * Day)))!;

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains("model 'boiler' of another run, theirs (version 7 of 2024-", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("from there, started ", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("publish.kafka.take_over: theirs", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_OwnRunInALaterStart_IsACopyOfTheStateAndRefused()
    {
        CommandException refusal = Lease().Refusal(Seen("mine", Now - 99))!;

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains("is a copy, or was restored from a backup", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("publish.kafka.take_over: mine", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mine", Now + 1, "", "a later start of this run publishes it now")]
    [InlineData("theirs", 0, "old,mine", "another run has taken the place of this one")]
    public void Later_ThePlaceIsTaken_EndsWith75(string run, long incarnation, string predecessors, string how)
    {
        CommandException lost = Assert.Throws<CommandException>(
            () => Lease().Look(Seen(run, incarnation, predecessors), isBeforeOurs: false, out _));

        Assert.Equal(ExitCode.TryAgain, lost.ExitCode);
        string start = incarnation > 0 ? ", started 2024-10-04T00:00:00.001Z" : "";
        Assert.Equal($"publish.kafka: topic 'models' on kafka:9092: model 'boiler' of run mine is not published any more: {how}, {run} "
            + $"(version 7 of 2024-10-04T00:00:00.000Z from there{start}). One worker may publish an id: stop the one that is not meant "
            + "to, or give it an id of its own.", lost.Message);
    }

    [Theory]
    [InlineData("mine", Now)]
    [InlineData("mine", Now - 1)]
    [InlineData("old", Now + 1)]
    public void Later_OwnRecordsAndLastWordsOfAnEarlierStartOrRun_AreNothing(string run, long incarnation)
    {
        Lease().Look(Seen(run, incarnation), isBeforeOurs: true, out bool isStranger);
        Assert.False(isStranger);
    }

    [Fact]
    public void Later_TwoRunsAtTheSameTime_TheOneThatCameLaterGivesWay()
    {
        Assert.Contains("another run was first", Assert.Throws<CommandException>(
            () => Lease().Look(Seen("theirs", 0), isBeforeOurs: true, out _)).Message, StringComparison.Ordinal);

        Lease().Look(Seen("theirs", 0), isBeforeOurs: false, out bool isStranger);
        Assert.True(isStranger);
    }

    [Fact]
    public void Headers_WrittenAndRead_SayTheSame()
    {
        var claim = new RunClaim("mine") { Incarnation = Now, Predecessors = ["a", "b"] };
        var identity = new SnapshotIdentity("boiler", "mine", 7, DateTimeOffset.UnixEpoch);

        SnapshotHeaders read = SnapshotHeaders.Read(Message(SnapshotHeaders.Of(identity, claim)))!;

        Assert.Equal(("mine", 7, Now, "a,b"), (read.RunId, read.Version, read.Incarnation, string.Join(',', read.Predecessors)));
        Assert.Equal(Environment.MachineName, read.Host);
    }

    [Theory]
    [InlineData("not a number")]
    [InlineData("-1")]
    [InlineData("9223372036854775807")]
    public void Headers_OfOthers_AreNotBelieved(string incarnation)
    {
        var headers = new Headers
        {
            { SnapshotHeaders.IncarnationHeader, Encoding.UTF8.GetBytes(incarnation) },
            { "ce_source", Encoding.UTF8.GetBytes("/streamem/\u001b[2J" + new string('x', 1000)) },
        };

        SnapshotHeaders read = SnapshotHeaders.Read(Message(headers))!;

        Assert.Equal(0, read.Incarnation);
        Assert.StartsWith("?[2Jxx", read.Host, StringComparison.Ordinal);
        Assert.Equal(100, read.Host!.Length);
    }

    private static TopicLease Lease() => new(Mine, "boiler", "topic 'models' on kafka:9092");

    private static SnapshotHeaders Seen(string run, long incarnation, string predecessors = "") => new(
        run, 7, DateTimeOffset.FromUnixTimeMilliseconds(Now), incarnation,
        predecessors.Split(',', StringSplitOptions.RemoveEmptyEntries), "there");

    private static Message<byte[]?, byte[]?> Message(Headers headers) => new()
    {
        Headers = headers,
        Value = """
            {"format":"streamem.snapshot","model":{"id":"boiler","run_id":"mine"},"version":7,"created_at":"1970-01-01T00:00:00Z"}
            """u8.ToArray(),
    };
}
