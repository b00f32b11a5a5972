using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Features;

public sealed class LevelCodesTests
{
    [Fact]
    public void CodeOf_TextsAsTheyCome_NumbersThemUntilThereIsNoRoom()
    {
        var codes = new LevelCodes(2, []);
        Assert.Equal([0, 1, 0, double.NaN, 1],
            [codes.CodeOf("b"), codes.CodeOf("a"), codes.CodeOf("b"), codes.CodeOf("c"), codes.CodeOf("a")]);
        Assert.Equal(1, codes.Unknown);
        Assert.Equal(["b", "a"], codes.Texts);
    }

    [Fact]
    public void CodeOf_OnceFixed_CountsWhatIsNoLevel()
    {
        var codes = new LevelCodes(10, []);
        Assert.Equal(0, codes.CodeOf("a"));
        codes.IsFixed = true;
        Assert.Equal([double.NaN, double.NaN, 0], [codes.CodeOf("b"), codes.CodeOf("b"), codes.CodeOf("a")]);
        Assert.Equal(2, codes.Unknown);
    }

    [Fact]
    public void CodeOf_LevelsGiven_AreFixedFromTheStart()
    {
        var codes = new LevelCodes(1, ["x", "y"]);
        Assert.Equal([1, double.NaN], [codes.CodeOf("y"), codes.CodeOf("z")]);
    }

    [Fact]
    public void Find_ATextThatIsNone_ChangesNothing()
    {
        var codes = new LevelCodes(5, []);
        Assert.Equal(double.NaN, codes.Find("a"));
        Assert.Equal(0, codes.CodeOf("b"));
        Assert.Equal((0, 0L, 1), (codes.Find("b"), codes.Unknown, codes.Texts.Count));
    }

    [Fact]
    public void SaveAndLoad_KeepLevelsAndWhatWasCounted()
    {
        var codes = new LevelCodes(5, []);
        foreach (string text in (string[])["q", "p"]) codes.CodeOf(text);
        codes.IsFixed = true;
        codes.CodeOf("r");
        var stream = new MemoryStream();
        codes.Save(new BinaryWriter(stream));
        stream.Position = 0;
        var loaded = new LevelCodes(5, ["of before"]);
        loaded.Load(new BinaryReader(stream));
        Assert.Equal(["q", "p"], loaded.Texts);
        Assert.Equal((true, 1L, 1), (loaded.IsFixed, loaded.Unknown, loaded.CodeOf("p")));
    }

    [Fact]
    public void Reader_TextsAndNumbers_BecomeTheSpacesCodes()
    {
        var space = new FeatureSpace(
        [
            new Feature("n"), new Feature("l", FeatureKind.Level, FeatureScaling.None) { Levels = ["red", "blue"] },
            new Feature("m", FeatureKind.Level, FeatureScaling.None) { Levels = ["1.5", "0", "7"] },
        ]);
        var reader = new LevelReader(space);
        TextTable texts = new();
        var rows = new Minibatch(3, texts: texts);
        rows.Add([4, texts.Number("blue"), texts.Number("7")], weight: 2, key: texts.Number("k"));
        rows.Add([double.NaN, texts.Number("green"), double.NaN]);
        Minibatch codes = reader.Encode(rows);
        Assert.Equal([4, 1, 2, double.NaN, double.NaN, double.NaN], codes.Values.ToArray());
        Assert.Equal((2.0, "k"), (codes.Weight(0), codes.Texts!.Find(codes.Key(0))));
        var numbers = new Minibatch(3);
        numbers.Add([1, double.NaN, 1.5]);
        numbers.Add([2, 3, -0.0]);
        Assert.Equal([1, double.NaN, 0, 2, double.NaN, 1], reader.Encode(numbers).Values.ToArray());
        // What came is left as it was.
        Assert.Equal(0, rows.Row(0)[1]);
    }
}
