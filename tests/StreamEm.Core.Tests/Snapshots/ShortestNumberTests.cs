using System.Globalization;
using System.Text;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Snapshots;

/// <summary>Beside the runtime's own text: as short, and it always reads back.</summary>
public sealed class ShortestNumberTests
{
    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-0.0, "-0")]
    [InlineData(1.0, "1")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(100.0, "100")]
    [InlineData(123456789012345.0, "123456789012345")]
    [InlineData(1e15, "1E+15")]
    [InlineData(1e23, "1E+23")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00012345, "0.00012345")]
    [InlineData(0.00001, "1E-05")]
    [InlineData(0.3, "0.3")]
    [InlineData(0.1 + 0.2, "0.30000000000000004")]
    [InlineData(double.Epsilon, "5E-324")]
    [InlineData(-2.2250738585072014E-308, "-2.2250738585072014E-308")]
    [InlineData(double.MaxValue, "1.7976931348623157E+308")]
    [InlineData(9007199254740993.0, "9007199254740992")]
    // The runtime leaves out the last digit of this power of two, and reads another number back.
    [InlineData(2.98023223876953125E-8, "2.9802322387695312E-08")]
    public void Write_KnownNumber_IsItsShortestText(double value, string expected) => Assert.Equal(expected, Text(value));

    [Fact]
    public void Write_EveryPowerOfTwoAndItsNeighbours_IsTheRuntimesText()
    {
        for (ulong exponent = 0; exponent < 2047; exponent++)
            foreach (ulong fraction in (ulong[])[0, 1, 2, (1UL << 51), (1UL << 52) - 1])
                Check(BitConverter.UInt64BitsToDouble(exponent << 52 | fraction));
    }

    [Fact]
    public void Write_RandomNumbersOfManyKinds_IsTheRuntimesText()
    {
        var random = new Random(5);
        for (int at = 0; at < 200_000; at++)
        {
            Check(BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)));
            Check((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-8, 20)));
            Check(Math.Round(random.NextDouble() * Math.Pow(10, random.Next(0, 12)), random.Next(0, 7)));
            Check(random.NextInt64(1L << random.Next(1, 63)));
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Write_NoNumber_IsRefused(double value) => Assert.Throws<ArgumentOutOfRangeException>(() => Text(value));

    private static void Check(double value)
    {
        if (!double.IsFinite(value)) return;
        string text = Text(value), runtime = value.ToString("R", CultureInfo.InvariantCulture);
        Assert.Equal(value, double.Parse(text, CultureInfo.InvariantCulture));
        // Integers of 16 and 17 digits that end in zeros the runtime writes out.
        bool isLaidOutOtherwise = Math.Abs(value) is >= 1e15 and < 1e17;
        if (text != runtime && !isLaidOutOtherwise) Assert.NotEqual(value, double.Parse(runtime, CultureInfo.InvariantCulture));
    }

    private static string Text(double value)
    {
        Span<byte> text = stackalloc byte[ShortestNumber.MaxLength];
        return Encoding.UTF8.GetString(text[..ShortestNumber.Write(value, text)]);
    }
}
