using StreamEm.Core.Models;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Tests.Settings;

public sealed class ValueKindTests
{
    [Theory]
    [InlineData("1", true)]
    [InlineData("+8", true)]
    [InlineData("10", true)]
    [InlineData("0", false)]
    [InlineData("11", false)]
    [InlineData("1.0", false)]
    [InlineData("1e0", false)]
    [InlineData("0x1", false)]
    [InlineData("1_0", false)]
    [InlineData("99999999999999999999", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Integer_IsDigitsInItsRange(string? text, bool fits) => Assert.Equal(fits, new IntegerKind(1, 10).TryParse(text, out _));

    [Theory]
    [InlineData("0.5000001", true)]
    [InlineData("1", true)]
    [InlineData("7e-1", true)]
    [InlineData("0.5", false)]
    [InlineData("1.0000001", false)]
    [InlineData("NaN", false)]
    [InlineData("Infinity", false)]
    [InlineData("0,7", false)]
    [InlineData(null, false)]
    public void Number_IsFiniteAndInItsInterval(string? text, bool fits) =>
        Assert.Equal(fits, new NumberKind(Interval.OpenClosed(0.5, 1)).TryParse(text, out _));

    [Theory]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    public void NumberBeyondDoublePrecision_DoesNotFit(string text) =>
        Assert.False(new NumberKind(Interval.AtLeast(-1)).TryParse(text, out _));

    [Theory]
    [InlineData("1e-6", "1E-06")]
    [InlineData("0.000001", "1E-06")]
    [InlineData("1.0", "1")]
    [InlineData("-0.0", "0")]
    [InlineData("0.1", "0.1")]
    public void EqualNumbers_HaveOneText(string written, string canonical)
    {
        var kind = new NumberKind(Interval.AtLeast(0));

        Assert.True(kind.TryParse(written, out double value));
        Assert.Equal(canonical, kind.Format(value));
    }

    [Fact]
    public void Choice_IsOneOfTheMembersInSnakeCase()
    {
        var kind = new ChoiceKind<ModelEventKind>(ModelEventKind.NoEvidence, ModelEventKind.CovarianceFloored);

        Assert.True(kind.TryParse("covariance_floored", out ModelEventKind value));
        Assert.Equal(ModelEventKind.CovarianceFloored, value);
        Assert.False(kind.TryParse("CovarianceFloored", out _));
        Assert.False(kind.TryParse("1", out _));
        Assert.False(kind.TryParse("dead", out _));
        Assert.Equal("no_evidence or covariance_floored", kind.Expected);
    }

    [Theory]
    [InlineData("true", true, true)]
    [InlineData("false", true, false)]
    [InlineData("True", false, false)]
    [InlineData("yes", false, false)]
    [InlineData(null, false, false)]
    public void Boolean_IsTrueOrFalse(string? text, bool fits, bool expected)
    {
        Assert.Equal(fits, new BooleanKind().TryParse(text, out bool value));
        Assert.Equal(expected, value);
    }

    [Fact]
    public void Nullable_TakesNullAndWhatItsKindTakes()
    {
        var kind = new NullableKind<double>(new NumberKind(Interval.Above(0)));

        Assert.True(kind.TryParse(null, out double? none) && none is null);
        Assert.True(kind.TryParse("2", out double? two) && two == 2);
        Assert.False(kind.TryParse("0", out _));
        Assert.Equal("a number, above 0, or null", kind.Expected);
    }

    [Fact]
    public void Text_IsNotEmptyAndHoldsNoNul()
    {
        Assert.True(new TextKind().TryParse("a", out _));
        Assert.False(new TextKind().TryParse("", out _));
        Assert.False(new TextKind().TryParse(null, out _));
        Assert.False(new TextKind().TryParse("a\0", out _));
        Assert.False(new OptionalTextKind().TryParse("a\0", out _));
        Assert.True(new OptionalTextKind().TryParse(null, out _));
    }
}
