using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class TimestampsTests
{
    [Theory]
    [InlineData("1970-01-01", 0)]
    [InlineData("1970-01-02T00:00", 86_400_000)]
    [InlineData("1970-01-01T01:02:03Z", 3_723_000)]
    [InlineData("1970-01-01 00:00:00.5+01:00", -3_599_500)]
    [InlineData("1970-01-01T00:00:00.123456789-0130", 5_400_123)]
    [InlineData("2024-02-29t23:59:60z", 1709251200000)]
    [InlineData("0001-01-01", -62135596800000)]
    [InlineData("20241120T080000Z", 1732089600000)]
    [InlineData("20241120T0800+0100", 1732086000000)]
    [InlineData("2024/11/20 08:00:00.25", 1732089600250)]
    [InlineData("2024-11-20 08:00:00 UTC", 1732089600000)]
    [InlineData("2024-11-20 08:00:00 +01:00", 1732086000000)]
    [InlineData("2024-11-20T08:00:00,5 gmt", 1732089600500)]
    [InlineData("-1", -1000)]
    [InlineData("1.5e3", 1_500_000)]
    [InlineData("1795680000", 1795680000000)]
    [InlineData("1795680000.123", 1795680000123)]
    [InlineData("-1795680000.5", -1795680000500)]
    [InlineData("1795680000123", 1795680000123)]
    [InlineData("1795680000123.9", 1795680000123)]
    [InlineData("1795680000123456", 1795680000123)]
    [InlineData("1795680000123456789", 1795680000123)]
    [InlineData("-1795680000123456789", -1795680000124)]
    [InlineData("99999999999", 99999999999000)]
    [InlineData("100000000000", 100000000000)]
    [InlineData("99999999999999", 99999999999999)]
    [InlineData("100000000000000", 100000000000)]
    [InlineData("100000000000000000", 100000000000)]
    public void TryParse_Time_IsMillisecondsSince1970(string text, long expected)
    {
        Assert.True(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), TimestampUnit.Auto, out long milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Theory]
    [InlineData("1500", TimestampUnit.S, 1_500_000)]
    [InlineData("1500", TimestampUnit.Ms, 1500)]
    [InlineData("1500", TimestampUnit.Us, 1)]
    [InlineData("-1", TimestampUnit.Us, -1)]
    [InlineData("1500", TimestampUnit.Ns, 0)]
    [InlineData("1500.9", TimestampUnit.Ms, 1500)]
    [InlineData("1.25", TimestampUnit.S, 1250)]
    [InlineData("1970-01-02", TimestampUnit.Ns, 86_400_000)]
    public void TryParse_NumberOfAUnit_IsCountedInIt(string text, TimestampUnit unit, long expected)
    {
        Assert.True(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), unit, out long milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Fact]
    public void TryParse_NumberOfAUnitBeyondTheYear9999_IsRefused()
    {
        Assert.False(Timestamps.TryParse("1795680000000"u8, TimestampUnit.S, out _));
        Assert.False(Timestamps.TryParse("9223372036854775807"u8, TimestampUnit.S, out _));
    }

    [Theory]
    [InlineData("2023-02-29")]
    [InlineData("2024-13-01")]
    [InlineData("0000-01-01")]
    [InlineData("2024-01-01T24:00")]
    [InlineData("2024-01-01T10")]
    [InlineData("2024-01-01T10:00:00.")]
    [InlineData("2024-01-01T10:00:00+25:00")]
    [InlineData("2024-01-01X10:00")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("2024-11-20 08:00:00 CET")]
    [InlineData("2024/11-20")]
    [InlineData("26.11.2026 08:00")]
    [InlineData("1e300")]
    [InlineData("11/20/2026")]
    [InlineData("NaN")]
    public void TryParse_NoTime_IsRefused(string text) =>
        Assert.False(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), TimestampUnit.Auto, out _));
}
