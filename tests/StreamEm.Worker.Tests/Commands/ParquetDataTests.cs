using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Schema;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Data in a Parquet file is the data of the CSV file with the same values, to every command.</summary>
public sealed class ParquetDataTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fit_ParquetAndCsvOfTheSameValues_LearnTheSameBytes()
    {
        await WriteAsync(Pipelines.Clouds(2000));
        JsonNode csv = await FitAsync("data.csv"), parquet = await FitAsync("data.parquet"), unnamed = await FitAsync("data");

        Assert.Equal(csv["parameters"]!.ToJsonString(), parquet["parameters"]!.ToJsonString());
        Assert.Equal(csv["training"]!.ToJsonString(), parquet["training"]!.ToJsonString());
        Assert.Equal(csv["parameters"]!.ToJsonString(), unnamed["parameters"]!.ToJsonString());
    }

    [Fact]
    public async Task Init_OfAParquetFile_ProposesWhatRunReads()
    {
        await WriteAsync(Pipelines.Clouds(400));
        CommandRun proposed = await CommandRun.Of(Verbs.CreateRoot(), ["init", _directory["data.parquet"]]);

        Assert.Equal((0, ""), (proposed.ExitCode, proposed.Error));
        Assert.Contains("data.parquet\"], format: parquet }", proposed.Output, StringComparison.Ordinal);
        File.WriteAllText(_directory["streamem.yaml"], proposed.Output);
        CommandRun validated = await CommandRun.Of(Verbs.CreateRoot(), ["validate", "-c", _directory["streamem.yaml"]]);
        Assert.Equal((0, ""), (validated.ExitCode, validated.Error));
    }

    private async Task<JsonNode> FitAsync(string name)
    {
        string snapshot = _directory[$"{name}.json"];
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(),
            ["fit", _directory[name], "--model", "gaussian_mixture", "--components", "2", "--features", "x,y", "-o", snapshot]);
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonNode.Parse(await File.ReadAllTextAsync(snapshot, TestContext.Current.CancellationToken))!;
    }

    private async Task WriteAsync(IEnumerable<double[]?> rows)
    {
        double[][] values = [.. rows.Select(row => row!)];
        var text = new StringBuilder("x,y\n");
        foreach (double[] row in values) text.Append(CultureInfo.InvariantCulture, $"{row[0]:R},{row[1]:R}\n");
        File.WriteAllText(_directory["data.csv"], text.ToString());
        var schema = new ParquetSchema(new DataField<double>("y"), new DataField<double>("x"));
        await using (FileStream file = File.Create(_directory["data.parquet"]))
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file))
        {
            foreach (double[][] part in values.Chunk(300))
            {
                using ParquetRowGroupWriter group = writer.CreateRowGroup();
                for (int column = 1; column >= 0; column--)
                    await group.WriteAsync<double>(schema.DataFields[1 - column], part.Select(row => row[column]).ToArray());
            }
        }

        File.Copy(_directory["data.parquet"], _directory["data"]);
    }
}
