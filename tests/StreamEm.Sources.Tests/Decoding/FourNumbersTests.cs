using System.Globalization;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed unsafe class FourNumbersTests
{
    private const int Trials = 300_000;

    /// <summary>So that 16 bytes lie before the first field's end.</summary>
    private const string Before = "################";

    private ulong _state = 7;

    [Theory]
    [InlineData(false, "\n")]
    [InlineData(true, "\n")]
    [InlineData(true, "\r\n")]
    public void TryTake_RandomFields_EqualTheRuntime(bool isLast, string lineEnd)
    {
        if (!FourNumbers.IsSupported) Assert.Skip("This machine lacks AVX2.");
        int taken = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            string[] fields = [Field(), Field(), Field(), Field()];
            bool isTaken = TryTake(fields, isLast, lineEnd, out double[] values);
            // What it does not take, FixedPoint or the slow way does; it must not refuse what it is there for.
            Assert.Equal(fields.All(IsForIt), isTaken);
            if (!isTaken) continue;
            taken++;
            for (int i = 0; i < FourNumbers.Count; i++)
            {
                double expected = double.Parse(fields[i], NumberStyles.Float, CultureInfo.InvariantCulture);
                Assert.True(BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(values[i]), fields[i]);
            }
        }
        Assert.InRange(taken, 0.2 * Trials, Trials);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("-.")]
    [InlineData("+1")]
    [InlineData("1e3")]
    [InlineData("1..2")]
    [InlineData("1-2")]
    [InlineData("--1")]
    [InlineData("1.2.3")]
    [InlineData("1:2")]
    [InlineData("1/2")]
    [InlineData(" 1")]
    [InlineData("12345678901234567")]
    [InlineData("9007199254740993")]
    [InlineData("99999999.99999999")]
    [InlineData("1\u0661")]
    public void TryTake_OneFieldThatIsNotForIt_TakesNothing(string text)
    {
        if (!FourNumbers.IsSupported) Assert.Skip("This machine lacks AVX2.");
        for (int place = 0; place < FourNumbers.Count; place++)
        {
            string[] fields = ["-1.5", "2", ".25", "-0"];
            Assert.True(TryTake(fields, isLast: true, "\n", out double[] values));
            Assert.Equal([-1.5, 2, 0.25, -0.0], values);
            fields[place] = text;
            Assert.False(TryTake(fields, isLast: true, "\n", out _), string.Join(',', fields));
        }
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Decode_AnyNumberOfColumns_GivesEveryNumber(string lineEnd)
    {
        for (int columns = 1; columns <= 13; columns++)
        {
            string[] names = [.. Enumerable.Range(0, columns).Select(c => FormattableString.Invariant($"x{c}"))];
            var text = new StringBuilder(string.Join(',', names) + lineEnd);
            var expected = new List<double>();
            for (int row = 0; row < 200; row++)
            {
                for (int c = 0; c < columns; c++)
                {
                    double value = ((long)(Next() % 2_000_000) - 1_000_000) / 1000.0 * (Next() % 9 == 0 ? 1e-12 : 1);
                    expected.Add(value);
                    text.Append(c > 0 ? "," : "").Append(value.ToString("R", CultureInfo.InvariantCulture));
                }
                text.Append(lineEnd);
            }
            byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
            var decoder = RecordDecoder.Create(RecordFormat.Csv, new RecordSchema { Features = names });
            var batch = new RecordBatch(columns);
            batch.Clear("test");
            Assert.True(decoder.TryBegin(bytes, isFinal: true, "test", out int used));
            Assert.Equal(bytes.Length - used, decoder.Decode(bytes.AsSpan(used), used, isFinal: true, batch));
            Assert.Equal(expected, batch.Records.Values.ToArray());
        }
    }

    private static bool TryTake(string[] fields, bool isLast, string lineEnd, out double[] values)
    {
        byte[] text = Encoding.UTF8.GetBytes(Before + "," + string.Join(',', fields) + (isLast ? lineEnd : ",") + "0123456789");
        var places = new List<int> { Before.Length };
        foreach (string field in fields) places.Add(places[^1] + 1 + Encoding.UTF8.GetByteCount(field));
        if (isLast && lineEnd.Length > 1) places[^1]++;
        int[] ends = [.. places];
        values = new double[FourNumbers.Count];
        fixed (byte* data = text)
        fixed (int* end = ends)
        fixed (double* value = values)
            return FourNumbers.TryTake<CommaAndPoint>(data, end + 1, isLast, value);
    }

    /// <summary>1 to 16 digits with at most one point, not the last, and a minus in front; the digits below 2^53.</summary>
    private static bool IsForIt(string field)
    {
        if (field.Length > 16
            || !double.TryParse(field, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _))
            return false;
        return field[0] != '+' && field[^1] != '.'
            && ulong.Parse(field.Replace(".", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal),
                CultureInfo.InvariantCulture) < 1UL << 53;
    }

    private string Field()
    {
        int length = 1 + (int)(Next() % 17), point = (int)(Next() % 24);
        var text = new StringBuilder();
        for (int i = 0; i < length; i++)
        {
            ulong noise = Next() % 800;
            text.Append(i == point || noise == 0 ? '.' : i == 0 && Next() % 3 == 0 ? '-' : noise == 1 ? ':' : (char)('0' + (noise % 10)));
        }
        return text.ToString();
    }

    private ulong Next()
    {
        _state = (_state * 6364136223846793005UL) + 1442695040888963407UL;
        return _state >> 33;
    }
}
