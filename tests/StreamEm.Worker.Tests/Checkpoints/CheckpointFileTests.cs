using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Hostile;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Checkpoints;

/// <summary>A checkpoint as bytes: what is written is read, and what cannot be read is said.</summary>
public sealed class CheckpointFileTests : IDisposable
{
    private const int Preamble = 28, Hash = SHA256.HashSizeInBytes;

    private static readonly byte[] SnapshotBytes = Snapshot();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Decode_OfEncode_HasEveryPart()
    {
        Checkpoint read = CheckpointFile.Decode(CheckpointFile.Encode(Whole()));

        Assert.Equal(["090807", "010203", "04", "0506", "070809"],
            new[] { read.Learner, read.Outbox[0].Json, read.Outbox[1].Json, read.Scores, read.Candidates }.Select(Hex));
        Assert.Equal(SnapshotBytes, read.Latest!.Json.ToArray());
        Assert.Equal(SnapshotBytes, read.Pinned!.Json.ToArray());
        Assert.Equal((2L, 9L), (read.Keys!.Keys, read.Keys.Segments[0].Length));
        Assert.Equal(CheckpointFile.Encode(Whole()), CheckpointFile.Encode(read));
    }

    [Fact]
    public void Decode_PartsThatAreNotThere_AreNone()
    {
        Checkpoint read = CheckpointFile.Decode(CheckpointFile.Encode(Bare()));

        Assert.Null(read.Latest);
        Assert.Null(read.Pinned);
        Assert.True(read.Learner.IsEmpty && read.Scores.IsEmpty && read.Candidates.IsEmpty);
        Assert.DoesNotContain("_length\":null", HeaderOf(CheckpointFile.Encode(Bare())), StringComparison.Ordinal);
        Assert.DoesNotContain("scores_length", HeaderOf(CheckpointFile.Encode(Bare())), StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_Preamble_IsThatOfTheFormat()
    {
        byte[] bytes = CheckpointFile.Encode(Whole());
        int header = HeaderOf(bytes).Length;

        Assert.Equal("53454D42" + "0100" + "0000" + "01000000", Convert.ToHexString(bytes, 0, 12));
        Assert.Equal(bytes.Length - Preamble - header - Hash, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(20)));
    }

    [Fact]
    public void Decode_SomethingElse_IsSaidToBeNone() => Refused(
        Encoding.ASCII.GetBytes("key,value\n" + new string('7', 100)), "It does not begin with the bytes 'SEMB' of a checkpoint.");

    [Theory]
    [InlineData(4)]
    [InlineData(Preamble + Hash - 1)]
    public void Decode_TooShort_IsSaidToBeTruncated(int length) => Refused(
        CheckpointFile.Encode(Bare())[..length], $"It has {length} bytes; a checkpoint has at least 60: it is truncated.");

    [Fact]
    public void Decode_OfALaterFormat_NamesBoth() => Refused(
        Changed(bytes => bytes[4] = 2), "It has format version 2; this program reads version 1.");

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(long.MinValue, long.MaxValue)]
    public void Decode_LengthsThatCannotBe_AreRefusedWhateverTheChecksum(long header, long body)
    {
        byte[] bytes = Changed(bytes =>
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(12), header);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(20), body);
        });

        Refused(bytes, $"It says header {header} and body {body} bytes; {bytes.Length - 60} bytes are there: it is truncated or damaged.");
    }

    [Fact]
    public void Decode_NothingButAPreamble_IsNoHeader()
    {
        byte[] bytes = new byte[Preamble + Hash];
        CheckpointFile.Encode(Bare()).AsSpan(0, 12).CopyTo(bytes);

        Assert.StartsWith("Its header cannot be read: ", Refusal(Hashed(bytes)), StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_AnotherContent_DoesNotMatchItsHash()
    {
        byte[] bytes = CheckpointFile.Encode(Whole());
        bytes[^(Hash + 1)] ^= 1;

        Refused(bytes, "Its SHA-256 does not match its content: it is damaged.");
    }

    [Theory]
    [InlineData("streamem.checkpoint\"", "streamem.other\"", "Its header says format 'streamem.other'; expected 'streamem.checkpoint'.")]
    [InlineData("\"updates\":7", "\"updates\":-7", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"records\":700", "\"records\":-700", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"rejected_file_length\":42", "\"rejected_file_length\":-4", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"statistics_cuts\":1", "\"statistics_cuts\":-1", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"statistics_next\":5", "\"statistics_next\":-5", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"read\":12", "\"read\":-12", "Its header has a count, a length or a position below 0.")]
    [InlineData("[0,1,2]", "[0,-1,2]", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"recent_read\":11.5", "\"recent_read\":-1.5", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"recent_rejected\":0.25", "\"recent_rejected\":-0.2", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"next\":1007", "\"next\":-1007", "Its header has a count, a length or a position below 0.")]
    [InlineData("{\"next\":5}", "null", "Its header cannot be read: a partition has no position")]
    [InlineData("\"next\":5", "\"next\":5,\"end\":-1", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"next\":5", "\"next\":5,\"skipped\":-1", "Its header has a count, a length or a position below 0.")]
    [InlineData("\"keys\":2", "\"keys\":-2", "Its header names files of keys that cannot be.")]
    [InlineData("\"number\":3", "\"number\":0", "Its header names files of keys that cannot be.")]
    [InlineData("\"length\":9", "\"length\":0", "Its header names files of keys that cannot be.")]
    [InlineData("[{\"number\":3,\"length\":9}]", "[null]", "Its header names files of keys that cannot be.")]
    [InlineData("\"version\":7", "\"version\":9", "The versions of its outbox are out of order.")]
    public void Decode_HeaderThatCannotBe_IsRefusedWithASentence(string from, string to, string reason) =>
        Refused(WithHeader(Whole(), from, to), reason);

    [Theory]
    [InlineData("\"learner_length\":3", "\"learner_length\":-3")]
    [InlineData("\"learner_length\":3", "\"learner_length\":4")]
    [InlineData("\"scores_length\":2", "\"scores_length\":-2")]
    [InlineData("\"candidates_length\":3", "\"candidates_length\":-3")]
    [InlineData("\"candidates_length\":3", "\"candidates_length\":2")]
    [InlineData("\"length\":1,", "\"length\":-1,")]
    [InlineData("\"length\":3,", "\"length\":2147483647,")]
    public void Decode_PartsThatAreNotTheBody_AreRefused(string from, string to) => Assert.Matches(
        "^Its header names parts of -?[0-9]+ bytes in all; the body has [0-9]+\\.$", Refusal(WithHeader(Whole(), from, to)));

    [Theory]
    [InlineData("latest_length")]
    [InlineData("pinned_length")]
    public void Decode_LengthsOfSnapshotsBelowNothing_AreRefused(string field) => Assert.StartsWith("Its header names parts of ",
        Refusal(WithHeader(Whole(), $"\"{field}\":{SnapshotBytes.Length}", $"\"{field}\":-{SnapshotBytes.Length}")),
        StringComparison.Ordinal);

    /// <summary>What one part is short of, another has: only that none is below nothing can tell.</summary>
    [Theory]
    [InlineData("\"learner_length\":3", "\"learner_length\":-1", "\"candidates_length\":3", "\"candidates_length\":7")]
    [InlineData("\"scores_length\":2", "\"scores_length\":-1", "\"candidates_length\":3", "\"candidates_length\":6")]
    [InlineData("\"candidates_length\":3", "\"candidates_length\":-1", "\"scores_length\":2", "\"scores_length\":6")]
    [InlineData("\"length\":1,", "\"length\":-1,", "\"scores_length\":2", "\"scores_length\":4")]
    public void Decode_PartBelowNothingThatAnotherMakesUpFor_IsRefused(string from, string to, string other, string instead) =>
        Assert.StartsWith("Its header names parts of ",
            Refusal(WithHeader(Whole(), from, to, header => header.Replace(other, instead, StringComparison.Ordinal))),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("null", "Its header is null.")]
    [InlineData("{}", "Its header cannot be read: ")]
    [InlineData("{\"format\"", "Its header cannot be read: ")]
    public void Decode_HeaderThatIsNone_IsRefused(string header, string reason) =>
        Assert.StartsWith(reason, Refusal(WithHeader(Bare(), "", "", _ => header)), StringComparison.Ordinal);

    [Fact]
    public void Decode_NullWhereSomethingMustBe_IsRefused() => Assert.StartsWith("Its header cannot be read: ",
        Refusal(WithHeader(Bare(), "\"model_id\":\"boiler\"", "\"model_id\":null")), StringComparison.Ordinal);

    [Fact]
    public void Decode_CountsOfNothing_AreFine()
    {
        Checkpoint read = CheckpointFile.Decode(CheckpointFile.Encode(Bare() with
        {
            StatisticsNext = 0,
            StatisticsCuts = 0,
            RejectedFileLength = 0,
            Keys = new KeyLogMark(0, []),
            Outbox = [new OutboxEntry(3, false, default), new OutboxEntry(3, true, default)],
        }));

        Assert.Equal((0L, 0L, 0, 0L, 0L, 2), (
            read.Updates, read.StatisticsNext, read.StatisticsCuts, read.RejectedFileLength, read.Keys!.Keys, read.Outbox.Count));
    }

    [Fact]
    public void HeaderIn_File_IsItsHeader()
    {
        string file = Written(CheckpointFile.Encode(Whole()));

        Assert.Equal(("boiler", 7L, 3), (CheckpointFile.HeaderIn(file)!.ModelId, CheckpointFile.HeaderIn(file)!.Updates,
            CheckpointFile.HeaderIn(file)!.LearnerLength));
    }

    [Fact]
    public void HeaderIn_FileThatHoldsNone_IsNull()
    {
        byte[] whole = CheckpointFile.Encode(Whole()), other = (byte[])whole.Clone();
        other[0] = (byte)'s';

        Assert.Null(CheckpointFile.HeaderIn(_directory["none"]));
        Assert.Null(CheckpointFile.HeaderIn(_directory.Path));
        Assert.Null(CheckpointFile.HeaderIn(Written(whole[..20])));
        Assert.Null(CheckpointFile.HeaderIn(Written(whole[..40])));
        Assert.Null(CheckpointFile.HeaderIn(Written(other)));
        Assert.Null(CheckpointFile.HeaderIn(Written(WithHeader(Bare(), "", "", _ => "null"))));
        Assert.Null(CheckpointFile.HeaderIn(Written(WithHeader(Bare(), "", "", _ => "[}"))));
        foreach (long length in (long[])[0, -1, whole.Length + 1, long.MaxValue])
        {
            BinaryPrimitives.WriteInt64LittleEndian(whole.AsSpan(12), length);
            Assert.Null(CheckpointFile.HeaderIn(Written(whole)));
        }
    }

    private static Checkpoint Whole()
    {
        var position = new SourcePosition();
        position.Set("data/a.csv", new PartitionPosition(1007, "abc"));
        position.Set("data/b.csv", new PartitionPosition(5));
        return Bare() with
        {
            Updates = 7,
            Records = 700,
            Position = position,
            StatisticsNext = 5,
            StatisticsCuts = 1,
            Rejections = new RejectionCounts { Read = 12, ByReason = [0, 1, 2], RecentRead = 11.5, RecentRejected = 0.25 },
            RejectedFileLength = 42,
            Keys = new KeyLogMark(2, [new KeySegmentMark(3, 9)]),
            Learner = new byte[] { 9, 8, 7 },
            Latest = SnapshotDocument.Parse(SnapshotBytes),
            Outbox = [new OutboxEntry(7, false, new byte[] { 1, 2, 3 }), new OutboxEntry(8, true, new byte[] { 4 })],
            Scores = new byte[] { 5, 6 },
            Candidates = new byte[] { 7, 8, 9 },
            Pinned = SnapshotDocument.Parse(SnapshotBytes),
        };
    }

    private static Checkpoint Bare() => new()
    {
        ModelId = "boiler",
        RunId = "run",
        ConfigHash = "sha256:1",
        CreatedAt = DateTimeOffset.UnixEpoch,
        Updates = 0,
        Records = 0,
        Position = new SourcePosition(),
        Rejections = new RejectionCounts(),
        RejectedFileLength = null,
        Latest = null,
        Outbox = [],
        Learner = default,
    };

    private static byte[] Snapshot()
    {
        HostileModel model = HostileModel.All[0];
        Core.Learning.Learner learner = model.Learner();
        model.Feed(learner, 610, 1);
        return HostileModel.Json(learner.CreateSnapshot()!);
    }

    private static string HeaderOf(byte[] bytes) =>
        Encoding.UTF8.GetString(bytes, Preamble, (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(12)));

    /// <summary>The checkpoint with another header, whose length and hash are right.</summary>
    private static byte[] WithHeader(Checkpoint checkpoint, string from, string to, Func<string, string>? change = null)
    {
        byte[] bytes = CheckpointFile.Encode(checkpoint);
        string header = HeaderOf(bytes), changed = from.Length == 0 ? header : header.Replace(from, to, StringComparison.Ordinal);
        Assert.True(from.Length == 0 || changed != header, $"{from} is not in {header}");
        byte[] other = Encoding.UTF8.GetBytes(change?.Invoke(changed) ?? changed);
        byte[] whole = [.. bytes[..Preamble], .. other, .. bytes[(Preamble + header.Length)..]];
        BinaryPrimitives.WriteInt64LittleEndian(whole.AsSpan(12), other.Length);
        return Hashed(whole);
    }

    private static byte[] Changed(Action<byte[]> change)
    {
        byte[] bytes = CheckpointFile.Encode(Whole());
        change(bytes);
        return Hashed(bytes);
    }

    private static byte[] Hashed(byte[] bytes) => [.. bytes[..^Hash], .. SHA256.HashData(bytes.AsSpan(0, bytes.Length - Hash))];

    private static void Refused(byte[] bytes, string reason) => Assert.Equal(reason, Refusal(bytes));

    private static string Refusal(byte[] bytes) => Assert.Throws<InvalidDataException>(() => CheckpointFile.Decode(bytes)).Message;

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexString(bytes.Span);

    private string Written(byte[] bytes)
    {
        string file = _directory["checkpoint.sem"];
        File.WriteAllBytes(file, bytes);
        return file;
    }
}
