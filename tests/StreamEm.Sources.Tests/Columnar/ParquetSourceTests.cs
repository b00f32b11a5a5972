using System.Globalization;
using Parquet;
using Parquet.Schema;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Surveys;
using StreamEm.Sources.Tests.Contracts;
using StreamEm.Sources.Tests.Files;
using static StreamEm.Sources.Tests.Columnar.ParquetFile;

namespace StreamEm.Sources.Tests.Columnar;

public sealed class ParquetSourceTests : IDisposable
{
    private static readonly DateTime Then = new(2026, 11, 27, 10, 20, 30, 456, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ReadAsync_EveryType_IsWhatCsvOfTheSameValuesIs()
    {
        var schema = new RecordSchema
        {
            Features = ["i", "big", "f", "d", "dec", "flag", "level", "missing"],
            Kinds = [.. Enumerable.Repeat(FeatureKind.Number, 5), FeatureKind.Binary, FeatureKind.Level, FeatureKind.Number],
            Label = "s",
            Key = "k",
            Timestamp = "t",
            AllowMissing = true,
        };
        await WriteAsync(_folder.File("a.parquet"), 4, 3,
            Texts("s", "x", null, "", "é"),
            Of<sbyte>("k", 1, null, -3, 4),
            OfNullable<DateTime>(new DateTimeDataField("t", DateTimeFormat.Timestamp, true, DateTimeTimeUnit.Micros, true),
                Then, null, Then.AddTicks(9), Then.AddYears(-300)),
            Of("i", 1, 2, -3, int.MaxValue),
            Of("big", ulong.MaxValue, 1UL, 2UL, 9007199254740993UL),
            Of("f", 1.5f, -0.25f, 0f, 1e20f),
            Of<double>("d", 0.1, double.NaN, null, -1e100),
            Of(new DecimalDataField("dec", 18, 2), 1.10m, 123456789.25m, 0m, -0.01m),
            Of<bool>("flag", true, false, null, true),
            Of<double>("level", 5, 2.5, null, 1e20),
            Of<long>("missing", null, null, null, 7),
            Of("other", Guid.Empty, Guid.Empty, Guid.Empty, Guid.Empty));
        _folder.Write("a.csv", """
            i,big,f,d,dec,flag,level,missing,s,k,t
            1,18446744073709551615,1.5,0.1,1.10,true,5,,x,1,2026-11-27T10:20:30.456Z
            2,1,-0.25,,123456789.25,false,2.5,,,,
            -3,2,0,,0,,,,,-3,2026-11-27T10:20:30.4560009Z
            2147483647,9007199254740993,100000002004087734272,-1e100,-0.01,true,1E+20,7,é,4,1726-11-27T10:20:30.456Z
            """);

        IEnumerable<string> csv = await ReadAsync(schema, "a.csv"), parquet = await ReadAsync(schema, "a.parquet");
        Assert.Equal(4, csv.Count());
        Assert.Equal(csv, parquet);
    }

    [Fact]
    public async Task ReadAsync_RowThatCannotBeUsed_IsRejectedWithItsFields()
    {
        var schema = new RecordSchema
        {
            Features = ["a", "b"],
            Kinds = [FeatureKind.Number, FeatureKind.Count],
            AllowMissing = false,
        };
        await WriteAsync(_folder.File("a.parquet"), 6, 4,
            Of<double>("a", 1, null, double.PositiveInfinity, 1e200, 5, 6),
            Of("b", 1.0, 2, 3, 4, 5.5, 6),
            Texts("other", "secret", "secret", "secret", "secret", "secret", "secret"));

        var batch = new RecordBatch(schema);
        await using FileSource source = Open(schema, "a.parquet");
        var details = new List<string>();
        int good = 0;
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            good += batch.Count;
            details.AddRange(batch.Rejected.Select(record => $"{record.Offset} {record.Reason} {record.Text} {record.Detail}"));
        }

        Assert.Equal(2, good);
        Assert.InRange(source.Bytes, 1, new FileInfo(_folder.File("a.parquet")).Length);
        Assert.Equal(
            [
                "17 MissingFeature {\"a\":null,\"b\":2} column 'a' is empty, and missing values are not allowed here (missing: reject)",
                "18 NotFinite {\"a\":\"Infinity\",\"b\":3} column 'a' holds an infinite number, "
                    + "expected a finite one within double precision",
                "19 OutOfRange {\"a\":1E+200,\"b\":4} column 'a' holds a number that cannot be computed with, expected "
                    + "0 or a magnitude of 1e-150 to 1e150, whose square is within double precision",
                "20 OutOfRange {\"a\":5,\"b\":5.5} column 'b' holds another value, expected a count: an integer of at least 0",
            ],
            details);
    }

    [Fact]
    public async Task ReadAsync_Filter_PassesOverWhatItIsNotAbout()
    {
        RecordSchema schema = new() { Features = ["a"], Where = RecordFilter.Parse("k == \"x\" and a > 1", out _) };
        await WriteAsync(_folder.File("a.parquet"), 4, 2, Of("a", 1, 2, 3, 4), Texts("k", "x", "x", null, "x"));

        Assert.Equal(["2", "4"], (await ReadAsync(schema, "a.parquet")).Select(read => read.Split(' ')[0]));
    }

    [Fact]
    public async Task ReadAsync_FieldOfAStruct_HasANameWithADot_ListsAreRefused()
    {
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Columnar", "duckdb.parquet"), _folder.File("a.parquet"));

        List<string> read = await ReadAsync(new RecordSchema { Features = ["st.b", "x"] }, "a.parquet");
        Assert.Equal(["2.5 0", "2.5 NaN", "2.5 2"], read.Select(record => record.Split(" |")[0]));

        foreach ((string field, string what) in
            new[] { ("l", "lists"), ("st", "'st.a'"), ("mp", "maps"), ("iv", "Interval"), ("nowhere", "Its columns are: x, ") })
        {
            var refused = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(new RecordSchema { Features = [field] }, "a.parquet"));
            Assert.Equal(SourceFailure.Missing, refused.Failure);
            Assert.Contains(what, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ReadAsync_DamagedRowGroup_FailsAtItsFirstRow()
    {
        string path = await NumbersAsync("a.parquet", 0, 30, groupRows: 10);
        long page;
        await using (ParquetReader reader = await ParquetReader.CreateAsync(path, cancellationToken: TestContext.Current.CancellationToken))
            page = reader.Metadata!.RowGroups[1].Columns[0].MetaData!.DataPageOffset;
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes.AsSpan((int)page, 12).Fill(0xFF);
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);

        await using FileSource source = Open(new RecordSchema { Features = ["a"] }, "a.parquet");
        var batch = new RecordBatch(1);
        var values = new List<double>();
        var failure = await Assert.ThrowsAsync<SourceException>(async () =>
        {
            while (await source.ReadAsync(batch, TestContext.Current.CancellationToken)) values.AddRange(batch.Records.Values.ToArray());
        });

        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (double)i), values);
        Assert.Contains("row 10: column 'a' of row group 2 of 3", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_FormatParquet_RefusesWhatIsNone()
    {
        _folder.Write("a.csv", "a\n1\n");
        await using FileSource source = Open(new RecordSchema { Features = ["a"] }, "a.csv", RecordFormat.Parquet);
        var failure = await Assert.ThrowsAsync<SourceException>(
            async () => await source.ReadAsync(new RecordBatch(1), TestContext.Current.CancellationToken));
        Assert.Contains("is no Parquet file", failure.Message, StringComparison.Ordinal);
        _folder.Write("b.parquet", "a\n1\n");
        failure = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(new RecordSchema { Features = ["a"] }, "b.parquet"));
        Assert.Contains("is no Parquet file", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_FileThatIsBeingWritten_IsReadOnceItIsWhole()
    {
        await NumbersAsync("whole", 1, 3);
        byte[] whole = await File.ReadAllBytesAsync(_folder.File("whole"), TestContext.Current.CancellationToken);
        await using var folder = new FollowedFolder { Format = RecordFormat.Parquet };
        await NumbersIn(folder, "a.parquet", 7, 1);
        folder.Open("*.parquet");
        Assert.Equal("7", await folder.ReadAsync());
        await File.WriteAllBytesAsync(folder.File("b.parquet"), whole[..^20], TestContext.Current.CancellationToken);
        Assert.Equal("", await folder.ReadAsync(polls: 3));
        Assert.Equal("1 2 3", await folder.ReadAsync(() => folder.AppendBytes("b.parquet", whole[^20..]), polls: 3));
        Assert.Equal("", await folder.ReadAsync(polls: 3));
        Assert.Empty(folder.Told);

        await folder.CloseAsync();
        folder.Open("*.parquet");
        Assert.Equal("", await folder.ReadAsync(polls: 3));
    }

    [Fact]
    public async Task Follow_FileWrittenAnewInItsPlace_IsReadAgain_ARenamedOneIsNot()
    {
        await using var folder = new FollowedFolder { Format = RecordFormat.Parquet };
        await NumbersIn(folder, "a.parquet", 0, 1);
        folder.Open("*.parquet");
        Assert.Equal("0", await folder.ReadAsync());
        for (int value = 1; value < 40; value++)
        {
            // One row says little of itself: what it is told by is how its row group is stored.
            await NumbersIn(folder, "a.parquet", value, 1);
            Assert.Equal($"{value}", await folder.ReadAsync(polls: 2));
        }
        folder.Move("a.parquet", "z.parquet");
        Assert.Equal("", await folder.ReadAsync(polls: 2));
    }

    [Fact]
    public async Task DamagedFile_InAGlob_IsSetAsideAndTheOthersAreRead()
    {
        await using var folder = new FollowedFolder();
        await NumbersIn(folder, "a.parquet", 1, 2);
        folder.Write("b.csv", "a\n3\n");
        folder.Write("c.parquet", "PAR1 and then nothing of the kind");
        await NumbersIn(folder, "d.parquet", 4, 2);
        folder.Open(follow: false, "*");
        Assert.Equal("1 2 3 4 5", await folder.ReadAsync());
        Assert.Contains("'c.parquet' cannot be read at row 0: its footer", folder.SetAside, StringComparison.Ordinal);
        Assert.Single(folder.Told);
    }

    [Fact]
    public void OfFile_AParquetFile_IsSurveyedColumnByColumn()
    {
        DataSurvey survey = DataSurvey.OfFile(
            Path.Combine(AppContext.BaseDirectory, "Columnar", "duckdb.parquet"), format: null, CsvDialect.Found);

        Assert.Equal((RecordFormat.Parquet, 3), (survey.Format, survey.Records));
        Assert.Equal(["x", "s", "st.a", "st.b"], survey.Fields.Select(field => field.Name));
        Assert.Equal(["iv", "l", "l.list.element", "mp", "mp.key_value.key", "mp.key_value.value", "st"], survey.Unusable.Keys.Order());
        Assert.Equal([2, 3, 3, 3], survey.Fields.Select(field => (int)field.Present));
    }

    private static Task<string> NumbersIn(FollowedFolder folder, string name, int first, int count) =>
        WriteAsync(folder.File(name), count, 10, Of("a", [.. Enumerable.Range(first, count).Select(i => (double)i)]));

    private Task<string> NumbersAsync(string name, int first, int count, int groupRows = 10) =>
        WriteAsync(_folder.File(name), count, groupRows, Of("a", [.. Enumerable.Range(first, count).Select(i => (double)i)]));

    private FileSource Open(RecordSchema schema, string name, RecordFormat format = RecordFormat.Csv) =>
        new(new FileSourceOptions { Path = [_folder.File(name)], Format = format },
            new SourceContext(schema, new SourcePosition(), TimeProvider.System));

    /// <summary>The records as texts; a level is written out, its number is another in every batch.</summary>
    private async Task<List<string>> ReadAsync(RecordSchema schema, string name)
    {
        await using FileSource source = Open(schema, name);
        var batch = new RecordBatch(schema, 3);
        var all = new List<string>();
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            Assert.Empty(batch.Rejected);
            all.AddRange(Enumerable.Range(0, batch.Count).Select(row => string.Join(' ', batch.Row(row).ToArray()
                .Select((value, column) => schema.KindOf(column) == FeatureKind.Level && !double.IsNaN(value)
                    ? batch.Texts[(int)value] : value.ToString("R", CultureInfo.InvariantCulture)))
                + $" | {batch.Label(row)} {batch.Key(row)} {batch.Records.Timestamp(row)}"));
        }
        return all;
    }
}
