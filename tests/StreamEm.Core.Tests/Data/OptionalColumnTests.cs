using FsCheck;
using FsCheck.Fluent;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class OptionalColumnTests
{
    private const int Absent = -1;

    [Fact]
    public void Set_TheAbsentValue_StoresNothing()
    {
        var column = new OptionalColumn<int>(Absent);
        for (int row = 0; row < 1000; row++) column.Set(row, Absent);
        Assert.False(column.Any);
        Assert.True(column.Of(1000).IsEmpty);
        Assert.Equal(Absent, column.At(999));
    }

    [Fact]
    public void Set_AfterRowsWithout_GivesThoseTheAbsentValue()
    {
        var column = new OptionalColumn<double>(double.NaN);
        column.Set(300, 7);
        Assert.Equal([.. Enumerable.Repeat(double.NaN, 300), 7.0], column.Of(301).ToArray());
    }

    [Fact]
    public void Clear_ThenSet_HoldsNothingOfBefore()
    {
        var column = new OptionalColumn<int>(Absent);
        for (int row = 0; row < 5; row++) column.Set(row, 9);
        column.Clear();
        column.Set(3, 4);
        Assert.Equal([Absent, Absent, Absent, 4], column.Of(4).ToArray());
    }

    /// <summary>Every step of a walk: what a list would hold, and nothing stored where nothing but absent values is.</summary>
    [Fact]
    public void AnySteps_AgainstAList_HoldTheSame() => Prop.ForAll(Steps(), steps =>
    {
        var column = new OptionalColumn<int>(Absent);
        var list = new List<int>();
        foreach ((int kind, int[] values) in steps)
        {
            switch (kind)
            {
                case 0:
                    foreach (int value in values)
                    {
                        column.Set(list.Count, value);
                        list.Add(value);
                    }
                    break;
                case 1:
                    column.Append(list.Count, values.Length, values);
                    list.AddRange(values);
                    break;
                case 2:
                    column.Append(list.Count, values.Length, default);
                    list.AddRange(values.Select(_ => Absent));
                    break;
                default:
                    int removed = Math.Min(values.Length, list.Count);
                    column.RemoveFirst(removed, list.Count);
                    list.RemoveRange(0, removed);
                    if (list.All(value => value == Absent)) Assert.False(column.Any);
                    break;
            }
            Assert.Equal(list, Enumerable.Range(0, list.Count).Select(row => column.At(row)));
            Assert.Equal(column.Any ? list : [], column.Of(list.Count).ToArray());
        }
    }).QuickCheckThrowOnFailure();

    private static Arbitrary<(int Kind, int[] Values)[]> Steps() =>
        (from kind in Gen.Choose(0, 3) from values in Gen.Choose(Absent, 2).ArrayOf() select (kind, values)).ArrayOf().ToArbitrary();
}
