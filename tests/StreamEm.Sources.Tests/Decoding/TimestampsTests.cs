using System.Text;
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
    [InlineData(" 1500 ", 1500)]
    [InlineData("-1", -1)]
    [InlineData("1.5e3", 1500)]
    [InlineData("1500.9", 1500)]
    [InlineData("", RecordBatch.NoTimestamp)]
    [InlineData("null", RecordBatch.NoTimestamp)]
    public void TryParse_Time_IsMillisecondsSince1970(string text, long expected)
    {
        Assert.True(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out long milliseconds));
        Assert.Equal(expected, milliseconds);
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
    [InlineData("253402300800000")]
    [InlineData("99999999999999999999")]
    [InlineData("1e300")]
    [InlineData("11/20/2026")]
    [InlineData("NaN")]
    public void TryParse_NoTime_IsRefused(string text) => Assert.False(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out _));
}
