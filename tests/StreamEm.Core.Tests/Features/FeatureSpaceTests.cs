using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Features;

public sealed class FeatureSpaceTests
{
    private static readonly Feature Number = new("a"), Count = new("b", FeatureKind.Count, FeatureScaling.None);
    private static readonly Feature Level = new("c", FeatureKind.Level, FeatureScaling.None) { MaxLevels = 3 };

    [Fact]
    public void Kinds_OfNumbersAlone_AreNone()
    {
        Assert.Empty(new FeatureSpace([Number, Number with { Name = "z" }]).Kinds);
        Assert.Equal([FeatureKind.Number, FeatureKind.Count, FeatureKind.Level], new FeatureSpace([Number, Count, Level]).Kinds);
        Assert.Equal(["a", "b", "c"], new FeatureSpace([Number, Count, Level]).Names);
    }

    [Fact]
    public void Encode_Rows_ScalesWhatIsScaledAndCarriesTheRest()
    {
        var space = new FeatureSpace([Number with { Location = 10, Scale = 4 }, Count, new Feature("d") { Scale = 0.5 }]);
        Minibatch rows = new(3), inside = new(3);
        rows.Add([1, 2, 3]);
        rows.BeginSequence();
        rows.Add([12, 7, 3], weight: 2, label: 1, target: 5, key: 8, timestamp: 9);
        rows.Add([double.NaN, 0, 1e300]);
        Assert.True(space.Encode(rows, 0, 2, inside));
        Assert.False(space.Encode(rows, 1, 2, inside));
        Assert.Equal([0.5, 7, 6], inside.Row(0).ToArray());
        // Squares of what is inside must not overflow.
        Assert.Equal([double.NaN, 0, 1e100], inside.Row(1).ToArray());
        Assert.Equal((2.0, 1, 5.0, 8, 9L), (inside.Weight(0), inside.Label(0), inside.Target(0), inside.Key(0), inside.Timestamp(0)));
        Assert.Equal([0], inside.SequenceStarts.ToArray());
    }

    [Theory]
    [InlineData(0, 0.0, "Feature 'a' has location 0 and scale 0; expected a finite location and a positive scale.")]
    [InlineData(0, -1.5, "Feature 'a' has location 0 and scale -1.5; expected a finite location and a positive scale.")]
    [InlineData(0, double.PositiveInfinity,
        "Feature 'a' has location 0 and scale Infinity; expected a finite location and a positive scale.")]
    [InlineData(double.NaN, 1.0, "Feature 'a' has location NaN and scale 1; expected a finite location and a positive scale.")]
    public void Constructor_ScaleThatIsNone_IsRefused(double location, double scale, string expected)
    {
        ArgumentException exception =
            Assert.Throws<ArgumentException>(() => new FeatureSpace([Number with { Location = location, Scale = scale }]));
        Assert.StartsWith(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithMoments_OfAModel_StandardisesByThem()
    {
        var space = new FeatureSpace([Number, new Feature("s", Scaling: FeatureScaling.ScaleOnly), Count, new Feature("flat")]);
        FeatureSpace learned = space.WithMoments([3, 4, 5, 6], [4, 9, 16, 0]);
        Assert.Equal([3, 0, 0, 6], learned.Location.ToArray());
        Assert.Equal([2, 3, 1, 1], learned.Scale.ToArray());
        Assert.Equal((5, 16), (learned.Features[2].Mean, learned.Features[2].Variance));
        Assert.Equal([Math.Log(2), Math.Log(3), 0, 0], learned.LogScale.ToArray());
    }

    [Fact]
    public void WithScales_OfAnotherNumberOfFeatures_IsRefused()
    {
        var space = new FeatureSpace([Number, Count]);
        Assert.Equal([7, 8], space.WithScales([7, 8], [1, 2]).Location.ToArray());
        ArgumentException exception = Assert.Throws<ArgumentException>(() => space.WithScales([1], [1, 1]));
        Assert.StartsWith("Location has 1 features and scale 2; expected 2 each.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Select_SomeFeatures_KeepsWhatIsKnownOfThem()
    {
        FeatureSpace selected = new FeatureSpace([Number with { Scale = 5 }, Count, Level with { Levels = ["x", "y"] }]).Select([2, 0]);
        Assert.Equal(["c", "a"], selected.Names);
        Assert.Equal([1, 5], selected.Scale.ToArray());
        Assert.True(selected.HasLevels);
        Assert.Equal(["x", "y"], selected.Features[0].Levels);
    }

    [Fact]
    public void WithMostLevels_BeforeAnyRecord_HasRoomForThemAll()
    {
        var space = new FeatureSpace([Level, Level with { Name = "known", Levels = ["x"] }, Number]);
        Assert.Equal([3, 1, 0], space.WithMostLevels().Features.Select(feature => feature.Levels.Count));
        Assert.Equal(["p", "q"], space.WithLevels(d => d == 0 ? ["p", "q"] : ["r"]).Features[0].Levels);
    }

    [Fact]
    public void WithoutScaling_OfAPlan_LearnsMomentsOnly()
    {
        var rows = new Minibatch(1);
        rows.AddRange([4.0, 8]);
        FeatureSpace space = new FeatureSpace([Number]).WithoutScaling().Learn(rows);
        Assert.Equal((0, 1, 6, 4),
            (space.Features[0].Location, space.Features[0].Scale, space.Features[0].Mean, space.Features[0].Variance));
    }

    [Fact]
    public void SaveAndLoad_WhatWasLearned_GivesItBack()
    {
        var rows = new Minibatch(3);
        rows.Add([1, 5, 0]);
        rows.Add([4, 9, 1]);
        var plan = new FeatureSpace([Number, Count, Level]);
        FeatureSpace learned = plan.WithLevels(_ => ["x", "y"]).Learn(rows), loaded = FeatureSpaceState.Load(plan, Saved(learned));
        Assert.Equal(learned.Location, loaded.Location);
        Assert.Equal(learned.Scale, loaded.Scale);
        Assert.Equal(learned.Variances, loaded.Variances);
        Assert.Equal(learned.Features.Select(feature => feature.Mean), loaded.Features.Select(feature => feature.Mean));
        Assert.Equal(["x", "y"], loaded.Features[2].Levels);
        InvalidDataException exception =
            Assert.Throws<InvalidDataException>(() => FeatureSpaceState.Load(new FeatureSpace([Number]), Saved(learned)));
        Assert.Equal("The state's features are 3; expected 1.", exception.Message);
    }

    private static BinaryReader Saved(FeatureSpace space)
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        FeatureSpaceState.Save(space, writer);
        stream.Position = 0;
        return new BinaryReader(stream);
    }
}
