using System.Globalization;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>How CSV is written by programs that did not read RFC 4180: said, found, or named.</summary>
public sealed class CsvDialectTests
{
    private static readonly RecordSchema Two = new() { Features = ["a", "b"] };

    private static RecordSchema With(CsvDialect dialect) => Two with { Csv = dialect };

    private static RecordBatch Decode(string text, CsvDialect? dialect = null) =>
        Decoded.Batch(RecordFormat.Csv, With(dialect ?? CsvDialect.Found), text);

    /// <summary>A text, and what is said of it; all hold 1.5, 2, 3 and 4.25.</summary>
    public static TheoryData<string, CsvDialect> Texts => new()
    {
        { "a;b\n1.5;2\n3;4.25\n", CsvDialect.Found },
        { "a;b\r\n1,5;2\r\n3;4,25\r\n", CsvDialect.Found },
        { "a\tb\n1.5\t2\n3\t4.25\n", CsvDialect.Found },
        { "a\tb\n1,5\t2\n3\t4,25\n", CsvDialect.Found },
        { "a|b\n1.5|2\n3|4.25\n", CsvDialect.Found },
        { "x|b|a\nt|2|1,5\nu|4,25|3\n", CsvDialect.Found },
        { "\uFEFF\"a\";\"b\"\n\"1,5\";\"2\"\n\"3\";\"4,25\"\n", CsvDialect.Found },
        { "a;b\n1.5;2\n3;4.25\n", new() { Separator = ';' } },
        { "a;b\n1,50;2\n3;4,25\n", new() { Decimal = ',' } },
        { "a;b\n15e-1;2,0\n3;4,25\n", new() { Separator = ';', Decimal = ',' } },
        { "\"a\",\"b\"\n\"1,5\",2\n3,\"4,25\"\n", new() { Decimal = ',' } },
        { "a\u0001b\n1.5\u00012\n3\u00014.25\n", new() { Separator = '\u0001' } },
        { "a b\n1,5 2\n3 4,25\n", new() { Separator = ' ', Decimal = ',' } },
        { "a:b\n1.5:2\n3:4.25\n", new() { Separator = ':' } },
        { "of the logger, \"\nmade; today\na,b\n1.5,2\n3,4.25\n", new() { SkipLines = 2 } },
        { "# a,b\n#\na,b\n# twice, \"\n1.5,2\n#3,4\n3,4.25\n# end", new() { Comment = "#" } },
        { "// x\na,b\n1.5,2\n// 7,8\n3,4.25\n//", new() { Comment = "//" } },
        { "v=1\n# c\na;b\n1,5;2\n# 1;2\n3;4,25\n", new() { SkipLines = 1, Comment = "#" } },
        { "1.5,2\n3,4.25\n", new() { Columns = ["a", "b"] } },
        { "x,2,1.5,y\nz,4.25,3,u\n", new() { Columns = ["t", "b", "a", "u"] } },
        { "1,5;2\n3;4,25\n", new() { Columns = ["a", "b"] } },
        { "1,5\t2\n3\t4,25\n", new() { Columns = ["a", "b"] } },
        { "a,b\n1.5,2\n3,4.25\n", new() { Columns = ["a", "b"] } },
        { "# x\n\n1.5,2,\n3,4.25\n", new() { Columns = ["a", "b"], Comment = "#" } },
        { "a,b\n1.5,2,\n3,4.25,\n", CsvDialect.Found },
        { "a,b\n1.5,2,,, \n3,4.25\n", CsvDialect.Found },
        { "a,b,,\n1.5,2\n3,4.25,,\n", CsvDialect.Found },
        { "a;b;\n1,5;2;\n3;4,25;\n", CsvDialect.Found },
        { "\"a\", \"b\"\n\"1.5\", \"2\"\n \"3\" ,\t\"4.25\" \r\n", CsvDialect.Found },
        { "p,a,b\n5\" pipe,1.5,2\n\"6\"\" pipe\",3,4.25\n", CsvDialect.Found },
        { "a,p,b\n1.5,5\" x 3\",2\n3,\"5\" pipe,4.25\n", CsvDialect.Found },
        { "a,b,p\n1.5,2,5\"\n3,4.25,\"\"x\n", CsvDialect.Found },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Decode_ADialect_ReadsTheSameRecords(string text, CsvDialect dialect)
    {
        RecordBatch batch = Decode(text, dialect);
        Assert.Empty(batch.Rejected);
        Assert.Equal([1.5, 2, 3, 4.25], batch.Records.Values.ToArray());
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Decode_ADialectInPieces_ReadsTheSameRecords(string text, CsvDialect dialect)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        List<string> whole = Decoded.InPieces(RecordFormat.Csv, With(dialect), bytes, () => bytes.Length, 100);
        Assert.Equal(2, whole.Count);
        for (int piece = 1; piece <= 7; piece++)
            Assert.Equal(whole, Decoded.InPieces(RecordFormat.Csv, With(dialect), bytes, () => piece, 1 + piece % 3));
    }

    [Theory]
    [InlineData(',', '.')]
    [InlineData(';', '.')]
    [InlineData(';', ',')]
    [InlineData('\t', '.')]
    [InlineData('\t', ',')]
    [InlineData('|', '.')]
    [InlineData('|', ',')]
    public void Decode_ManyNumbersByTheShortWay_AreThoseOfThePoint(char separator, char mark)
    {
        var random = new Random(3);
        var schema = new RecordSchema { Features = ["a", "b", "c", "d", "e", "f"] };
        var text = new StringBuilder("a,b,c,x,d,e,f\n".Replace(',', separator));
        var expected = new List<double>();
        string[] formats = ["0", "0.0", "0.###", "0.000000", "0.0000000000000", "R", "0.00E+0"];
        for (int row = 0; row < 3000; row++)
        {
            for (int column = 0; column < 7; column++)
            {
                string number = ((random.NextDouble() - .5) * Math.Pow(10, random.Next(8)))
                    .ToString(formats[random.Next(formats.Length)], CultureInfo.InvariantCulture);
                if (column != 3) expected.Add(double.Parse(number, CultureInfo.InvariantCulture));
                if (column > 0) text.Append(separator);
                text.Append(number.Replace('.', mark));
            }
            text.Append(row % 5 == 0 ? "\r\n" : "\n");
        }
        RecordBatch batch = Decoded.Batch(
            RecordFormat.Csv, schema with { Csv = new() { Separator = separator, Decimal = mark } }, text.ToString());
        Assert.Empty(batch.Rejected);
        Assert.Equal(expected, batch.Records.Values.ToArray());
    }

    [Theory]
    [InlineData("a;b\n1.234,5;2\n3;4,25\n", "column 'a' holds a text of 7 bytes, expected a number with a decimal comma")]
    [InlineData("a;b\n1,5;2\n3.5;4\n5;6\n", "column 'a' holds a number with a decimal point, expected a number with a decimal comma; "
        + "the source's 'decimal' says which mark it is")]
    [InlineData("a;b\n1.5;2\n3,5;4\n5;6\n",
        "column 'a' holds a number with a decimal comma, expected a number; the source's 'decimal' says which mark it is")]
    [InlineData("a;b\n1.5;2,5\n3;4\n5;6\n",
        "column 'b' holds a number with a decimal comma, expected a number; the source's 'decimal' says which mark it is")]
    [InlineData("a,b\n1,2,0\n3,4\n5,6\n", "the row has 3 columns, the header has 2")]
    [InlineData("a,b\n1,2,,x\n3,4\n5,6\n", "the row has 4 columns, the header has 2")]
    [InlineData("a,b\n1\n3,4,\n5,6,\n", "the row has 1 columns, the header has 2")]
    [InlineData("a,b,c,d\n1,2,5\" x, 6\n3,4,,\n5,6\",,\n",
        "column 2 holds a quote but does not begin with one; expected a quoted field with its quotes doubled")]
    public void Decode_RowThatIsWrittenOtherwise_IsRejectedAlone(string text, string detail)
    {
        RecordBatch batch = Decode(text, text.StartsWith("a;b\n1.234", StringComparison.Ordinal) ? new() { Decimal = ',' } : null);
        Assert.Equal(detail, batch.OnlyRejected().Detail);
        Assert.Equal(2 - (text.Contains("4,25", StringComparison.Ordinal) ? 1 : 0), batch.Count);
    }

    [Fact]
    public void Decode_DecimalCommasEverywhere_AreReadInLabelsWeightsAndLevels()
    {
        var schema = new RecordSchema
        {
            Features = ["x", "c"],
            Kinds = [FeatureKind.Number, FeatureKind.Level],
            Label = "label",
            Weight = "w",
            Timestamp = "ts",
        };
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, schema, "x;c;label;w;ts\n1,5;2,0;1,0;0,25;2026-11-26 08:00:00,5\n2;2;1;1;\n");
        Assert.Empty(batch.Rejected);
        Assert.Equal(("1", .25, 1795680000500, "1"),
            (batch.Label(0), batch.Records.Weight(0), batch.Records.Timestamp(0), batch.Label(1)));
        Assert.Equal(batch.Row(0)[1], batch.Row(1)[1]);
    }

    [Theory]
    [InlineData("time;temp;hum\n1;2;3\n",
        "'data.csv' has no column 'a'. Its columns, apart by semicolons (';'), are: time, temp, hum.")]
    [InlineData("x\ta\tc\n", "'data.csv' has no column 'b'. Did you mean 'x'? Its columns, apart by tabs (\"\\t\"), are: x, a, c.")]
    [InlineData("21.5;41,2;ok\n", "'data.csv' has no column 'a'. Its first line holds numbers: if it is the first record, name what stands "
        + "in it with the source's 'columns'; if lines before the header are to be passed over, with 'skip_lines' or 'comment'. Its "
        + "columns seem to be apart by semicolons (';').")]
    [InlineData("\u001B[31m,bb\n", "'data.csv' has no column 'a'. Its columns are: ?[31m, bb.")]
    public void TryBegin_OtherColumns_SaysWhatWasFound(string text, string message)
    {
        var failure = Assert.Throws<SourceException>(() => Decode(text));
        Assert.Equal((SourceFailure.Missing, message), (failure.Failure, failure.Message));
    }

    [Fact]
    public void TryBegin_HeaderInLatin1_SaysThatItIsNotUtf8()
    {
        var failure = Assert.Throws<SourceException>(
            () => Decoded.Batch(RecordFormat.Csv, With(CsvDialect.Found), [.. "gr"u8, 0xF6, .. "sse,b\n1,2\n"u8]));
        Assert.Contains("not UTF-8 (perhaps Latin-1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_Latin1InATextNobodyReads_IsPassedOver()
    {
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, Two, [.. "a,n,b\n1,gr"u8, 0xF6, .. "sse,2\n3,\"gr"u8, 0xF6, .. "sse\",4\n"u8]);
        Assert.Empty(batch.Rejected);
        Assert.Equal([1.0, 2, 3, 4], batch.Records.Values.ToArray());
    }

    [Theory]
    [InlineData("504B0304140000000800", "zip archive")]
    [InlineData("1F8B0800000000000003", "gzip")]
    [InlineData("28B52FFD04580000", "zstd")]
    [InlineData("425A6839314159265359", "bzip2")]
    [InlineData("FD377A585A000004", "xz")]
    [InlineData("5041523115041500", "Parquet")]
    [InlineData("FFFE61002C006200", "UTF-16")]
    [InlineData("FEFF0061002C0062", "UTF-16")]
    [InlineData("61002C0062000A00", "UTF-16")]
    [InlineData("0061002C0062000A", "UTF-16")]
    [InlineData("FFFE000061000000", "UTF-32")]
    public void TryBegin_OtherContent_IsNamed(string start, string what)
    {
        foreach (RecordFormat format in new[] { RecordFormat.Csv, RecordFormat.Ndjson })
        {
            var failure = Assert.Throws<SourceException>(() => Decoded.Batch(format, Two, Convert.FromHexString(start)));
            Assert.Equal(SourceFailure.Changed, failure.Failure);
            Assert.StartsWith("'data.csv' is ", failure.Message, StringComparison.Ordinal);
            Assert.Contains(what, failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("x,1.5,2\ny,3,4.25\n")]
    [InlineData("x;1,5;2\ny;3;4,25\n")]
    [InlineData("x\t1.5\t2\ny\t3\t4.25\n")]
    public void BeginWithout_ColumnsFromBefore_FindsHowTheyAreApart(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var decoder = new CsvDecoder(Two);
        Assert.True(decoder.TryBegin("t,a,b\n9,9,9\n"u8, isFinal: true, "data.csv", out _));
        decoder.BeginWithout(decoder.Columns!, bytes, "data.csv");
        var batch = new RecordBatch(2);
        batch.Clear("data.csv");
        decoder.Decode(bytes, 0, isFinal: true, batch);
        Assert.Equal([1.5, 2, 3, 4.25], batch.Records.Values.ToArray());
    }

    /// <summary>Rows without a mark say nothing of it; the first that has one does, wherever the text is cut and reading goes on.</summary>
    [Theory]
    [InlineData("a;b\n1;2\n;\n1,5;3\n4;5,25\n", "1 2 - - 1.5 3 4 5.25")]
    [InlineData("a;b\n1;2\n1.5;3\n4;5.25\n", "1 2 1.5 3 4 5.25")]
    [InlineData("a\tb\n1\t2\n# no number\tx,y\n\n1,5\t3\n", "1 2 1.5 3", 1)]
    [InlineData("a;b\n1;2\n\"x\n3,5;4\n", "1 2 3.5 4", 1)]
    [InlineData("a;b\n1,5;2.5\n3,5;4\n", "", 2)]
    public void Decode_TheFirstRowsHaveNoMark_TheFirstThatHasDecides(string text, string expected, int rejected = 0)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, Two, bytes);
        Assert.Equal(expected, string.Join(' ', batch.Records.Values.ToArray()
            .Select(value => double.IsNaN(value) ? "-" : value.ToString(CultureInfo.InvariantCulture))));
        Assert.Equal(rejected, batch.Rejected.Count);
        List<string> whole = Decoded.InPieces(RecordFormat.Csv, Two, bytes, () => bytes.Length, 100);
        foreach (int piece in (int[])[1, 2, 7])
            Assert.Equal(whole, Decoded.InPieces(RecordFormat.Csv, Two, bytes, () => piece, 2));
    }

    [Fact]
    public void Decode_ColumnsAreSaidAndTheFirstRowsAreDamaged_TheFirstGoodOneTellsHowTheyAreApart()
    {
        var schema = new RecordSchema { Features = ["a", "b"], Csv = new CsvDialect { Columns = ["a", "b", "c"] } };
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, schema, "-- cut off\n;7\n1,5;2;x\n3;4;y\n"u8.ToArray());
        Assert.Equal([1.5, 2, 3, 4], batch.Records.Values.ToArray());
        Assert.Equal(2, batch.Rejected.Count);
    }

    [Theory]
    [InlineData("a,b\n1,2\n", null)]
    [InlineData("a;b\n1;2\n", "columns apart by semicolons (';')")]
    [InlineData("a;b\n1;2\n3,5;4\n", "columns apart by semicolons (';'), numbers with a decimal comma")]
    [InlineData("a|b\n1|2\n", "columns apart by bars ('|')")]
    public void Found_SaysWhatNobodySaid(string text, string? expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var decoder = new CsvDecoder(Two);
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data.csv", out _));
        Assert.Equal(expected, decoder.Found);
    }

    [Fact]
    public void DecodeMessage_ADialect_IsReadInEveryMessage()
    {
        var decoder = new CsvDecoder(With(new() { Separator = ';', Decimal = ',' }), ["b", "x", "a"], "source.kafka.columns");
        var batch = new RecordBatch(2);
        batch.Clear("t");
        Assert.True(decoder.DecodeMessage("2;;1,5"u8, 0, 1, batch, RecordDefaults.None));
        Assert.True(decoder.DecodeMessage("4,25; \"x;\" ;3;"u8, 1, 2, batch, RecordDefaults.None));
        Assert.Equal([1.5, 2, 3, 4.25], batch.Records.Values.ToArray());
    }

    [Fact]
    public void Decode_TrailingSeparators_AllocatesNothing()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Repeat("1.5,2.5,\n3,4\n5,6,,\n", 500)));
        var decoder = new CsvDecoder(Two);
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data.csv", out int header));
        var batch = new RecordBatch(2, 1500);
        long allocated = long.MaxValue;
        for (int pass = 0; pass < 5; pass++)
        {
            batch.Clear("data.csv");
            long before = GC.GetAllocatedBytesForCurrentThread();
            decoder.Decode(bytes.AsSpan(header), header, isFinal: true, batch);
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(1500, batch.Count);
        }
        Assert.Equal(0, allocated);
    }
}
