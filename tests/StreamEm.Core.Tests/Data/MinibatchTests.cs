using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class MinibatchTests
{
    [Fact]
    public void RemoveFirst_OfTheRowsThatHaveMore_LeavesPlainOnes()
    {
        var batch = new Minibatch(1, 2);
        batch.Add([1]);
        batch.Add([2], weight: 3, label: 1, target: 0.5, key: 4, timestamp: 99);
        batch.Add([4]);
        Assert.Equal([1, 3, 1.0], batch.Weights.ToArray());
        Assert.Equal([Minibatch.Unlabelled, 1, Minibatch.Unlabelled], batch.Labels.ToArray());
        Assert.Equal([double.NaN, 0.5, double.NaN], batch.Targets.ToArray());
        Assert.Equal([Minibatch.NoKey, 4, Minibatch.NoKey], batch.Keys.ToArray());
        Assert.Equal([Minibatch.NoTimestamp, 99, Minibatch.NoTimestamp], batch.Timestamps.ToArray());
        batch.RemoveFirst(1);
        Assert.Equal([3, 1.0], batch.Weights.ToArray());
        Assert.False(batch.IsFeaturesOnly);
        batch.RemoveFirst(1);
        Assert.True(
            batch.Weights.IsEmpty && batch.Labels.IsEmpty && batch.Targets.IsEmpty && batch.Keys.IsEmpty && batch.Timestamps.IsEmpty);
        Assert.True(batch.IsFeaturesOnly);
        Assert.Equal([4], batch.Values.ToArray());
    }

    [Fact]
    public void Append_OfAnotherMinibatch_TakesWhatTheRowsHave()
    {
        var source = new Minibatch(1);
        for (int row = 0; row < 6; row++) source.Add([row], weight: row == 3 ? 2 : 1);
        var target = new Minibatch(1);
        target.Append(source, 0, 3);
        Assert.True(target.Weights.IsEmpty);
        target.AddRange([7.0, 8.0]);
        target.Append(source, 2, 3);
        target.AddRange([9.0]);
        Assert.Equal([0, 1, 2, 7, 8, 2, 3, 4, 9.0], target.Values.ToArray());
        Assert.Equal([1, 1, 1, 1, 1, 1, 2, 1, 1.0], target.Weights.ToArray());
    }

    [Fact]
    public void Append_RowsWithEverything_CopiesEverything()
    {
        Minibatch source = Full(), copy = new(2, texts: source.Texts), rest = new(2);
        copy.Add([-1, -2]);
        copy.Append(source, 1, 3);
        Assert.Equal(4, copy.Count);
        for (int row = 0; row < 3; row++) AssertSame(source, 1 + row, copy, 1 + row);
        Assert.Equal(Minibatch.NoKey, copy.Key(0));
        // Sequences of the source begin at rows 0, 2 and 4: one of them is among those taken.
        Assert.Equal([2], copy.SequenceStarts.ToArray());
        rest.Append(source, 0, 5);
        Assert.Equal([0, 2, 4], rest.SequenceStarts.ToArray());
        Assert.Equal(source.TotalWeight, rest.TotalWeight);
    }

    [Fact]
    public void Append_ChosenRows_GathersThemInTheirOrder()
    {
        Minibatch source = Full(), gathered = new(2);
        gathered.Append(source, [4, 0, 4]);
        AssertSame(source, 4, gathered, 0);
        AssertSame(source, 0, gathered, 1);
        AssertSame(source, 4, gathered, 2);
        Assert.True(gathered.SequenceStarts.IsEmpty);
    }

    [Fact]
    public void RemoveFirst_InTheMiddleOfASequence_KeepsTheStartsOfTheOthers()
    {
        Minibatch batch = Full(), expected = new(2);
        expected.Append(batch, 3, 2);
        batch.RemoveFirst(3);
        Assert.Equal([1], batch.SequenceStarts.ToArray());
        for (int row = 0; row < 2; row++) AssertSame(expected, row, batch, row);
        batch.RemoveFirst(1);
        Assert.Equal([0], batch.SequenceStarts.ToArray());
        batch.RemoveFirst(1);
        Assert.Equal((0, true), (batch.Count, batch.IsFeaturesOnly));
        batch.Add([5, 6]);
        Assert.Equal([5, 6], batch.Values.ToArray());
    }

    [Fact]
    public void Clear_ThenPlainRows_HaveNothingOfBefore()
    {
        Minibatch batch = Full();
        batch.Clear();
        batch.Add([1, 2]);
        Assert.True(batch.IsFeaturesOnly && batch.SequenceStarts.IsEmpty && batch.Weights.IsEmpty && batch.Keys.IsEmpty);
        Assert.Equal(1, batch.Weight(0));
    }

    [Fact]
    public void Append_RowsOfAnotherTable_TranslatesTheirTexts()
    {
        TextTable theirs = new(), ours = new();
        var source = new Minibatch(3, texts: theirs, textFeatures: [1]);
        source.Add([0.5, theirs.Number("red"), 1], label: theirs.Number("good"), key: theirs.Number("a"));
        source.Add([1.5, double.NaN, 2], key: theirs.Number("b"));
        source.Add([2.5, theirs.Number("good"), 3]);
        _ = ours.Number("b");
        _ = ours.Number("red");
        var target = new Minibatch(3, texts: ours, textFeatures: [1]);
        target.Add([9, ours.Number("red"), 0], key: ours.Number("b"));
        target.Append(source, 0, 3);

        Assert.Equal<string?[]>(["red", "red", null, "good"], [.. Enumerable.Range(0, 4).Select(row => TextOf(target, row))]);
        Assert.Equal<string?[]>(["b", "a", "b", null], [.. Enumerable.Range(0, 4).Select(row => ours.Find(target.Key(row)))]);
        Assert.Equal("good", ours[target.Label(1)]);
        Assert.Equal(Minibatch.Unlabelled, target.Label(2));
        // Numbers that are numbers stay.
        Assert.Equal([0.5, 1.5, 2.5], [.. Enumerable.Range(1, 3).Select(row => target.Row(row)[0])]);
        Assert.Equal(0, ours.Number("b"));
        // The source keeps its own.
        Assert.Equal("red", TextOf(source, 0));
    }

    [Fact]
    public void Append_ToAnEmptyMinibatchWithoutTable_TakesTheOthers()
    {
        var texts = new TextTable();
        Minibatch source = new(1, texts: texts), target = new(1), full = new(1);
        source.Add([1], key: texts.Number("k"));
        target.Append(source, 0, 1);
        Assert.Same(texts, target.Texts);
        Assert.Equal("k", texts[target.Key(0)]);
        full.Add([0]);
        Assert.Throws<InvalidOperationException>(() => full.Append(source, 0, 1));
    }

    [Fact]
    public void SetLabel_OfOneRowOfMany_LeavesTheOthersWithout()
    {
        var batch = new Minibatch(1);
        batch.AddRange([1.0, 2, 3, 4]);
        batch.SetLabel(1, Minibatch.Unlabelled);
        Assert.True(batch.IsFeaturesOnly);
        batch.SetLabel(2, 5);
        Assert.Equal([Minibatch.Unlabelled, Minibatch.Unlabelled, 5, Minibatch.Unlabelled], batch.Labels.ToArray());
        Assert.False(batch.IsFeaturesOnly);
    }

    [Fact]
    public void NextRow_CommittedOrNot_GrowsTheMinibatchByCommitsAlone()
    {
        var batch = new Minibatch(2, 1);
        for (int row = 0; row < 3; row++)
        {
            batch.NextRow[0] = -1;
            batch.NextRow[0] = row;
            batch.NextRow[1] = 10 * row;
            if (row == 1) batch.Commit(2, key: 3);
            else batch.Commit();
        }
        batch.NextRow[0] = 99;
        Assert.Equal([0, 0, 1, 10, 2, 20.0], batch.Values.ToArray());
        Assert.Equal([1, 2, 1.0], batch.Weights.ToArray());
        Assert.Equal([Minibatch.NoKey, 3, Minibatch.NoKey], batch.Keys.ToArray());
    }

    [Fact]
    public void Shapes_ThatDoNotFit_AreRefused()
    {
        var batch = new Minibatch(2);
        Assert.Throws<ArgumentException>(() => batch.Add([1]));
        Assert.Throws<ArgumentException>(() => batch.AddRange([1.0, 2, 3]));
        Assert.Throws<ArgumentException>(() => batch.Append(new Minibatch(3), 0, 0));
    }

    [Fact]
    public void SaveAndLoad_RowsWithEverything_GivesThemBackWithTheirTexts()
    {
        Minibatch saved = Full(), loaded = new(2, texts: new TextTable());
        _ = loaded.Texts!.Number("met before");
        Load(Save(saved), loaded);
        Assert.Equal(saved.Count, loaded.Count);
        for (int row = 0; row < saved.Count; row++)
        {
            Assert.Equal(saved.Row(row), loaded.Row(row));
            Assert.Equal(saved.Texts!.Find(saved.Key(row)), loaded.Texts.Find(loaded.Key(row)));
            Assert.Equal(
                (saved.Weight(row), saved.Label(row), saved.Target(row), saved.Timestamp(row)),
                (loaded.Weight(row), loaded.Label(row), loaded.Target(row), loaded.Timestamp(row)));
        }
        Assert.Equal(Save(saved), Save(loaded));
    }

    [Fact]
    public void Load_CutAnywhere_IsRefused()
    {
        byte[] state = Save(Full());
        for (int length = 0; length < state.Length; length++)
            Assert.ThrowsAny<Exception>(() => Load(state[..length], new Minibatch(2, texts: new TextTable())));
    }

    [Fact]
    public void Load_ColumnOfAnotherLength_IsRefused()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.WriteDoubles([1, 2, 3, 4]);
        writer.WriteDoubles([1, 1, 1]);
        foreach (int _ in (int[])[1, 2, 3, 4]) writer.Write(0);
        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => Load(stream.ToArray(), new Minibatch(2)));
        Assert.Equal("A saved minibatch of 2 rows has a column of 3.", exception.Message);
    }

    /// <summary>Five rows with all there is; sequences begin at 0, 2 and 4.</summary>
    private static Minibatch Full()
    {
        var texts = new TextTable();
        var batch = new Minibatch(2, 1, texts);
        for (int row = 0; row < 5; row++)
        {
            if (row % 2 == 0) batch.BeginSequence();
            int label = row == 1 ? Minibatch.Unlabelled : row;
            batch.Add([row, row == 3 ? double.NaN : -row], row + 0.5, label, 10 * row, texts.Number($"key {row / 2}"), 1000 + row);
        }
        return batch;
    }

    private static void AssertSame(Minibatch expected, int row, Minibatch actual, int at)
    {
        Assert.Equal(expected.Row(row), actual.Row(at));
        Assert.Equal(
            (expected.Weight(row), expected.Label(row), expected.Target(row), expected.Key(row), expected.Timestamp(row)),
            (actual.Weight(at), actual.Label(at), actual.Target(at), actual.Key(at), actual.Timestamp(at)));
    }

    private static string? TextOf(Minibatch batch, int row) =>
        double.IsNaN(batch.Row(row)[1]) ? null : batch.Texts![(int)batch.Row(row)[1]];

    private static byte[] Save(Minibatch batch)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.WriteMinibatch(batch);
        return stream.ToArray();
    }

    private static void Load(byte[] state, Minibatch batch) => new BinaryReader(new MemoryStream(state)).ReadMinibatch(batch);
}
