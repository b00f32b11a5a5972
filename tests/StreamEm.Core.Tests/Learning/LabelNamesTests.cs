using StreamEm.Core.Data;
using StreamEm.Core.Learning;

namespace StreamEm.Core.Tests.Learning;

public sealed class LabelNamesTests
{
    [Theory]
    [InlineData("a", 0)]
    [InlineData("2", 2)]
    [InlineData("-1", Minibatch.Unlabelled)]
    [InlineData("", Minibatch.Unlabelled)]
    [InlineData("[\"a\"]", 0)]
    [InlineData("{\"a\":1}", 0)]
    [InlineData("[\"a\",\"b\",\"c\"]", Minibatch.Unlabelled)]
    [InlineData("{\"not\":[\"a\",\"b\"]}", 2)]
    [InlineData("{\"not\":\"zzzz\"}", -2)]
    [InlineData("[]", Minibatch.Unlabelled)]
    [InlineData("[unknown]", 0)]
    [InlineData("{x}", 0)]
    public void Read_OneComponentNoneOrAll_IsALabelOfItsOwn(string text, int label) =>
        Assert.Equal(label, new LabelNames(3).Read(text, new Minibatch(1)));

    [Fact]
    public void Read_SeveralNames_SaysSomethingOfEach()
    {
        var names = new LabelNames(3);
        double[] Said(string text)
        {
            var rows = new Minibatch(1);
            rows.Add([0], label: names.Read(text, rows));
            return rows.Evidence(0).ToArray();
        }
        Assert.Equal([1, 1, 0], Said("[\"a\",\"b\"]"));
        Assert.Equal([0, 1, 1], Said("{\"not\":\"a\"}"));
        Assert.Equal([1, 0, 0.25], Said("{\"a\":0.8,\"c\":0.2}"));
        Assert.Equal(["a", "b", "c"], names.Names);
        // Of a fourth nothing is known: to say it might be that leaves all open, to say it is not says nothing.
        Assert.Equal([], Said("[\"a\",\"d\"]"));
        Assert.Equal([], Said("{\"a\":0.5,\"d\":0.5}"));
        Assert.Equal([0, 1, 1], Said("{\"not\":[\"a\",\"d\"]}"));
        Assert.Equal(3, names.Unknown);
    }

    /// <summary>Labels that are numbers are written as numbers in JSON.</summary>
    [Theory]
    [InlineData("{\"not\":0}", new double[] { 0, 1, 1 })]
    [InlineData("{\"not\":1}", new double[] { 1, 0, 1 })]
    [InlineData("{\"not\": 2 }", new double[] { 1, 1, 0 })]
    [InlineData("{\"not\":[2]}", new double[] { 1, 1, 0 })]
    [InlineData("[0,2]", new double[] { 1, 0, 1 })]
    [InlineData("{\"not\":0.5,\"2\":0.5}", new double[] { 1, 0, 1 })]
    public void Read_Numbers_AreNamesLikeOthers(string text, double[] said)
    {
        var rows = new Minibatch(1);
        rows.Add([0], label: new LabelNames(3).Read(text, rows));
        Assert.Equal(said, rows.Evidence(0).ToArray());
    }

    [Fact]
    public void Read_OfClasses_TakesThemInTheirOrderUntilTheyAreFixed()
    {
        var names = new LabelNames(4, areClasses: true);
        var rows = new Minibatch(1);
        Assert.Equal([0, 1, 0], [names.Read("7", rows), names.Read("0", rows), names.Read("7", rows)]);
        names.IsFixed = true;
        Assert.Equal(Minibatch.Unlabelled, names.Read("1", rows));
        Assert.Equal((1L, 2), (names.Unknown, names.Known.Count));
    }

    [Fact]
    public void Minibatch_UncertainLabels_AreCarriedCutAndSaved()
    {
        Minibatch rows = new(1), other = new(1);
        for (int row = 0; row < 6; row++)
            rows.Add([row], label: row % 2 == 0 ? rows.AddEvidence([1, row / 10.0, 0]) : row == 3 ? 2 : Minibatch.Unlabelled);
        other.Add([9]);
        other.Append(rows, 1, 4);
        other.Append(rows, [4, 3]);
        double[][] expected = [[], [], [1, 0.2, 0], [], [1, 0.4, 0], [1, 0.4, 0], []];
        Assert.Equal(expected, [.. Enumerable.Range(0, 7).Select(row => other.Evidence(row).ToArray())]);
        other.RemoveFirst(3);
        Assert.Equal(expected[3..], [.. Enumerable.Range(0, 4).Select(row => other.Evidence(row).ToArray())]);
        other.Add([1], label: other.TakeLabel(rows, 2));
        Assert.Equal([1, 0.2, 0], other.Evidence(4).ToArray());

        var stream = new MemoryStream();
        new BinaryWriter(stream).WriteMinibatch(other);
        stream.Position = 0;
        var loaded = new Minibatch(1);
        new BinaryReader(stream).ReadMinibatch(loaded);
        Assert.Equal([.. Enumerable.Range(0, 5).Select(row => other.Evidence(row).ToArray())],
            Enumerable.Range(0, 5).Select(row => loaded.Evidence(row).ToArray()).ToArray());
        Assert.Equal((2, true, false), (loaded.Label(0), loaded.HasLabelsOf(3, 3), loaded.HasLabelsOf(3, 4)));
        loaded.Clear();
        loaded.Add([1], label: loaded.AddEvidence([1, 0]));
        Assert.Equal([1, 0], loaded.Evidence(0).ToArray());
    }
}
