using System.Globalization;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Several threads decode what one decodes: records, rejections and positions, whatever the text.</summary>
public sealed class ParallelDecoderTests : IDisposable
{
    private static readonly RecordSchema Schema = new() { Features = ["a", "b"], Label = "l", Key = "k" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, ',', false)]
    [InlineData(2, ',', true)]
    [InlineData(3, ';', false)]
    [InlineData(4, '\t', false)]
    [InlineData(5, '\t', true)]
    public async Task Csv_AnyText_IsReadAsByOne(int seed, char separator, bool withQuotes)
    {
        var random = new Random(seed);
        var text = new StringBuilder(string.Join(separator, "k", "a", "l", "b")).Append('\n');
        for (int line = 0; line < 30_000; line++)
            text.Append(random.Next(40) switch
            {
                0 => "\n",
                1 => " \r\n",
                2 => "# said, and \"not\" meant\n",
                3 => $"key{separator}bad{separator}x{separator}1\n",
                4 => $"{separator}{separator}{separator}\n",
                5 => $"k{separator}1\n",
                6 or 9 or 10 or 11 when withQuotes => $"\"k\n{line}\"{separator}1{separator}\"a \"\"b\"\" c\"{separator}2\n",
                7 when withQuotes && line % 5 == 0 => $"\"k{separator}1{separator}open{separator}2\n",
                8 => $"k{separator}{line}{separator}l{separator}4{separator}{separator}\r\n",
                _ => string.Create(CultureInfo.InvariantCulture,
                    $"k{line % 97}{separator}{random.NextDouble():R}{separator}{(line % 3 == 0 ? "" : "on")}{separator}-{line}\n"),
            });
        await ReadAlikeAsync("a.csv", text.ToString(), RecordFormat.Csv);
    }

    [Fact]
    public async Task Csv_DecimalCommaFoundLate_IsReadAsByOne()
    {
        var text = new StringBuilder("k;a;l;b\n");
        for (int line = 0; line < 20_000; line++) text.Append(line < 3000 ? "k;1;x;2\n" : $"k;{line},5;x;2\n");
        await ReadAlikeAsync("a.csv", text.ToString(), RecordFormat.Csv);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public async Task Ndjson_AnyText_IsReadAsByOne(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        for (int line = 0; line < 9000; line++)
            text.Append(random.Next(30) switch
            {
                0 => "\n",
                1 => "  \r\n",
                2 => "{\"a\": 1, \"b\": \n",
                3 => "{\"a\": NaN, \"b\": 2, \"l\": \"x\\ny\"}\n",
                4 => "{\"b\": [1]}\n",
                5 => "{\"more\": {\"a\": \"}\"}, \"b\": 3, \"a\": 2}\r\n",
                _ => string.Create(CultureInfo.InvariantCulture,
                    $"{{\"k\": \"k{line % 11}\", \"a\": {random.NextDouble():R}, \"b\": {line}}}\n"),
            });
        await ReadAlikeAsync("a.ndjson", text.ToString(), RecordFormat.Ndjson);
    }

    [Fact]
    public void Decode_Text_GoesToForksInPiecesThatComeOutInOrder()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(line => $"{line},{line}\n")));
        RecordSchema schema = new() { Features = ["a", "b"], Csv = CsvDialect.Found with { Columns = ["a", "b"] } };
        var decoder = new ParallelDecoder(RecordDecoder.Create(RecordFormat.Csv, schema), schema, threads: 2);
        Assert.True(decoder.TryBegin(text, isFinal: true, "text", out int at));
        var batch = new RecordBatch(schema);
        double next = 0;
        int whole = 0;
        while (at < text.Length)
        {
            batch.Clear("text", new PartitionPosition(at));
            int used = decoder.Decode(text.AsSpan(at), at, isFinal: true, batch);
            Assert.True(used > 0);
            for (int row = 0; row < batch.Count; row++) Assert.Equal(next++, batch.Row(row)[0]);
            at += used;
            Assert.Equal(at, batch.EndOffset);
            if (batch.Count is > 800 and < 1024) whole++;
        }
        Assert.Equal(20_000, next);
        // One decoder fills every batch but the last; pieces are a little less.
        Assert.InRange(whole, 10, 25);
    }

    private async Task ReadAlikeAsync(string name, string text, RecordFormat format)
    {
        _folder.Write(name, text);
        string expected = await ReadAsync(name, format, 1);
        Assert.Equal(expected, await ReadAsync(name, format, 2));
        Assert.Equal(expected, await ReadAsync(name, format, 5));
    }

    /// <summary>All that is found, one line each; how it was cut into batches is left out.</summary>
    private async Task<string> ReadAsync(string name, RecordFormat format, int decoders)
    {
        var options = new FileSourceOptions
        {
            Path = [_folder.File(name)],
            Format = format,
            BufferBytes = 1 << 18,
            Csv = CsvDialect.Found with { Comment = "#" },
        };
        await using var source = new FileSource(
            options, new SourceContext(Schema, new SourcePosition(), TimeProvider.System) { Decoders = decoders });
        var found = new StringBuilder();
        // Small batches make many pieces.
        var batch = new RecordBatch(Schema, 300);
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            int rejected = 0;
            for (int row = 0; row <= batch.Count; row++)
            {
                for (; rejected < batch.Rejected.Count && batch.Rejected[rejected].BeforeRow <= row; rejected++)
                {
                    RejectedRecord record = batch.Rejected[rejected];
                    found.AppendLine(CultureInfo.InvariantCulture, $"{record.Reason} {record.Detail} {record.Offset} {record.Text}");
                }
                if (row == batch.Count) break;
                found.AppendLine(CultureInfo.InvariantCulture,
                    $"{batch.Row(row)[0]:R} {batch.Row(row)[1]:R} {batch.Label(row)} {batch.Key(row)} {batch.Offset(row)} "
                        + $"{batch.NextOffset(row)} {batch.PartitionName}");
            }
        }
        return found.ToString();
    }
}
