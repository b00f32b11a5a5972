using System.Globalization;
using StreamEm.Core.Settings;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Kinds;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class KindTests
{
    [Theory]
    [InlineData("1ms", 1, "1ms")]
    [InlineData("500ms", 500, "500ms")]
    [InlineData("1000ms", 1000, "1s")]
    [InlineData("1.5s", 1500, "1500ms")]
    [InlineData("90s", 90_000, "90s")]
    [InlineData("5m", 300_000, "5m")]
    [InlineData("24h", 86_400_000, "1d")]
    [InlineData("365d", 31_536_000_000, "365d")]
    public void Duration_IsReadAndWrittenInTheLargestWholeUnit(string text, long milliseconds, string canonical)
    {
        var kind = new DurationKind();

        Assert.True(kind.TryParse(text, out TimeSpan value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
        Assert.Equal(canonical, kind.Format(value));
    }

    [Theory]
    [InlineData("0s")]
    [InlineData("0.4ms")]
    [InlineData("-1s")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("1 s")]
    [InlineData("1w")]
    [InlineData("1S")]
    [InlineData("366d")]
    [InlineData("999999999999d")]
    [InlineData("1e3s")]
    [InlineData("1s\n")]
    [InlineData("")]
    [InlineData(null)]
    public void OtherText_IsNoDuration(string? text) => Assert.False(new DurationKind().TryParse(text, out _));

    [Theory]
    [InlineData("127.0.0.1:8080", true, "http://127.0.0.1:8080/")]
    [InlineData("0.0.0.0:80", false, "http://127.0.0.1/")]
    [InlineData("[::]:8080", false, "http://[::1]:8080/")]
    [InlineData("[::1]:1", true, "http://[::1]:1/")]
    [InlineData("localhost:0", true, "http://localhost:0/")]
    [InlineData("10.1.2.3:65535", false, "http://10.1.2.3:65535/")]
    public void Address_KnowsWhoReachesItAndHow(string text, bool isLoopback, string client)
    {
        Assert.True(new AddressKind().TryParse(text, out _));
        Assert.Equal(isLoopback, AddressKind.IsLoopback(text));
        Assert.Equal(client, AddressKind.ClientUri(text).ToString());
    }

    [Theory]
    [InlineData("8080")]
    [InlineData(":8080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1:+1")]
    [InlineData("::1:8080")]
    [InlineData("[127.0.0.1]:8080")]
    [InlineData("example.org:80")]
    [InlineData("http://127.0.0.1:80")]
    [InlineData(null)]
    public void OtherText_IsNoAddress(string? text) => Assert.False(new AddressKind().TryParse(text, out _));

    [Theory]
    [InlineData("earliest", "earliest")]
    [InlineData("latest", "latest")]
    [InlineData("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z")]
    [InlineData("2026-11-20T08:00Z", "2026-11-20T08:00:00Z")]
    [InlineData("2026-11-20T09:00:00.25+01:00", "2026-11-20T08:00:00.25Z")]
    public void KafkaStart_IsReadAndWritten(string text, string canonical)
    {
        var kind = new KafkaStartKind();

        Assert.True(kind.TryParse(text, out KafkaStart start));
        Assert.Equal(canonical, kind.Format(start));
    }

    [Theory]
    [InlineData("newest")]
    [InlineData("2026-11-20")]
    [InlineData("2026-11-20T08:00:00")]
    [InlineData("2026-13-20T08:00:00Z")]
    [InlineData("1763625600000")]
    [InlineData(null)]
    public void OtherText_IsNoKafkaStart(string? text) => Assert.False(new KafkaStartKind().TryParse(text, out _));

    [Fact]
    public void Number_DependsOnNoCulture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
        try
        {
            var kind = new NumberKind(Interval.OpenClosed(0.5, 1));

            Assert.True(kind.TryParse("0.75", out double value));
            Assert.Equal("0.75", kind.Format(value));
            Assert.False(kind.TryParse("0,75", out _));
            Assert.Equal("a number, in (0.5, 1]", kind.Expected);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
