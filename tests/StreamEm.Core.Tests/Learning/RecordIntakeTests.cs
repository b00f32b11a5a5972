using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;

namespace StreamEm.Core.Tests.Learning;

public sealed class RecordIntakeTests
{
    private static readonly FeatureSpace Plan = new(
    [
        new Feature("n"), new Feature("colour", FeatureKind.Level, FeatureScaling.None) { MaxLevels = 3 },
        new Feature("size", FeatureKind.Level, FeatureScaling.None) { MaxLevels = 2 },
    ]);

    [Fact]
    public void Take_TextsOfTables_BecomeCodesInTheStreamsOrder()
    {
        (RecordIntake intake, Minibatch pending) = New();
        // The table numbers what a source has read ahead, in another order.
        var texts = new TextTable();
        foreach (string text in (string[])["L", "blue", "S", "red"]) texts.Number(text);
        Take(intake, pending, texts, (1, "red", "S"), (2, "blue", "S"));
        Take(intake, pending, new TextTable(), (3, "blue", "L"), (4, null, "XL"), (5, "green", null));
        Assert.Equal([1, 0, 0, 2, 1, 0, 3, 1, 1, 4, double.NaN, double.NaN, 5, 2, double.NaN], pending.Values.ToArray());
        Assert.Equal(["red", "blue", "green"], intake.LevelsOf(1));
        Assert.Equal(["S", "L"], intake.LevelsOf(2));
        Assert.Equal([(1, 0L), (2, 1L)], intake.Unknown);
    }

    [Fact]
    public void Take_AfterTheLevelsAreFixed_CountsWhatIsNoneOfThem()
    {
        (RecordIntake intake, Minibatch pending) = New();
        Take(intake, pending, new TextTable(), (0, "red", "S"));
        intake.FixLevels();
        Take(intake, pending, new TextTable(), (0, "blue", "S"), (0, "blue", "L"), (0, "red", "S"));
        Assert.Equal([0, double.NaN, double.NaN, 0], [.. Enumerable.Range(0, 4).Select(row => pending.Row(row)[1])]);
        Assert.Equal([(1, 2L), (2, 1L)], intake.Unknown);
    }

    [Fact]
    public void Take_NumbersWithoutATable_AreTheirTexts()
    {
        (RecordIntake intake, Minibatch pending) = New();
        var records = new Minibatch(3);
        records.Add([1, 10, 0.5], label: 2, key: 7);
        records.Add([1, -0.0, 0.5]);
        records.Add([1, 0, 1e300]);
        intake.Take(records, 0, 3, pending);
        Assert.Equal(["10", "0"], intake.LevelsOf(1));
        Assert.Equal(["0.5", "1E+300"], intake.LevelsOf(2));
        Assert.Equal([0, 1, 1], [.. Enumerable.Range(0, 3).Select(row => pending.Row(row)[1])]);
        Assert.Equal((2, "7"), (pending.Label(0), pending.Texts!.Find(pending.Key(0))));
    }

    [Fact]
    public void Take_LabelsKeysAndTheRest_AreCarried()
    {
        (RecordIntake intake, Minibatch pending) = New();
        TextTable first = new(), second = new();
        _ = second.Number("something else");
        foreach (TextTable texts in (TextTable[])[first, second, first])
        {
            var records = new Minibatch(3, texts: texts);
            records.Add([0, double.NaN, double.NaN], 0.5, texts.Number("2"), 4, texts.Number("device"), 77);
            records.Add([0, double.NaN, double.NaN], label: texts.Number("odd"), key: texts.Number("other"));
            intake.Take(records, 0, 2, pending);
        }
        Assert.Equal([2, 0, 2, 0, 2, 0], pending.Labels.ToArray());
        Assert.Equal<string?[]>(
            ["device", "other", "device", "other", "device", "other"], [.. pending.Keys.ToArray().Select(key => pending.Texts!.Find(key))]);
        Assert.Equal(2, pending.Texts!.Count);
        Assert.Equal((0.5, 4.0, 77L), (pending.Weight(2), pending.Target(2), pending.Timestamp(2)));
    }

    [Fact]
    public void Take_RowsOfFeaturesAlone_CopiesTheRange()
    {
        var intake = new RecordIntake(new FeatureSpace([new Feature("a")]), new LabelNames(2));
        Minibatch records = new(1), pending = new(1, texts: new TextTable());
        records.AddRange([1.0, 2, 3, 4]);
        intake.Take(records, 1, 2, pending);
        Assert.Equal([2, 3.0], pending.Values.ToArray());
    }

    [Fact]
    public void SaveAndLoad_LevelsAndLabels_GoOn()
    {
        (RecordIntake intake, Minibatch pending) = New();
        Take(intake, pending, new TextTable(), (0, "red", "S"), (0, "blue", "L"), (0, "blue", "XL"));
        var stream = new MemoryStream();
        intake.Save(new BinaryWriter(stream));
        stream.Position = 0;
        (RecordIntake loaded, Minibatch later) = New();
        loaded.Load(new BinaryReader(stream));
        Take(loaded, later, new TextTable(), (0, "blue", "S"), (0, "green", "XL"));
        Assert.Equal([0, 1, 0, 0, 2, double.NaN], later.Values.ToArray());
        Assert.Equal([(1, 0L), (2, 2L)], loaded.Unknown);
    }

    private static (RecordIntake Intake, Minibatch Pending) New() =>
        (new RecordIntake(Plan, new LabelNames(3)), new Minibatch(3, texts: new TextTable()));

    private static void Take(
        RecordIntake intake, Minibatch pending, TextTable texts, params (double Number, string? Colour, string? Size)[] rows)
    {
        var records = new Minibatch(3, texts: texts, textFeatures: [1, 2]);
        double NumberOf(string? text) => text is null ? double.NaN : texts.Number(text);
        foreach ((double number, string? colour, string? size) in rows) records.Add([number, NumberOf(colour), NumberOf(size)]);
        intake.Take(records, 0, rows.Length, pending);
    }
}
