using System.Globalization;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Classes learned from labels of every form, through the real executable.</summary>
public sealed class ClassifierTests
{
    private const string Model = """
        features: [x, c]
        label: state
        model:
          type: mixture_classifier
          components: 1
          emissions:
            - gaussian: { features: [x] }
            - categorical: { features: [c] }
        """;

    [Fact]
    public async Task Run_LabelsOfEveryForm_LearnsTheClassesAndTellsRecordsApart()
    {
        using var folder = new ModelFolder(Model);
        var random = new Random(6);
        string?[] states = ["idle", "busy", "hot"];
        folder.Write("data.csv", ["x,c,state", .. Enumerable.Range(0, 4000).Select(row =>
        {
            int state = random.Next(3);
            string label = row < 3 ? states[row]! : random.Next(20) switch
            {
                0 or 1 => states[state]!,
                2 => $"\"[\"\"{states[state]}\"\",\"\"{states[(state + 1) % 3]}\"\"]\"",
                3 => $"\"{{\"\"not\"\":\"\"{states[(state + 1) % 3]}\"\"}}\"",
                4 => $"\"{{\"\"{states[state]}\"\":0.9,\"\"{states[(state + 2) % 3]}\"\":0.1}}\"",
                _ => "",
            };
            if (row < 3) state = row;
            string on = random.Next(10) < (state == 2 ? 9 : 1) ? "on" : "off";
            return string.Create(CultureInfo.InvariantCulture, $"{10 * Math.Min(state, 1) + Normal(random):F3},{on},{label}");
        }), "1,on,\"{\"\"idle\"\":0.9,\"\"hot\"\":0.9}\""]);
        folder.Write("some.ndjson", ["{\"x\":0.2,\"c\":\"off\"}", "{\"x\":9.8,\"c\":\"on\"}", "{\"x\":10,\"c\":\"off\"}",
            "{\"c\":\"on\"}"]);

        await folder.Run();
        JsonElement[] scores = await folder.Score("some.ndjson");
        string csv = await folder.Succeed("score", "out.ndjson", "some.ndjson", "--format", "csv");
        string shown = await folder.Succeed("inspect", "out.ndjson");

        JsonElement learned = folder.Published;
        Assert.Equal(states, learned.GetProperty("signature").GetProperty("classes").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(0, learned.Parameter("idle.gaussian.means")[0], 0.3);
        Assert.Equal(10, learned.Parameter("hot.gaussian.means")[0], 0.3);
        Assert.Equal(["idle", "hot", "busy", "hot"], scores.Select(score => score.GetProperty("class").GetString()));
        Assert.All(scores, score => Assert.Equal(1,
            score.GetProperty("class_probabilities").EnumerateArray().Sum(value => value.GetDouble()), 1e-12));
        Assert.StartsWith("record,log_density,component,component_id,uncertainty,class,anomaly_score,p_value,"
            + "responsibility_c0,responsibility_c1,responsibility_c2,"
            + "class_probability_idle,class_probability_busy,class_probability_hot,error\n", csv,
            StringComparison.Ordinal);
        Assert.Contains("c2 hot", shown, StringComparison.Ordinal);
        JsonElement rejected = Assert.Single(folder.LinesOf("rejected.ndjson"));
        Assert.Equal("out_of_range", rejected.GetProperty("reason").GetString());
        Assert.StartsWith("column 'state' holds probabilities that do not sum to 1", rejected.GetProperty("detail").GetString(),
            StringComparison.Ordinal);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
