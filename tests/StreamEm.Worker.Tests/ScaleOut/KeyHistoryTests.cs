using StreamEm.Core.Learning;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What the topic of keys says of a partition: from where records are read again, and which keys learn from them.</summary>
public sealed class KeyHistoryTests
{
    private const long Begin = 10, Marked = 60;
    private static readonly Guid Old = new("00000000-0000-0000-0000-000000000001"), New = new("00000000-0000-0000-0000-000000000002");
    private static readonly KeyNames Names = new("machines", "x/0");

    private readonly States _states = new();

    [Fact]
    public void Mark_OfAllStatesBefore_SaysWhereTheyAre()
    {
        KeyStart start = Read(Entry("a", New, 30), Entry("b", New, 60), Mark(New, known: 0, keys: 2));

        Assert.Equal((Marked, Begin, "topic 1"), (start.Position, start.Begin, start.Identity));
        Assert.Empty(start.Ahead);
        Assert.Equal(30, Assert.Single(_states.Kept["a"]));
    }

    [Fact]
    public void States_AfterTheMark_AreAhead_AndTheFurthestCounts()
    {
        KeyStart start = Read(Entry("a", New, 50), Mark(New, known: 0, keys: 1), Entry("a", New, 80), Entry("a", New, 70));

        Assert.Equal(Marked, start.Position);
        Assert.Equal("a: 80", Ahead(start));
        Assert.Equal(80, Assert.Single(_states.Kept["a"]));
    }

    [Fact]
    public void AStateThatIsNotThere_HasAllReadAgain_ByWhoLacksIt()
    {
        KeyStart start = Read(Entry("a", New, 30), Mark(New, known: 0, keys: 2));

        Assert.Equal((Begin, Marked), (start.Position, start.Marked));
        Assert.Equal("a: 60", Ahead(start));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    [InlineData(25)]
    [InlineData(30)]
    public void ADamagedState_IsAsIfItWereNot(int at)
    {
        KeyMessage damaged = Entry("b", New, 60);
        damaged.Value[at] ^= 1;

        KeyStart start = Read(Entry("a", New, 30), Entry("b", New, 40), damaged, Mark(New, known: 0, keys: 2));

        Assert.Equal(40, start.Position);
        Assert.Equal("a: 60", Ahead(start));
        Assert.Equal(40, Assert.Single(_states.Kept["b"]));
    }

    [Fact]
    public void ADamagedState_ThatIsTheOnlyOneOfItsKey_IsNotKept_AndToBeWrittenAgain()
    {
        KeyMessage damaged = Entry("b", New, 60);
        damaged.Value[^1] ^= 1;

        KeyStart start = Read(Entry("a", New, 60), damaged, Mark(New, known: 0, keys: 2));

        Assert.Equal((Begin, "b"), (start.Position, Assert.Single(start.Behind)));
        Assert.Equal("a", Assert.Single(_states.Kept).Key);
    }

    [Fact]
    public void ADamagedState_ThatTheWriterOfTheMarkKnewOf_IsOnlyAsFarAsTheOneBefore()
    {
        KeyMessage damaged = Entry("b", Old, 60);
        damaged.Value[^1] ^= 1;

        // It may have been sound when it was read.
        KeyStart start = Read(Entry("a", Old, 60), Entry("b", Old, 40), damaged, Mark(New, known: 3, keys: 2));

        Assert.Equal((40, "a: 60"), (start.Position, Ahead(start)));
    }

    [Fact]
    public void States_WithoutAMark_AreAheadOfTheBeginning()
    {
        KeyStart start = Read(Entry("a", Old, 45), Entry("b", New, 30));

        Assert.Equal((0, 0, "a: 45, b: 30"), (start.Position, start.Marked, Ahead(start)));
        Assert.Null(start.Identity);
    }

    [Fact]
    public void Mark_SaysWhatTheModelsAreOf_AndHowManyThereAre()
    {
        var history = new KeyHistory(Names, _states);
        Assert.Equal((null, 0), (history.Schema, history.Missing));

        KeyMessage mark = Mark(New, known: 0, keys: 2);
        history.Take(0, mark.Name, mark.Value);

        Assert.Equal(("machine: x", 2), (history.Schema, history.Missing));
    }

    [Fact]
    public void AStateOfOneWhoHadLostThePartition_IsOnlyAsFarAsItSays()
    {
        // The later state of a, which was before the mark, is compacted away for the old one that came late.
        KeyStart start = Read(Entry("b", New, 60), Mark(New, known: 0, keys: 2), Entry("a", Old, 45));

        Assert.Equal(45, start.Position);
        Assert.Equal("b: 60", Ahead(start));
    }

    [Fact]
    public void AStateThatTheWriterOfTheMarkKnewOf_IsAsFarAsTheMark()
    {
        KeyStart start = Read(Entry("a", Old, 45), Mark(New, known: 1, keys: 1));

        Assert.Equal(Marked, start.Position);
        Assert.Empty(start.Ahead);
    }

    [Fact]
    public void AKeyWhoseLastStateIsNotItsFurthest_IsToBeWrittenAgain()
    {
        KeyStart start = Read(Entry("a", New, 60), Entry("b", New, 60), Mark(New, known: 0, keys: 2), Entry("a", Old, 45));

        Assert.Equal("a", Assert.Single(start.Behind));
        Assert.Equal((Marked, 60), (start.Position, Assert.Single(_states.Kept["a"])));
    }

    [Fact]
    public void AMark_ThatCameLate_TakesNothingBack()
    {
        KeyStart start = Read(
            Entry("a", New, 60), Mark(New, known: 0, keys: 1), Mark(Old, known: 0, keys: 1, position: 40));

        Assert.Equal(Marked, start.Position);
    }

    [Fact]
    public void AMark_OfWhichAByteIsChanged_IsNone()
    {
        KeyMessage mark = Mark(New, known: 0, keys: 1);
        for (int at = 0; at < mark.Value.Length; at++)
        {
            byte[] damaged = [.. mark.Value];
            damaged[at] ^= 4;
            Assert.Null(KeyMark.Decode(mark.Name, damaged));
        }

        Assert.NotNull(KeyMark.Decode(mark.Name, mark.Value));
        Assert.Null(KeyMark.Decode(Names.Of("a"), mark.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("ä")]
    public void Names_OfAnyKey_AreReadBack(string key)
    {
        Assert.True(Names.TryRead(Names.Of(key), out string? read));
        Assert.Equal(key, read);
        Assert.False(new KeyNames("machines", "x/01").TryRead(Names.Of(key), out _));
        Assert.False(Names.TryRead(new KeyNames("machines", "x/01").Of(key), out _));
    }

    [Fact]
    public void Topic_ThatIsEmpty_SaysNothing() => Assert.Null(new KeyHistory(Names, _states).Finish());

    private KeyStart Read(params KeyMessage[] messages)
    {
        var history = new KeyHistory(Names, _states);
        for (int at = 0; at < messages.Length; at++) history.Take(at, messages[at].Name, messages[at].Value);
        return history.Finish()!;
    }

    private static string Ahead(KeyStart start) => string.Join(", ", start.Ahead.Select(one => $"{one.Key}: {one.Value}"));

    private static KeyMessage Entry(string key, Guid tenure, long to) =>
        new(Names.Of(key), KeyEntry.Encode(Names.Of(key), tenure, to, alarm: [], [(byte)to]));

    private static KeyMessage Mark(Guid tenure, long known, long keys, long position = Marked) => new(Names.Mark, new KeyMark
    {
        Tenure = tenure,
        Known = known,
        Begin = Begin,
        Position = position,
        Keys = keys,
        Schema = "machine: x",
        Identity = "topic 1",
    }.Encode(Names.Mark));

    private sealed class States : KeyStates
    {
        public Dictionary<string, byte[]> Kept { get; } = new(StringComparer.Ordinal);

        public override ReadOnlySpan<byte> Read(string key) => Kept.GetValueOrDefault(key);

        public override void Write(string key, ReadOnlySpan<byte> state) => Kept[key] = state.ToArray();
    }
}
