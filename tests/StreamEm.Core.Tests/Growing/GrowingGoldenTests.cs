using System.Text.Json;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Growing;

/// <summary>
/// Every output and the state along the way of streams that were computed independently of this code, in numpy: one feature and two, values
/// missing, an absurd record, a clump. Relative 1e-9: some hundred updates of sums in another order.
/// </summary>
public sealed class GrowingGoldenTests
{
    private const double Tolerance = 1e-9;

    public static TheoryData<string> Names() => [.. Cases().Select(item => item.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Step_OfTheGoldenStream_SaysAndBecomesWhatTheFileHas(string name)
    {
        JsonElement golden = Cases().Single(item => item.GetProperty("name").GetString() == name);
        double[][] rows = [.. golden.GetProperty("rows").EnumerateArray().Select(Row)];
        int warm = golden.GetProperty("warm").GetInt32(), dimension = rows[0].Length;
        var mixture = new GrowingMixture(dimension, new GrowthOptions(), new GrowthGuard { Quarantines = true });
        var first = new Minibatch(dimension, warm);
        foreach (double[] row in rows[..warm]) first.Add(row);
        mixture.Start(first);
        var alarms = new AlarmWatch(new AlarmOptions { Rest = 100, RestShare = 0.075, RestAtMost = 375 }, ["x", "y"]);
        JsonElement[] scores = [.. golden.GetProperty("scores").EnumerateArray()];

        for (int row = 0; row < rows.Length; row++)
        {
            GrowingScore score = mixture.Step(rows[row]);
            AlarmMark mark = alarms.Take(null, Minibatch.NoTimestamp, score.PValue, score.NoveltyPValue, -1, rows[row]);
            if (row >= warm) CheckScore(scores[row], score, mark, $"{name}, row {row}");
            string after = (row + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (golden.GetProperty("after").TryGetProperty(after, out JsonElement state) && row + 1 >= warm)
                CheckState(state, mixture, $"{name}, after row {row + 1}");
        }
    }

    private static void CheckScore(JsonElement expected, GrowingScore found, AlarmMark mark, string where)
    {
        if (Has(found.Abnormality) && expected.GetProperty("y").GetDouble() > 0)
        {
            Close(expected.GetProperty("y").GetDouble(), found.Abnormality, where);
            Close(expected.GetProperty("y_new").GetDouble(), found.Novelty, where);
        }
        // Where there is no p-value yet, the file has 1.
        Close(expected.GetProperty("p").GetDouble(), Has(found.PValue) ? found.PValue : 1, where);
        Close(expected.GetProperty("p_new").GetDouble(), Has(found.NoveltyPValue) ? found.NoveltyPValue : 1, where);
        Assert.Equal(expected.GetProperty("quarantined").GetBoolean(), found.IsStrange);
        Assert.Equal(expected.GetProperty("alarm").GetBoolean(), mark == AlarmMark.Raised);
    }

    private static void CheckState(JsonElement expected, GrowingMixture mixture, string where)
    {
        if (expected.GetProperty("warming").GetBoolean()) return;
        double[] centre = Row(expected.GetProperty("centre")), scale = Row(expected.GetProperty("scale"));
        for (int d = 0; d < centre.Length; d++)
        {
            Close(centre[d], mixture.Scale.Location[d], where);
            Close(scale[d], mixture.Scale.Scale[d], where);
        }
        JsonElement[] components = [.. expected.GetProperty("components").EnumerateArray()];
        Assert.Equal(components.Length, mixture.Components.Count);
        for (int k = 0; k < components.Length; k++)
        {
            Close(components[k].GetProperty("weight").GetDouble(), mixture.Components.Weights[k], where);
            Assert.Equal(components[k].GetProperty("quarantined").GetBoolean(), mixture.Components.IsQuarantined[k]);
            double[] mean = Row(components[k].GetProperty("mean"));
            double[] covariance = [.. components[k].GetProperty("covariance").EnumerateArray().SelectMany(Row)];
            for (int d = 0; d < mean.Length; d++) Close(mean[d], mixture.Components.Mean(k)[d], where);
            for (int at = 0; at < covariance.Length; at++) Close(covariance[at], mixture.Components.Scatter(k)[at], where);
        }
    }

    private static void Close(double expected, double found, string where) =>
        Assert.True(
            Math.Abs(expected - found) <= Tolerance * Math.Max(1e-3, Math.Abs(expected)), $"{where}: {found:R}, expected {expected:R}");

    private static bool Has(double value) => !double.IsNaN(value);

    private static double[] Row(JsonElement row) =>
        [.. row.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble())];

    private static JsonElement[] Cases()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "detector.json")));
        return [.. document.RootElement.Clone().GetProperty("cases").EnumerateArray()];
    }
}
