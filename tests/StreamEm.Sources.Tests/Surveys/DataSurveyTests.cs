using System.IO.Compression;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Surveys;

namespace StreamEm.Sources.Tests.Surveys;

public sealed class DataSurveyTests
{
    [Theory]
    [InlineData("a,b\n1,2\n3,4\n", ',')]
    [InlineData("a;b\n1;2\n3;4\n", ';')]
    [InlineData("a\tb\n1\t2\n3\t4\n", '\t')]
    [InlineData("a|b\n1|2\n3|4\n", '|')]
    [InlineData("\"a,b\";b\n\"x,y,z\";2\n\"x\";4\n", ';')]
    [InlineData("a;b\n1,5;2,5\n3,5;4\n", ';')]
    [InlineData("name;note\nx;one, two, three\ny;four\n", ';')]
    [InlineData("a\n1\n2\n", ',')]
    public void OfText_Csv_FindsWhatColumnsAreApartBy(string text, char separator) =>
        Assert.Equal(separator, Survey(text).Dialect.Separator);

    [Fact]
    public void OfText_DecimalCommas_AreNumbers()
    {
        DataSurvey survey = Survey("a;b\n1;2,5\n3;4,25\n");

        Assert.Equal(',', survey.Dialect.Decimal);
        Assert.Equal((2, 4.25), (survey.Fields[1].Numbers, survey.Fields[1].Largest));
    }

    [Fact]
    public void OfText_Csv_CountsWhatEveryFieldHolds()
    {
        DataSurvey survey = Survey(
            "n,time,flag,bit,text,mixed,empty\n1,2026-01-01,true,0,a,1,\n2,2026-01-02,false,1,b,x,NA\n3,2026-01-03,true,1,a,2.5,?\n");

        Assert.Equal(3, survey.Records);
        FieldSurvey n = survey.Fields[0], time = survey.Fields[1], flag = survey.Fields[2], bit = survey.Fields[3], text = survey.Fields[4],
            mixed = survey.Fields[5], empty = survey.Fields[6];
        Assert.True(n is { Numbers: 3, Integers: 3, IsNumbering: true, IsAscending: true, Least: 1, Largest: 3, Distinct: 3 });
        Assert.True(time is { Times: 3, Numbers: 0 });
        Assert.True(flag is { Flags: 3, Texts: 0, Distinct: 2 });
        Assert.True(bit is { Bits: 3, IsNumbering: false, IsAscending: true });
        Assert.True(text is { Texts: 3, Distinct: 2 });
        Assert.True(mixed is { Numbers: 2, Integers: 1, Texts: 1, Present: 3 });
        Assert.Equal(0, empty.Present);
    }

    [Fact]
    public void OfText_LinesBeforeTheHeaderAndComments_ArePassedOver()
    {
        DataSurvey survey = DataSurvey.OfText(
            "made by a logger\n# units: C\na,b\n# a break\n1,2\n"u8, isWhole: true, "x", null,
            new CsvDialect { SkipLines = 1, Comment = "#" });

        Assert.Equal(["a", "b"], survey.Fields.Select(field => field.Name));
        Assert.Equal(1, survey.Records);
    }

    [Fact]
    public void OfText_NoHeader_SaysHowToNameTheColumns()
    {
        SourceException failure = Assert.Throws<SourceException>(() => Survey("1.5,2\n3,4\n"));

        Assert.Contains("--columns", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("1.5", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfText_ColumnsSaid_AreThoseOfTheFirstLineToo()
    {
        DataSurvey survey =
            DataSurvey.OfText("1,2\n3,4\n"u8, isWhole: true, "x", RecordFormat.Csv, new CsvDialect { Columns = ["a", "b"] });

        Assert.Equal(2, survey.Records);
        Assert.Equal(2, survey.Fields[0].Numbers);
    }

    [Fact]
    public void OfText_Objects_HaveFieldsWithPaths()
    {
        DataSurvey survey = Survey(
            """
            {"t": 1.5, "at": {"x": 2, "on": true}, "list": [1], "name": "a"}
            not an object
            {"t": null, "at": {"x": "3"}, "odd": "\ud800"}
            """);

        Assert.Equal(RecordFormat.Ndjson, survey.Format);
        Assert.Equal(2, survey.Records);
        Assert.Equal(["t", "at.x", "at.on", "name", "odd"], survey.Fields.Select(field => field.Name));
        Assert.Equal([1, 2, 0, 0, 0], survey.Fields.Select(field => (int)field.Numbers));
        Assert.Equal(1, survey.Fields[2].Flags);
    }

    [Fact]
    public void OfText_ObjectsThatAreNotQuiteJson_AreReadAsTheDecoderReadsThem()
    {
        DataSurvey survey = Survey("{\"a\": 1.5, \"x\": NaN}\n{\"a\\ud800\": 2}\n{\"\": 1, \"b.c\": 2, \"a\": 3}\n");

        Assert.Equal(2, survey.Records);
        Assert.Equal(["a", "x"], survey.Fields.Select(field => field.Name));
        Assert.Equal([2, 0], survey.Fields.Select(field => (int)field.Present));
    }

    [Fact]
    public void OfText_CutInARecord_LeavesItOut() =>
        Assert.Equal(1, DataSurvey.OfText("a,b\n1,2\n3,"u8, isWhole: false, "x", null, CsvDialect.Found).Records);

    [Fact]
    public void OfText_NoText_IsRefusedByName() =>
        Assert.Contains("Parquet", Assert.Throws<SourceException>(() => DataSurvey.OfText(
            "PAR1\u0015xxxx"u8, isWhole: true, "x", null, CsvDialect.Found)).Message, StringComparison.Ordinal);

    [Fact]
    public void OfFirst_GzipOfAGlob_IsRead()
    {
        string folder = Directory.CreateTempSubdirectory("streamem-survey-").FullName;
        try
        {
            using (var file = new GZipStream(File.Create(Path.Combine(folder, "b.csv.gz")), CompressionLevel.Fastest))
                file.Write("a,b\n1,2\n"u8);

            DataSurvey survey = DataSurvey.OfFirst([Path.Combine(folder, "*.gz")], _ => null, CsvDialect.Found);

            Assert.Equal(["a", "b"], survey.Fields.Select(field => field.Name));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static DataSurvey Survey(string text) =>
        DataSurvey.OfText(Encoding.UTF8.GetBytes(text), isWhole: true, "x", null, CsvDialect.Found);
}
