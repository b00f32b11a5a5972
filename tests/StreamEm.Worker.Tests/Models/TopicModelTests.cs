using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Topics of a stream of texts, through the real executable.</summary>
public sealed class TopicModelTests
{
    private const string Model = """
        features: [text]
        model: { type: latent_dirichlet_allocation, topics: 2, stop_words: [the] }
        """;

    private static readonly string[] Weather = ["rain", "wind", "snow", "cloud"], Bread = ["salt", "flour", "oven", "Butter"];

    [Fact]
    public async Task Run_TextsAsCsvAndCountsAsNdjson_LearnsTheSameTopicsAndShowsThem()
    {
        string[][] texts = Draw();
        using var csv = new ModelFolder(Model);
        using var ndjson = new ModelFolder(Model, "{ file: { path: [data.ndjson], format: ndjson } }");
        csv.Write("data.csv", ["id,text", .. texts.Select((text, row) => $"{row},\"the {string.Join(", ", text)}.\"")]);
        ndjson.Write("data.ndjson", texts.Select(text => JsonSerializer.Serialize(new
        {
            text = text.GroupBy(word => word.ToLowerInvariant()).ToDictionary(words => words.Key, words => words.Count()),
        })));

        await csv.Run();
        await ndjson.Run();

        JsonElement learned = csv.Published;
        Assert.Equal(learned.GetProperty("parameters").GetRawText(), ndjson.Published.GetProperty("parameters").GetRawText());
        Assert.Equal(learned.GetProperty("signature").GetRawText(), ndjson.Published.GetProperty("signature").GetRawText());
        Assert.Equal(["butter", "cloud", "flour", "oven", "rain", "salt", "snow", "wind"], learned.Vocabulary().Order());
        JsonElement training = learned.GetProperty("training");
        Assert.Equal(training.Number("mean_log_likelihood"), training.Number("mean_lower_bound"));
        string shown = await csv.Succeed("inspect", "out.ndjson");
        Assert.Contains("mean lower bound", shown, StringComparison.Ordinal);
        string[] topics = [.. shown.Split('\n').Where(line => line.Contains(" %, ", StringComparison.Ordinal))];
        Assert.Equal(2, topics.Length);
        int Place(string topic, string word) => topic.IndexOf(word, StringComparison.Ordinal);
        string weather = Assert.Single(topics, topic => Place(topic, "rain") < Place(topic, "salt"));
        int bread = Bread.Min(word => Place(weather, word.ToLowerInvariant()));
        Assert.All(Weather, word => Assert.True(Place(weather, word) < bread, weather));

        csv.Write("some.ndjson", ["""{"text":"Rain and rain, and wind"}""", """{"text":{"salt":2,"oven":1}}""", """{"text":""}""", "{}"]);
        JsonElement[] scores = await csv.Score("some.ndjson");
        double[] rain = scores[0].GetProperty("topic_proportions").Numbers(), salt = scores[1].GetProperty("topic_proportions").Numbers();
        Assert.True(rain.Max() > 0.8 && salt.Max() > 0.8 && Array.IndexOf(rain, rain.Max()) != Array.IndexOf(salt, salt.Max()));
        Assert.Equal(3, scores[0].Number("tokens"));
        Assert.Equal(Math.Exp(-scores[1].Number("log_density") / 3), scores[1].Number("perplexity"), 1e-9);
        Assert.Equal(0, scores[2].Number("log_density"));
    }

    [Fact]
    public async Task Run_CountsThatAreNone_RejectsTheRecordAndSaysWhatIsExpected()
    {
        using var folder = new ModelFolder(Model, "{ file: { path: [data.ndjson], format: ndjson } }", "{ buffer: 2 }");
        folder.Write("data.ndjson",
        [
            """{"text":"rain snow"}""", """{"text":{"rain":"often"}}""", """{"text":["salt","oven"]}""", """{"text":"{{braces}} salt"}""",
        ]);

        await folder.Run();

        JsonElement rejected = Assert.Single(folder.LinesOf("rejected.ndjson"));
        Assert.Contains("""expected a text, or an object of terms and their counts such as {"term": 3}""",
            rejected.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(3, folder.Published.GetProperty("training").GetProperty("records").GetInt64());
        Assert.Equal("rain snow salt oven", string.Join(" ", folder.Published.Vocabulary()[..4]));
    }

    private static string[][] Draw()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, 2000).Select(_ => random.Next(2) == 0).Select(isWeather => Enumerable.Range(0, 12)
            .Select(_ => (random.Next(10) > 0 == isWeather ? Weather : Bread)[random.Next(4)]).ToArray())];
    }
}
