using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class NumbersTests
{
    private const int Trials = 200_000;

    private static readonly string[] Formats = ["R", "F6", "F0", "F15", "E16", "E3", "G17", "G5", "0.0000000000000000000000000e0"];

    [Theory]
    [InlineData("0", 0.0)]
    [InlineData("-0", -0.0)]
    [InlineData("5.", 5.0)]
    [InlineData(".5", 0.5)]
    [InlineData("+1.25", 1.25)]
    [InlineData("  7\t", 7.0)]
    [InlineData("1e3", 1000.0)]
    [InlineData("1E-3", 0.001)]
    [InlineData("00012", 12.0)]
    [InlineData("9007199254740993", 9007199254740992.0)]
    [InlineData("9007199254740993.00000000001", 9007199254740994.0)]
    [InlineData("4.9406564584124654e-324", double.Epsilon)]
    [InlineData("2.2250738585072011e-308", 2.225073858507201e-308)]
    [InlineData("1.7976931348623157e308", double.MaxValue)]
    [InlineData("1e-400", 0.0)]
    [InlineData("0e999999999999", 0.0)]
    public void Parse_Number_IsCorrectlyRounded(string text, double expected)
    {
        Assert.Equal(NumberOutcome.Finite, Numbers.Parse(Encoding.UTF8.GetBytes(text), MissingValues.Alone, out double value));
        Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(value));
    }

    [Theory]
    [InlineData("", nameof(NumberOutcome.Missing))]
    [InlineData("  ", nameof(NumberOutcome.Missing))]
    [InlineData("nan", nameof(NumberOutcome.Missing))]
    [InlineData("NaN", nameof(NumberOutcome.Missing))]
    [InlineData("NA", nameof(NumberOutcome.Missing))]
    [InlineData("NULL", nameof(NumberOutcome.Missing))]
    [InlineData("Infinity", nameof(NumberOutcome.NotFinite))]
    [InlineData("-inf", nameof(NumberOutcome.NotFinite))]
    [InlineData("\u221E", nameof(NumberOutcome.NotFinite))]
    [InlineData("1e400", nameof(NumberOutcome.NotFinite))]
    [InlineData("-1.8e308", nameof(NumberOutcome.NotFinite))]
    [InlineData("1e999999999999", nameof(NumberOutcome.NotFinite))]
    [InlineData("-", nameof(NumberOutcome.Missing))]
    [InlineData(".", nameof(NumberOutcome.NotANumber))]
    [InlineData("-.", nameof(NumberOutcome.NotANumber))]
    [InlineData("1.2.3", nameof(NumberOutcome.NotANumber))]
    [InlineData("1,5", nameof(NumberOutcome.NotANumber))]
    [InlineData("1e", nameof(NumberOutcome.NotANumber))]
    [InlineData("1e+", nameof(NumberOutcome.NotANumber))]
    [InlineData("e5", nameof(NumberOutcome.NotANumber))]
    [InlineData("--1", nameof(NumberOutcome.NotANumber))]
    [InlineData("0x10", nameof(NumberOutcome.NotANumber))]
    [InlineData("1 2", nameof(NumberOutcome.NotANumber))]
    [InlineData("12a", nameof(NumberOutcome.NotANumber))]
    [InlineData("\u0661", nameof(NumberOutcome.NotANumber))]
    public void Parse_NoFiniteNumber_SaysWhatItIs(string text, string expected)
    {
        Assert.Equal(expected, Numbers.Parse(Encoding.UTF8.GetBytes(text), MissingValues.Alone, out double value).ToString());
        Assert.True(double.IsNaN(value));
        Assert.False(TryParseFixedPoint(text, out _));
    }

    [Fact]
    public void Parse_RandomBitsInAnyFormat_EqualsTheRuntime()
    {
        int failures = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Trials / 10), Prop.ForAll(ArbMap.Default.ArbFor<long>(), bits =>
        {
            ulong mixed = (ulong)bits * 0x9E37_79B9_7F4A_7C15UL;
            foreach (ulong pattern in new[] { mixed, mixed ^ (mixed >> 31) })
            {
                double value = BitConverter.UInt64BitsToDouble(pattern);
                if (!double.IsFinite(value)) continue;
                foreach (string format in Formats) failures += Same(value.ToString(format, CultureInfo.InvariantCulture)) ? 0 : 1;
                double near = (value % 1000) + (pattern % 1_000_000 / 1e6);
                foreach (string format in Formats) failures += Same(near.ToString(format, CultureInfo.InvariantCulture)) ? 0 : 1;
            }
            return failures == 0;
        }));
    }

    [Fact]
    public void Parse_HalfWayCases_RoundToEven()
    {
        var bits = new ulong[] { 0x3FF0_0000_0000_0000, 0x4340_0000_0000_0001, 0x4330_0000_0000_0003, 0x43F0_0000_0000_0007,
            0x3FD5_5555_5555_5555 };
        foreach (ulong pattern in bits)
        {
            double low = BitConverter.UInt64BitsToDouble(pattern), high = BitConverter.UInt64BitsToDouble(pattern + 1);
            decimal half = low < 1e20 && low > 1 ? ((decimal)low + (decimal)high) / 2 : 0;
            if (half == 0) continue;
            string text = half.ToString(CultureInfo.InvariantCulture);
            Assert.True(Same(text), text);
            Assert.True(Same(text + (text.Contains('.', StringComparison.Ordinal) ? "" : ".") + "00000000000000000000000001"), text);
        }
    }

    [Theory]
    [InlineData(1, 16, 0.4)]
    [InlineData(17, 22, 0.1)]
    public void TryParse_FixedPoint_EqualsTheRuntime(int shortest, int longest, double leastShare)
    {
        if (!FixedPoint.IsSupported) Assert.Skip("This machine lacks SSE4.1.");
        ulong state = 7;
        int accepted = 0;
        var text = new StringBuilder();
        for (int trial = 0; trial < Trials; trial++)
        {
            int length = shortest + (int)(Next() % (ulong)(longest - shortest + 1)), point = (int)(Next() % 24);
            text.Clear();
            for (int i = 0; i < length; i++)
            {
                ulong noise = Next() % 400;
                text.Append(
                    i == point || noise == 0 ? '.' : i == 0 && Next() % 3 == 0 ? '-' : noise == 1 ? ':' : (char)('0' + (noise % 10)));
            }
            bool isNumber = double.TryParse(text.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double expected);
            if (!TryParseFixedPoint(text.ToString(), out double value)) continue;
            accepted++;
            Assert.True(isNumber, text.ToString());
            Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(value));
        }
        Assert.InRange(accepted, leastShare * Trials, Trials);

        ulong Next()
        {
            state = (state * 6364136223846793005UL) + 1442695040888963407UL;
            return state >> 33;
        }
    }

    private static bool Same(string text)
    {
        double expected = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        NumberOutcome outcome = Numbers.Parse(utf8, MissingValues.Alone, out double value);
        if (!double.IsFinite(expected)) return outcome == NumberOutcome.NotFinite;
        bool same = outcome == NumberOutcome.Finite && BitConverter.DoubleToInt64Bits(value) == BitConverter.DoubleToInt64Bits(expected);
        return same
            && (!TryParseFixedPoint(text, out value) || BitConverter.DoubleToInt64Bits(value) == BitConverter.DoubleToInt64Bits(expected));
    }

    private static bool TryParseFixedPoint(string text, out double value)
    {
        value = 0;
        const string Before = "3.1,-9.99,\"1.5.\",";
        byte[] padded = Encoding.UTF8.GetBytes(Before + text);
        if (!FixedPoint.IsSupported) return false;
        return FixedPoint.TryParse<CommaAndPoint>(ref padded[0], Before.Length, padded.Length, out value)
            || FixedPoint.TryParseLong<CommaAndPoint>(ref padded[0], Before.Length, padded.Length, out value);
    }
}
