using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>What is decoded depends on the bytes alone, however they arrive; and no bytes at all make a decoder throw.</summary>
public sealed class ChunkingTests
{
    private const int Tables = 300;

    private static readonly RecordSchema Schema = new() { Features = ["a", "b"], Label = "l", Weight = "w" };
    private static readonly string[] Labels = ["x", "", "a,b", "q\"q", "line\nbreak", "\r\n", " pad ", "\u00E9\u4E16", "\"", "NA"];

    [Fact]
    public void Csv_RandomTable_RoundTripsInPiecesOfAnySize()
    {
        Gen<(double A, double? B, int Label, int Style)> row =
            from a in ArbMap.Default.GeneratorFor<NormalFloat>()
            from b in ArbMap.Default.GeneratorFor<NormalFloat>()
            from label in Gen.Choose(0, Labels.Length - 1)
            from style in Gen.Choose(0, 15)
            select ((double)a, style % 5 == 0 ? null : (double?)(double)b, label, style);
        Gen<((double A, double? B, int Label, int Style)[] Rows, int Piece)> table =
            from rows in row.ArrayOf()
            from piece in Gen.Choose(1, 200)
            select (rows, piece);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Tables), Prop.ForAll(table.ToArbitrary(), drawn =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes("w,l,b,a\r\n" + string.Concat(drawn.Rows.Select(Write)));
            List<string> whole = Decoded.InPieces(RecordFormat.Csv, Schema, bytes, () => bytes.Length, capacity: 1000);
            List<string> pieces = Decoded.InPieces(RecordFormat.Csv, Schema, bytes, () => drawn.Piece, capacity: 3);
            IEnumerable<string> expected = drawn.Rows.Select(r => string.Create(
                CultureInfo.InvariantCulture, $"[{r.A:R} {r.B ?? double.NaN:R}] w=1 l={Read(Labels[r.Label])} "));
            return whole.Count == drawn.Rows.Length
                && whole.Zip(expected).All(pair => pair.First.Contains(pair.Second, StringComparison.Ordinal))
                && whole.SequenceEqual(pieces);
        }));
    }

    [Theory]
    [InlineData(RecordFormat.Csv, "a,b,l,w\n1,2,x,1\n3,4,y,2\n")]
    [InlineData(RecordFormat.Ndjson, "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n")]
    public void ByteOrderMark_InPiecesOfAnySize_IsPassedOver(RecordFormat format, string text)
    {
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)];
        foreach (int piece in (int[])[1, 2, 3, 4, 1000])
        {
            List<string> records = Decoded.InPieces(format, Schema, bytes, () => piece, capacity: 10);
            Assert.Equal(2, records.Count);
            Assert.Contains("[1 2]", records[0], StringComparison.Ordinal);
            Assert.Contains("[3 4]", records[1], StringComparison.Ordinal);
        }

        // What only begins like one is no mark: it belongs to the first record, which is then none.
        foreach (int piece in (int[])[1, 1000])
            Assert.NotEqual(2, Decoded.InPieces(RecordFormat.Ndjson, Schema, [0xEF, 0xBB, .. "{\"a\":1}\n{\"a\":2}\n"u8], () => piece, 10)
                .Count(record => record.Contains("w=", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Ndjson)]
    public void AnyBytes_NeverThrowAndDoNotDependOnPieces(RecordFormat format)
    {
        string[] fragments = format == RecordFormat.Csv
            ? [",", ",", "\n", "\n", "\r\n", "\"", "\"\"", "1", "-2.5", "1e999", "x", " ", "\0", "\u00E9", "NaN", "1,2,3,4\n",
                "3,z,4,5\r\n", "\"p\nq\",1"]
            : ["{", "}", "\n", "\n", "\"a\":1", "\"b\":2", ",", ",", ":", "[", "]", "\"l\":\"x\"", "\\u", "\"", "{\"a\":1,\"b\":2}\n",
                "1e999", "null", "\0", "{\"a\":{\"b\":[", "\"w\":-1"];
        Gen<(int[] Picks, byte[] Noise, int Piece)> drawn =
            from picks in Gen.Choose(0, fragments.Length - 1).ArrayOf(120)
            from noise in ArbMap.Default.GeneratorFor<byte>().ArrayOf(6)
            from piece in Gen.Choose(1, 40)
            select (picks, noise, piece);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2 * Tables), Prop.ForAll(drawn.ToArbitrary(), draw =>
        {
            var bytes = new List<byte>(format == RecordFormat.Csv ? "a,b,l,w\n"u8.ToArray() : []);
            for (int i = 0; i < draw.Picks.Length; i++)
            {
                if (i % 20 == 19) bytes.Add(draw.Noise[i / 20]);
                bytes.AddRange(Encoding.UTF8.GetBytes(fragments[draw.Picks[i]]));
            }
            byte[] all = [.. bytes];
            List<string> whole = InPieces(format, all, () => all.Length, capacity: 1000);
            return whole.SequenceEqual(InPieces(format, all, () => draw.Piece, capacity: 2));
        }));
    }

    /// <summary>Bytes that begin like another kind of file are refused as a whole, however they come.</summary>
    private static List<string> InPieces(RecordFormat format, byte[] bytes, Func<int> piece, int capacity)
    {
        try
        {
            return Decoded.InPieces(format, Schema, bytes, piece, capacity);
        }
        catch (SourceException failure)
        {
            return [failure.Message];
        }
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Ndjson)]
    public void LargeRecords_InPieces_GiveTheSame(RecordFormat format)
    {
        const int Limit = RecordDecoder.MaxRecordBytes;
        string filler = new('1', Limit), lines = new('\n', 10);
        string csv =
            $"a,b,l,w\n1,2,x,1\n{filler[..(Limit - 7)]},2,\"x\",1\n\"{filler}\n3,4,y,1\n\"{filler[..70_000]}\",1,1,1\n5,6,\"{lines}\",1\n"
                + $"{filler}{filler},1\n7,8,z,\"2\"\n{filler}9";
        string json =
            $"{{\"a\":1}}\n{{\"b\":\"{filler[..(Limit - 9)]}\"}}\n{{\"b\":\"{filler[..(Limit - 8)]}\"}}\r\n{{\"a\":1}}\n{filler}1\n"
                + $"{filler}\r\n{{\"a\":4}}\n{filler}{filler}";
        byte[] bytes = Encoding.UTF8.GetBytes(format == RecordFormat.Csv ? csv : json);
        List<string> whole = Decoded.InPieces(format, Schema, bytes, () => bytes.Length, capacity: 1000);
        Assert.Equal(whole, Decoded.InPieces(format, Schema, bytes, () => 300_007, capacity: 1));
        Assert.Equal(whole, Decoded.InPieces(format, Schema, bytes, () => 65_536, capacity: 5));
        Assert.Equal(format == RecordFormat.Csv ? 4 : 3, whole.Count(record => record.Contains(" w=", StringComparison.Ordinal)));
    }

    /// <summary>A label as it is read: without blanks round it, nothing where that says that there is none.</summary>
    private static string Read(string label) => label == "NA" ? "" : label.Trim(' ');

    private static string Write((double A, double? B, int Label, int Style) row)
    {
        string label = Labels[row.Label];
        bool quoted = label.AsSpan().IndexOfAny(",\"\r\n") >= 0 || row.Style % 2 == 0;
        string a = row.A.ToString("R", CultureInfo.InvariantCulture),
            b = row.B?.ToString("E16", CultureInfo.InvariantCulture) ?? (row.Style % 2 == 0 ? "" : "NaN");
        return $"{(row.Style % 3 == 0 ? "\"\"" : "1")},{(quoted ? $"\"{label.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : label)},"
            + $"{b},{(row.Style > 9 ? $"\"{a}\"" : a)}{(row.Style % 4 == 0 ? "\r\n" : "\n")}";
    }
}
