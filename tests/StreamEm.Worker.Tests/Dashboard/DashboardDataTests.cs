using System.Net.Http.Json;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>What models of many kinds say of their parameters and of their records: all that the dashboard knows of them.</summary>
public sealed class DashboardDataTests(DashboardWorker worker) : IClassFixture<DashboardWorker>
{
    [Theory]
    [InlineData("clouds", "covariances: component feature feature; means: component feature; weights: component")]
    [InlineData("categories", "probabilities.colour: component entry; probabilities.size: component entry; weights: component")]
    [InlineData("counts", "rates: component feature; weights: component")]
    [InlineData("walk",
        "covariances: component feature feature; means: component feature; startprob: component; transmat: component component")]
    [InlineData("wide", "loadings: feature index; means: feature; noise_variances: feature")]
    [InlineData("faults",
        "probabilities.alarm: row entry; probabilities.cause: row entry; probabilities.noise: row entry; probabilities.site: entry")]
    [InlineData("topics", "components: index entry")]
    public async Task Layout_OfAModel_SaysWhatItsAxesAre(string id, string expected)
    {
        await worker.VersionOf(id, 1);

        JsonElement layout = await worker.Client.GetFromJsonAsync<JsonElement>(new Uri(worker.Address, $"/v1/models/{id}/layout"));

        IEnumerable<string> blocks = layout.GetProperty("blocks").EnumerateArray().OrderBy(NameOf, StringComparer.Ordinal)
            .Select(block => $"{NameOf(block)}: {string.Join(' ', Axes(block).Select(axis => axis.GetProperty("of").GetString()))}");
        Assert.Equal(expected, string.Join("; ", blocks));
    }

    [Theory]
    [InlineData("clouds")]
    [InlineData("categories")]
    [InlineData("counts")]
    [InlineData("walk")]
    [InlineData("wide")]
    [InlineData("line")]
    [InlineData("faults")]
    [InlineData("topics")]
    public async Task Axes_WithNames_HaveAsManyAsPlaces(string id)
    {
        await worker.VersionOf(id, 1);

        JsonElement layout = await worker.Client.GetFromJsonAsync<JsonElement>(new Uri(worker.Address, $"/v1/models/{id}/layout"));

        foreach (JsonElement block in layout.GetProperty("blocks").EnumerateArray())
        {
            int[] shape = [.. block.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32())];
            JsonElement[] axes = Axes(block);
            // Rows with names stand for all places before the last axis.
            int[] places = axes[0].GetProperty("of").GetString() == "row"
                ? [shape[..^1].Aggregate(1, (product, extent) => product * extent), shape[^1]]
                : shape;
            Assert.Equal(places.Length, axes.Length);
            for (int axis = 0; axis < axes.Length; axis++)
                if (axes[axis].TryGetProperty("names", out JsonElement names)) Assert.Equal(places[axis], names.GetArrayLength());
        }
    }

    [Fact]
    public async Task Names_OfLevelsAndCoefficients_AreThoseOfTheData()
    {
        await worker.VersionOf("categories", 1);
        await worker.VersionOf("line", 1);

        Assert.Equal(["blue", "green", "red"], (await NamesOf("categories", "probabilities.colour", 1)).Order(StringComparer.Ordinal));
        Assert.Equal(["(intercept)", "speed", "load"], await NamesOf("line", "coefficients", 0));
    }

    [Fact]
    public async Task Alarms_OfAWatchedStream_AreTheRecordsThatRaisedOrEndedOne()
    {
        await worker.VersionOf("clouds", 12);

        JsonElement[] alarms = await RecentOf("clouds", "alarms");

        JsonElement far = alarms.First(record => record.GetProperty("fields").GetProperty("temperature").GetDouble() > 50);
        Assert.Equal("raised", far.GetProperty("alarm_event").GetString());
        Assert.StartsWith("pump", far.GetProperty("key").GetString(), StringComparison.Ordinal);
        Assert.True(far.GetProperty("p_value").GetDouble() < 0.01);
        JsonElement explanation = far.GetProperty("explanation");
        Assert.True(explanation.GetProperty("temperature").GetProperty("contribution").GetDouble()
            > explanation.GetProperty(DashboardWorker.Hostile).GetProperty("contribution").GetDouble());
    }

    [Fact]
    public async Task Strangest_OfAWatchedStream_AreOfAllItsRecords()
    {
        await worker.VersionOf("clouds", 12);

        JsonElement[] strangest = await RecentOf("clouds", "strangest");

        Assert.InRange(strangest[0].GetProperty("fields").GetProperty("temperature").GetDouble(), 50, 70);
        Assert.Equal(strangest.Select(PValue).Order(), strangest.Select(PValue));
    }

    [Fact]
    public async Task Records_OfSequences_AreToldWithoutScores()
    {
        await worker.VersionOf("walk", 1);

        JsonElement[] sample = await RecentOf("walk", "sample");

        Assert.NotEmpty(sample);
        Assert.All(sample, record => Assert.False(record.TryGetProperty("log_density", out _)));
        Assert.All(sample, record => Assert.True(record.GetProperty("fields").TryGetProperty("level", out _)));
        Assert.Empty(await RecentOf("walk", "strangest"));
    }

    [Theory]
    [InlineData("categories", "colour")]
    [InlineData("faults", "noise")]
    [InlineData("topics", "text")]
    public async Task Records_OfTexts_HaveTheirTexts(string id, string field)
    {
        await worker.VersionOf(id, 1);

        foreach (JsonElement record in await RecentOf(id, "sample"))
        {
            Assert.NotEmpty(record.GetProperty("fields").GetProperty(field).GetString()!);
            Assert.True(record.TryGetProperty("log_density", out _));
        }
    }

    private static string NameOf(JsonElement block) => block.GetProperty("name").GetString()!;

    private static double PValue(JsonElement record) => record.GetProperty("p_value").GetDouble();

    private async Task<JsonElement[]> RecentOf(string id, string kind)
    {
        JsonElement recent = await worker.Client.GetFromJsonAsync<JsonElement>(
            new Uri(worker.Address, $"/v1/models/{id}/recent?kind={kind}&limit=50"));
        return [.. recent.GetProperty("records").EnumerateArray()];
    }

    private async Task<string[]> NamesOf(string id, string name, int axis)
    {
        JsonElement layout = await worker.Client.GetFromJsonAsync<JsonElement>(new Uri(worker.Address, $"/v1/models/{id}/layout"));
        JsonElement block = layout.GetProperty("blocks").EnumerateArray().Single(block => NameOf(block) == name);
        return [.. Axes(block)[axis].GetProperty("names").EnumerateArray().Select(text => text.GetString()!)];
    }

    private static JsonElement[] Axes(JsonElement block) => [.. block.GetProperty("axes").EnumerateArray()];
}
