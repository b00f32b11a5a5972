using System.Text;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>A copy of a partition of the topic of keys, with what followed since, says what the topic says.</summary>
public sealed class KeyCopyTests : IDisposable
{
    private static readonly KeyNames Names = new("machines", "x/0");
    private static readonly string[] Keys = ["", "a", "b/c", "d"];
    private static readonly byte[][] AlarmStates = StatesOfAlarms();

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void CopyAndRest_SayWhatTheWholeSays_ToTheByte()
    {
        long left = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            List<KeyMessage> log = [.. Enumerable.Range(0, random.Next(1, 120)).Select(_ => Any(random))];
            using var copy = new KeyCopy(_directory["copy"], start: 0, identity: null);
            var whole = new Reader();
            var parts = new Reader();
            for (int cut = random.Next(log.Count + 1), at = 0; at < cut; at++)
            {
                copy.Append(at, log[at].Name, log[at].Value, epoch: 7);
                if (random.Next(20) == 0) Assert.True(copy.TryTidy(() => false));
            }

            left += copy.Next - copy.Read(parts.Take);
            for (int at = 0; at < log.Count; at++)
            {
                whole.Take(at, log[at].Name, log[at].Value);
                if (at >= copy.Next) parts.Take(at, log[at].Name, log[at].Value);
            }

            Assert.True(whole.ToString() == parts.ToString(), $"seed {seed}:\n{whole}\n{parts}");
        }

        Assert.True(left > 1000, $"{left} records were left out");
    }

    [Fact]
    public void Next_IsBehindTheLast_AndWhatIsThereIsPassedOver()
    {
        using var copy = new KeyCopy(_directory["copy"], start: 5, identity: "id");
        Assert.Equal((5, 5, 5, "id", false), (copy.Start, copy.Next, copy.From, copy.Identity, copy.IsToBeContinued));

        copy.Append(8, Names.Mark, "one"u8, epoch: 3);
        copy.Append(8, Names.Mark, "again"u8, epoch: 4);
        Assert.Equal((9, 8, true), (copy.Next, copy.From, copy.IsToBeContinued));
        Assert.True(copy.IsContinuedBy(8, epoch: 3));
        // The last record is compacted away; the same leader wrote what follows.
        Assert.True(copy.IsContinuedBy(9, epoch: 3));
        Assert.False(copy.IsContinuedBy(8, epoch: 4));
        Assert.False(copy.IsContinuedBy(9, epoch: 4));
        Assert.False(copy.IsContinuedBy(9, epoch: null));
        Assert.False(copy.IsContinuedBy(7, epoch: 3));
        copy.Reach(20);
        copy.Reach(12);

        Assert.Equal((20, 8), (copy.Next, copy.From));
        var read = new List<string>();
        Assert.Equal(1, copy.Read((offset, _, value) => read.Add($"{offset} {Encoding.UTF8.GetString(value)}")));
        Assert.Equal("8 one", Assert.Single(read));
    }

    [Fact]
    public void File_HoldsNoMoreOfThePastThanIsWorthItsWhile()
    {
        const int spare = 4000;
        using var copy = new KeyCopy(_directory["copy"], start: 0, identity: null, spare);
        long most = 0;
        for (int at = 0; at < 3000; at++)
        {
            KeyMessage message = Entry(Keys[at % Keys.Length], new Guid(1, 0, 0, new byte[8]), at, alarm: [], new byte[100]);
            copy.Append(at, message.Name, message.Value, epoch: null);
            if (copy.IsWasteful) Assert.True(copy.TryTidy(() => false));
            most = Math.Max(most, copy.Bytes);
        }

        Assert.InRange(most, spare / 2, 2 * spare);
        Assert.Equal(Flushed(copy), new FileInfo(Assert.Single(Directory.GetFiles(_directory.Path))).Length);
    }

    [Fact]
    public void TryTidy_WhileSomebodyNeedsTheCopy_LeavesItAsItIs()
    {
        using var copy = new KeyCopy(_directory["copy"], start: 0, identity: null);
        for (int at = 0; at < 10; at++) copy.Append(at, Names.Mark, [(byte)at], epoch: null);
        // Asked in each of its two passes.
        for (int patience = 0; patience < 15; patience++)
        {
            int asked = 0;
            Assert.False(copy.TryTidy(() => asked++ >= patience));
            Assert.Equal(10, copy.Read((_, _, _) => { }));
        }

        Assert.Single(Directory.GetFiles(_directory.Path));
        Assert.True(copy.TryTidy(() => false));
        Assert.Equal(1, copy.Read((_, _, _) => { }));
        copy.Append(10, Names.Mark, [10], epoch: null);
        Assert.Equal(2, copy.Read((_, _, _) => { }));
    }

    [Fact]
    public void AFile_OfWhichAByteIsChanged_IsSeen()
    {
        using var copy = new KeyCopy(_directory["copy"], start: 0, identity: null);
        copy.Append(0, Names.Of("a"), "state"u8, epoch: null);
        long length = Flushed(copy);
        for (int at = 0; at < length; at++)
        {
            Flip(at);
            Assert.ThrowsAny<Exception>(() => copy.Read((_, _, _) => { }));
            Flip(at);
        }

        Assert.Equal(1, copy.Read((_, _, _) => { }));

        void Flip(int at)
        {
            const FileShare share = FileShare.ReadWrite | FileShare.Delete;
            using var file = new FileStream(_directory["copy"], FileMode.Open, FileAccess.ReadWrite, share);
            file.Position = at;
            int value = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(value ^ 1));
        }
    }

    [Fact]
    public void Dispose_LeavesNothing()
    {
        new KeyCopy(_directory["copy"], start: 0, identity: null).Dispose();

        Assert.Empty(Directory.GetFiles(_directory.Path));
    }

    [Theory]
    [InlineData("id", 3, 9, null)]
    [InlineData("other", 3, 9, "deleted and created again")]
    [InlineData(null, 3, 9, "deleted and created again")]
    [InlineData("id", 4, 9, "records at its beginning were deleted")]
    [InlineData("id", -1, 9, "records at its beginning were deleted")]
    [InlineData("id", 3, 8, "ends at offset 8, before 9")]
    public void ACopyOfAnotherLog_IsNotTrusted(string? identity, long start, long end, string? reason)
    {
        using var copy = new KeyCopy(_directory["copy"], start: 3, identity: "id");
        copy.Append(8, Names.Mark, [], epoch: null);

        string? found = KeyStandby.ReasonAgainst(copy, identity, start, end);

        if (reason is null) Assert.Null(found);
        else Assert.Contains(reason, found, StringComparison.Ordinal);
    }

    private static long Flushed(KeyCopy copy)
    {
        copy.Read((_, _, _) => { });
        return copy.Bytes;
    }

    /// <summary>States and marks of several writers in any order, some damaged, some without a value.</summary>
    private static KeyMessage Any(Random random)
    {
        var tenure = new Guid(random.Next(4), 0, 0, new byte[8]);
        KeyMessage message = random.Next(5) == 0
            ? Mark(random, tenure)
            : Entry(Keys[random.Next(Keys.Length)], tenure, random.Next(12), AlarmStates[random.Next(AlarmStates.Length)],
                [(byte)random.Next(256), .. new byte[random.Next(3)]]);
        int chance = random.Next(20);
        if (chance == 0) return message with { Value = [] };
        if (chance == 1) message.Value[random.Next(message.Value.Length)] ^= (byte)(1 << random.Next(8));
        return message;
    }

    private static KeyMessage Entry(string key, Guid tenure, long to, byte[] alarm, byte[] state)
    {
        byte[] name = Names.Of(key);
        return new KeyMessage(name, KeyEntry.Encode(name, tenure, to, alarm, state));
    }

    private static KeyMessage Mark(Random random, Guid tenure) => new(Names.Mark, new KeyMark
    {
        Tenure = tenure,
        Known = random.Next(100),
        Begin = random.Next(4),
        Position = random.Next(12),
        Keys = random.Next(Keys.Length + 2),
        Schema = $"{random.Next(3)}",
        Identity = random.Next(3) == 0 ? null : $"{random.Next(2)}",
    }.Encode(Names.Mark));

    private static byte[][] StatesOfAlarms()
    {
        var watch = new AlarmWatch(new AlarmOptions(), ["x"]);
        var states = new List<byte[]> { Array.Empty<byte>() };
        for (int count = 0; count < 3; count++)
        {
            watch.Take("a", Minibatch.NoTimestamp, 1e-6, 1e-6, component: -1, [0]);
            states.Add(watch.StateOf("a").ToArray());
        }

        return [.. states];
    }

    /// <summary>Who restores a partition.</summary>
    private sealed class Reader
    {
        private readonly AlarmWatch _alarms = new(new AlarmOptions(), ["x"]);
        private readonly States _states = new();
        private readonly KeyHistory _history;

        public Reader() => _history = new KeyHistory(Names, _states, _alarms);

        public void Take(long offset, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => _history.Take(offset, name, value);

        /// <summary>All that it found.</summary>
        public override string ToString()
        {
            var text = new StringBuilder();
            text.Append($"{_history.Keys} {_history.Missing} {_history.Schema}");
            if (_history.Finish() is { } start)
            {
                text.Append($"; {start.Position} {start.Begin} {start.Marked} {start.Identity ?? "-"}; ahead ");
                text.AppendJoin(' ', start.Ahead.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"'{one.Key}' {one.Value}"));
                text.Append("; behind ").AppendJoin(' ', start.Behind.Order(StringComparer.Ordinal));
            }

            foreach (string key in Keys)
                text.Append($"; '{key}' {(_states.Kept.TryGetValue(key, out byte[]? state) ? Convert.ToHexString(state) : "none")} ")
                    .Append(Convert.ToHexString(_alarms.StateOf(key)));
            return text.ToString();
        }
    }

    private sealed class States : KeyStates
    {
        public Dictionary<string, byte[]> Kept { get; } = new(StringComparer.Ordinal);

        public override ReadOnlySpan<byte> Read(string key) => Kept.GetValueOrDefault(key);

        public override void Write(string key, ReadOnlySpan<byte> state) => Kept[key] = state.ToArray();
    }
}
