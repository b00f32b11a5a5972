using System.Globalization;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Http;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Records that a model is not about are passed over, whatever else is in them; the others are what they would be alone.</summary>
public sealed class FilterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static RecordSchema Where(string expression, params string[] features) => new()
    {
        Features = features,
        Where = RecordFilter.Parse(expression, out FilterProblem? problem) ?? throw new ArgumentException(problem!.Message),
    };

    /// <summary>The last record of a sequence says so by an expression, also where the field it compares is a feature or decides that the
    /// model is about the record.</summary>
    [Theory]
    [InlineData("k == \"p\"", null, "1 4")]
    [InlineData("k == null", null, "3 5")]
    [InlineData("x >= 4 and k != null", null, "4")]
    [InlineData("k == \"p\"", "k == \"p\" or x == 2", "1 4")]
    [InlineData("x == 2", "k != null", "2")]
    public void Decode_AnEndMarker_SaysWhichRecordsAreTheLast(string expression, string? where, string expected)
    {
        RecordSchema schema = new RecordSchema { Features = ["x"], Where = where is null ? null : RecordFilter.Parse(where, out _) }
            .With(new Core.Data.SequenceOptions { EndMarker = expression });
        const string Csv = "x,k\n1,p\n2,q\n3,\n4,p\n5,\n";
        const string Json = """
            {"x":1,"k":"p"}
            {"x":2,"k":"q"}
            {"x":3}
            {"x":4,"k":"p"}
            {"x":5,"k":null}

            """;
        foreach ((RecordFormat format, string text) in ((RecordFormat, string)[])[(RecordFormat.Csv, Csv), (RecordFormat.Ndjson, Json)])
        {
            RecordBatch batch = Decoded.Batch(format, schema, text);
            Assert.Empty(batch.Rejected);
            IEnumerable<int> lasts = Enumerable.Range(0, batch.Count).Where(batch.Records.IsLast);
            Assert.Equal(
                expected, string.Join(' ', lasts.Select(row => batch.Records.Row(row)[0].ToString(CultureInfo.InvariantCulture))));
        }
    }

    [Theory]
    [InlineData("k == \"p\"", "1 4 9")]
    [InlineData("k != \"p\"", "2 3 5 6 7 8")]
    [InlineData("k == null", "3 5 6")]
    [InlineData("k != null", "1 2 4 7 8 9")]
    [InlineData("k in [\"p\", \"q\"]", "1 2 4 9")]
    [InlineData("k not in [\"p\", \"q\"]", "3 5 6 7 8")]
    [InlineData("k == 10", "7")]
    [InlineData("k > 9", "7")]
    [InlineData("k == true", "8")]
    [InlineData("k == \"TRUE\"", "8")]
    [InlineData("k < \"q\"", "1 4 7 9")]
    [InlineData("k >= \"q\"", "2 8")]
    [InlineData("x > 2 and x <= 4", "3 4")]
    [InlineData("not (x > 2 and x <= 4)", "1 2 5 6 7 8 9")]
    [InlineData("x == 1 or k == \"q\" and x > 5", "1")]
    [InlineData("(x == 1 or k == \"q\") and x < 5", "1 2")]
    public void Decode_AnExpression_SaysWhichRecordsAreTaken(string expression, string expected)
    {
        RecordSchema schema = Where(expression, "x");
        const string Csv = "x,k\n1,p\n2,q\n3,\n4, p \n5,NA\n6,-\n7,10\n8,TRUE\n9,\"p\"\n";
        const string Json = """
            {"x":1,"k":"p"}
            {"x":2,"k":"q"}
            {"x":3}
            {"x":4,"k":" p "}
            {"x":5,"k":null}
            {"k":"-","x":6}
            {"x":7,"k":1e1}
            {"x":8,"k":true}
            {"x":9,"k":"p"}

            """;
        foreach ((RecordFormat format, string text) in ((RecordFormat, string)[])[(RecordFormat.Csv, Csv), (RecordFormat.Ndjson, Json)])
        {
            RecordBatch batch = Decoded.Batch(format, schema, text);
            Assert.Empty(batch.Rejected);
            Assert.Equal(expected, string.Join(' ', batch.Features(1).Select(x => x.ToString(CultureInfo.InvariantCulture))));
            Assert.Equal((9, text.Length), (batch.Count + batch.FilteredOut, (int)batch.EndOffset));
        }
    }

    [Theory]
    [InlineData(RecordFormat.Csv, "k,x\ns,on\np,1\ns,off\np,hot\nt,\"o\"\"n\"\n")]
    [InlineData(RecordFormat.Ndjson,
        "{\"k\":\"s\",\"x\":\"on\"}\n{\"k\":\"p\",\"x\":1}\n{\"k\":\"s\"}\n{\"k\":\"p\",\"x\":\"hot\"}\n{\"k\":\"t\",\"x\":{\"y\":1}}\n")]
    public void Decode_RecordOfAnotherKind_IsPassedOverWhateverElseIsInIt(RecordFormat format, string text)
    {
        RecordBatch batch = Decoded.Batch(format, Where("k == \"p\"", "x") with { AllowMissing = false }, text);

        Assert.Equal([1.0], batch.Features(1));
        Assert.Equal(RejectionReason.NotANumber, batch.OnlyRejected().Reason);
        Assert.Equal(3, batch.FilteredOut);
    }

    [Theory]
    [InlineData(RecordFormat.Csv, "k,x\np,1,2\n", RejectionReason.CsvColumns)]
    [InlineData(RecordFormat.Ndjson, "{\"k\":\"s\"\n", RejectionReason.JsonSyntax)]
    [InlineData(RecordFormat.Ndjson, "{\"k\":\"s\",\"k\":\"t\",\"x\":1}\n", RejectionReason.JsonSyntax)]
    public void Decode_WhatIsNoRecord_IsRejectedAndNotPassedOver(RecordFormat format, string text, RejectionReason reason) =>
        Assert.Equal(reason, Decoded.Batch(format, Where("k == \"p\"", "x"), text).OnlyRejected().Reason);

    [Fact]
    public void Decode_FieldsThatAreAlsoFeatures_AreBoth()
    {
        RecordSchema schema = Where("x >= 0 and l == \"on\"", "x", "y") with { Label = "l" };
        RecordBatch batch = Decoded.Batch(RecordFormat.Csv, schema, "y,l,x\n1,on,2\n1,on,-2\n1,off,3\n\"4\",\"on\",\"5\"\n");

        Assert.Equal([2.0, 1.0, 5.0, 4.0], batch.Features(2));
        Assert.Equal("on", batch.Label(1));
    }

    [Fact]
    public void Decode_NestedFieldThatIsNoValue_IsMissing()
    {
        RecordBatch batch = Decoded.Batch(RecordFormat.Ndjson, Where("a.b == null", "x"),
            "{\"x\":1,\"a\":{\"b\":[1]}}\n{\"x\":2,\"a\":{\"b\":3}}\n{\"x\":3,\"a\":7}\n");

        Assert.Equal([1.0, 3.0], batch.Features(1));
    }

    [Fact]
    public void Decode_DecimalComma_IsReadInComparisonsToo() => Assert.Equal([2.5],
        Decoded.Batch(RecordFormat.Csv, Where("y > 1.5", "x") with { Csv = CsvDialect.Found with { Decimal = ',' } },
            "x;y\n1,5;1,4\n2,5;1,6\n").Features(1));

    [Fact]
    public void Decode_ColumnThatIsNotThere_IsMissed()
    {
        SourceException failure = Assert.Throws<SourceException>(() =>
            Decoded.Batch(RecordFormat.Csv, Where("kin == \"p\"", "x"), "x,kind\n1,p\n"));

        Assert.Contains("'kin'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Ndjson)]
    public async Task Read_InPiecesOrByThreads_GivesTheRecordsOfTheKindAlone(RecordFormat format)
    {
        RecordSchema schema = Where("k == \"p\" and x < 9000", "x") with { Label = "l" };
        var text = new StringBuilder(format == RecordFormat.Csv ? "k,x,l\n" : "");
        var random = new Random(3);
        for (int line = 0; line < 30_000; line++)
        {
            string kind = random.Next(3) == 0 ? "p" : "other", value = random.Next(50) == 0 ? "bad" : $"{line % 10_000}";
            text.Append(format == RecordFormat.Csv
                ? $"{kind},{value},a{line % 3}\n"
                : $"{{\"k\":\"{kind}\",\"x\":\"{value}\",\"l\":\"a{line % 3}\"}}\n");
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        List<string> whole = Decoded.InPieces(format, schema, bytes, () => bytes.Length, capacity: 100_000);
        Assert.InRange(whole.Count, 8000, 12_000);
        Assert.Equal(whole, Decoded.InPieces(format, schema, bytes, () => 5003, capacity: 7));
        string path = _folder.Write("data", text.ToString());
        List<string> byThreads = [];
        await using (RecordSource source = new FileSource(new FileSourceOptions { Path = [path], Format = format, BufferBytes = 1 << 20 },
            new SourceContext(schema, new SourcePosition(), TimeProvider.System) { Decoders = 4 }))
        {
            foreach (ReadRecord record in await ReadRecord.AllAsync(source, 1, capacity: 1024))
                byThreads.Add(record.IsRejected ? record.Text : $"{record.Next} {record.Text}");
        }

        Assert.Equal(whole, byThreads);
    }

    [Fact]
    public async Task Push_RecordsOfAnotherKind_AreCountedAndTakeNoPlace()
    {
        await using var source = new HttpPushSource(
            new HttpSourceOptions(), new SourceContext(Where("k == \"p\"", "x"), new SourcePosition(), TimeProvider.System));

        PushResult none = source.TryPush("{\"k\":\"s\",\"x\":1}"u8, RequestFormat.Ndjson);
        PushResult some =
            source.TryPush("{\"k\":\"s\",\"x\":2}\n{\"k\":\"p\",\"x\":3}\n{\"k\":\"p\",\"x\":\"hot\"}"u8, RequestFormat.Ndjson);
        source.Complete();

        Assert.Equal((PushStatus.Taken, 0, 0, 1), (none.Status, none.Accepted, none.Rejected, none.FilteredOut));
        Assert.Equal((PushStatus.Taken, 1, 1, 1), (some.Status, some.Accepted, some.Rejected, some.FilteredOut));
        Assert.Equal(2, source.FilteredOut);
        List<ReadRecord> records = await ReadRecord.AllAsync(source, 1);
        Assert.Equal([1, -1], records.Select(record => record.Next));
    }

    [Fact]
    public void Float64_WithAFilter_IsRefused() =>
        Assert.Throws<ArgumentException>(() => RecordDecoder.Create(RecordFormat.Float64, Where("k == 1", "x")));
}
