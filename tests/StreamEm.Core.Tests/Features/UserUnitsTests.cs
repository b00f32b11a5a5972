using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Features;

public sealed class UserUnitsTests
{
    /// <summary>Two features: x = 10 + 4 inside, and x = -2 + 0.5 inside.</summary>
    private static readonly FeatureSpace Space =
        new([new Feature("a") { Location = 10, Scale = 4 }, new Feature("b") { Location = -2, Scale = 0.5 }]);

    [Theory]
    [InlineData(Units.None, new[] { 3.0, 5 }, new[] { 3.0, 5 })]
    [InlineData(Units.Value, new[] { 3.0, 6 }, new[] { 22.0, 1 })]
    [InlineData(Units.Deviation, new[] { 3.0, 6 }, new[] { 12.0, 3 })]
    [InlineData(Units.Square, new[] { 3.0, 8 }, new[] { 48.0, 2 })]
    public void ToAndFrom_EachUnit_AppliesLocationAndScale(Units units, double[] inside, double[] user)
    {
        var layout = new VectorLayout().Add("b", units, Domain.Real, 2, 2);
        double[] twice = [.. inside, .. inside], expected = [.. user, .. user], result = new double[4];
        UserUnits.To(layout, twice, Space, result);
        Assert.Equal(expected, result);
        UserUnits.From(layout, expected, Space, result);
        Assert.Equal(twice, result);
    }

    [Fact]
    public void ToAndFrom_Products_ApplyTheScalesOfRowAndColumn()
    {
        var layout = new VectorLayout().Add("covariances", Units.Product, Domain.PositiveDefinite, 2, 2, 2);
        double[] inside = [2, 1, 1, 8, 1, 0, 0, 1], result = new double[8];
        UserUnits.To(layout, inside, Space, result);
        Assert.Equal([32, 2, 2, 2, 16, 0, 0, 0.25], result);
        UserUnits.From(layout, result, Space, result);
        Assert.Equal(inside, result);
    }

    [Fact]
    public void ToAndFrom_BlocksOfSomeFeatures_FollowThose()
    {
        var part = new VectorLayout().Add("means", Units.Value, Domain.Real, 2, 1);
        VectorLayout layout = new VectorLayout().Append(part, "second.", [1]).Append(part, "first.", [0]);
        double[] result = new double[4];
        UserUnits.To(layout, [1, 2, 1, 2], Space, result);
        Assert.Equal([-1.5, -1, 14, 18], result);
        Assert.Equal(["second.means", "first.means"], layout.Blocks.Select(block => block.Name));
        // A part of a part: its features are those of the whole.
        VectorLayout nested = new VectorLayout().Append(new VectorLayout().Append(part, "inner.", [1]), "outer.", [3, 7]);
        Assert.Equal([7], nested["outer.inner.means"].Features);
    }

    [Theory]
    [InlineData(Domain.Real, new[] { 1, double.NaN, 3 }, "Entry (0, 1) of b is NaN; expected a finite number.")]
    [InlineData(Domain.Real, new[] { 1, 2, double.NegativeInfinity }, "Entry (0, 2) of b is -Infinity; expected a finite number.")]
    [InlineData(Domain.Positive, new[] { 1, 0.0, 3 }, "Entry (0, 1) of b is 0; expected a positive number.")]
    [InlineData(Domain.Positive, new[] { 1, double.PositiveInfinity, 3 }, "Entry (0, 1) of b is Infinity; expected a positive number.")]
    [InlineData(Domain.Probability, new[] { 0, 1, 1.5 }, "Entry (0, 2) of b is 1.5; expected a probability, in [0, 1].")]
    [InlineData(Domain.Probability, new[] { -0.25, 1, 1 }, "Entry (0, 0) of b is -0.25; expected a probability, in [0, 1].")]
    [InlineData(Domain.Simplex, new[] { 0.5, -0.5, 1 }, "Entry (0, 1) of b is -0.5; expected at least 0.")]
    [InlineData(Domain.Simplex, new[] { 0.5, 0.5, 0.5 }, "The numbers of row 0 of b sum to 1.5; expected 1.")]
    public void From_ValueOutsideItsDomain_IsRefusedByItsPlace(Domain domain, double[] values, string expected)
    {
        var layout = new VectorLayout().Add("b", Units.None, domain, 1, 3);
        ArgumentException exception = Assert.Throws<ArgumentException>(() => UserUnits.From(layout, values, Space, new double[3]));
        Assert.Equal(expected, exception.Message);
    }

    [Fact]
    public void From_ValueOutsideItsDomain_IsNamedByAllItsIndices()
    {
        var layout = new VectorLayout().Add("rates", Units.None, Domain.Positive, 2, 3, 2);
        double[] values = [.. Enumerable.Repeat(1.0, 12)];
        values[9] = -1;
        Assert.Equal("Entry (1, 1, 1) of rates is -1; expected a positive number.", Refusal(layout, values));
        var vector = new VectorLayout().Add("shares", Units.None, Domain.Simplex, 3);
        Assert.Equal("The numbers of the shares sum to 0.75; expected 1.", Refusal(vector, [0.25, 0.25, 0.25]));
        var rows = new VectorLayout().Add("transitions", Units.None, Domain.Simplex, 2, 2);
        Assert.Equal("The numbers of row 1 of transitions sum to 0.5; expected 1.", Refusal(rows, [1, 0, 0.5, 0]));
        Assert.Equal("Entry () of nu is 0; expected a positive number.",
            Refusal(new VectorLayout().Add("nu", Units.None, Domain.Positive), [0]));
    }

    [Fact]
    public void From_MatrixThatIsNone_IsRefused()
    {
        var layout = new VectorLayout().Add("covariances", Units.Product, Domain.PositiveDefinite, 2, 2, 2);
        Assert.Equal("Covariance of component 1 is not symmetric: entry (1, 0) is 0.5, entry (0, 1) is 0.25.",
            Refusal(layout, [1, 0, 0, 1, 1, 0.25, 0.5, 1]));
        Assert.StartsWith("Covariance of component 0 is not positive definite (pivot ", Refusal(layout, [1, 2, 2, 1, 1, 0, 0, 1]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void From_SharesOfSixDigits_AreTaken()
    {
        var layout = new VectorLayout().Add("weights", Units.None, Domain.Simplex, 3);
        double[] result = new double[3];
        UserUnits.From(layout, [0.333333, 0.333333, 0.333334], Space, result);
        UserUnits.From(layout, [0.333333, 0.333333, 0.3333335], Space, result);
        Assert.Equal([0.333333, 0.333333, 0.3333335], result);
    }

    private static string Refusal(VectorLayout layout, double[] values) =>
        Assert.Throws<ArgumentException>(() => UserUnits.From(layout, values, Space, new double[layout.Length])).Message;
}
