using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Texts made of three topics, and the topics found in a stream of them.</summary>
internal sealed class TopicsOfACorpus : Experiment
{
    private const int Texts = 1500, Words = 40, Size = 20;
    private const double Concentration = 0.3;

    private static readonly string[][] Themes =
    [
        ["anchor", "harbour", "sail", "tide", "wave", "captain", "rope", "gull"],
        ["flour", "oven", "butter", "salt", "sugar", "knead", "dough", "crust"],
        ["seed", "soil", "root", "prune", "bloom", "spade", "hedge", "compost"],
    ];

    private static readonly string[] Common = ["the", "and", "old", "good", "day", "time"];

    public override string Name => "topics";

    public override string Title => "Topics of a corpus, from a stream";

    public override string Claim =>
        "Latent Dirichlet allocation finds what texts are about from their words alone; learned from a stream by one pass it finds the "
        + "same as in many passes over all texts.";

    public override string Source => "Blei, Ng & Jordan 2003; Hoffman, Blei & Bach 2010.";

    public override string Setting =>
        $"{Texts} texts of {Words} words made here: proportions of three topics from a Dirichlet of {Fits.Text(Concentration)}, each "
        + "topic 8 words of its own (falling probabilities) and, with one word in four, 6 words that all share. "
        + $"`latent_dirichlet_allocation` with 3 topics: one pass in minibatches of {Size}, gamma_t = (1 + t)^-0.7, and 60 batch "
        + "iterations, from the same random start. Distance: half the L1 distance of a topic's words to the nearest true topic.";

    public override Finding Run()
    {
        string[] terms = [.. Themes.SelectMany(theme => theme), .. Common];
        double[][] topics = [.. Themes.Select((_, k) => TrueTopic(k, terms))];
        var draws = new RandomDraws(Seed);
        Minibatch rows = Draw(topics, terms.Length, draws, out double[][] shares);
        LatentModel model = Fits.Model("latent_dirichlet_allocation", FeatureSpace.Unscaled(terms), ("topics", "3"),
            ("corpus_size", $"{Texts}"));
        double[] start = Fits.Theta(model, [.. Enumerable.Range(0, 3 * terms.Length).Select(_ => draws.Gamma(100) / 100)]);
        double[] stream = Fits.Stream(model, rows, start, Size, 0.7), batch = start;
        for (int iteration = 0; iteration < 60; iteration++) batch = Fits.Step(model, rows, batch);
        (double far, int[] names) = Match(stream, topics, terms.Length);
        (double farBatch, _) = Match(batch, topics, terms.Length);
        double[] proportions = Fits.Scores(model, rows, stream, "topic_proportions").Block;
        double off = Enumerable.Range(0, Texts).Average(text => Enumerable.Range(0, 3)
            .Sum(k => Math.Abs(proportions[3 * text + k] - shares[text][names[k]]) / 2));
        string[][] tops = [.. Enumerable.Range(0, 3).Select(k => Top(stream, k, terms))];
        int own = Enumerable.Range(0, 3).Sum(k => tops[k].Count(term => Themes[names[k]].Contains(term)));
        return new Finding(
            far < 0.1 && farBatch < 0.1 && own >= 11 && names.Distinct().Count() == 3 && off < 0.15,
            $"After one pass each topic is within {Fits.Text(far, "F3")} of a true one (60 batch passes: {Fits.Text(farBatch, "F3")}); "
            + $"of their five most probable words {own} of 15 are a theme's own. The proportions of the texts are off by "
            + $"{Fits.Text(off, "F3")} on the average.",
            Figure.Of(
                new HeatMap("Topics by term: found and true", [.. Enumerable.Range(0, 6).Select(at => at % 2 == 0 ? "found" : "true")], [],
                    Table(stream, topics, names, terms.Length), "")
                {
                    Caption = "terms: sea, kitchen, garden, common; darker is more",
                    IsSquare = false
                },
                new Chart("Proportion of the first topic, 300 texts", "true", "found")
                    .Points("", [.. shares.Take(300).Select(share => share[names[0]])],
                    [.. Enumerable.Range(0, 300).Select(text => proportions[3 * text])])),
            "The words of every topic found above those of the true one, and proportions of texts",
            new NumberTable(["topic", "five most probable words"],
                [.. tops.Select((top, k) => (IReadOnlyList<string>)[$"{k + 1}", string.Join(", ", top)])]));
    }

    private static double[] TrueTopic(int theme, string[] terms)
    {
        double[] topic = new double[terms.Length];
        double total = Enumerable.Range(0, 8).Sum(rank => 1.0 / (rank + 2));
        for (int at = 0; at < terms.Length; at++)
            topic[at] = at >= 24 ? 0.25 / Common.Length : at / 8 == theme ? 0.75 / (at % 8 + 2) / total : 0;
        return topic;
    }

    private static Minibatch Draw(double[][] topics, int terms, RandomDraws draws, out double[][] shares)
    {
        double[][] made = new double[Texts][];
        Minibatch rows = Fits.Rows(Enumerable.Range(0, Texts).Select(text =>
        {
            double[] share = [.. Enumerable.Range(0, 3).Select(_ => draws.Gamma(Concentration))], counts = new double[terms];
            double total = share.Sum();
            made[text] = [.. share.Select(value => value / total)];
            for (int word = 0; word < Words; word++) counts[draws.Category(topics[draws.Category(made[text])])]++;
            return counts;
        }));
        shares = made;
        return rows;
    }

    private static double[] Shares(double[] lambda, int topic, int terms)
    {
        double[] words = lambda[(topic * terms)..((topic + 1) * terms)];
        double total = words.Sum();
        return [.. words.Select(value => value / total)];
    }

    private static (double Farthest, int[] Names) Match(double[] lambda, double[][] topics, int terms)
    {
        int[] names = new int[3];
        double farthest = 0;
        for (int k = 0; k < 3; k++)
        {
            double[] words = Shares(lambda, k, terms);
            double[] distances = [.. topics.Select(topic => topic.Zip(words, (a, b) => Math.Abs(a - b)).Sum() / 2)];
            names[k] = Array.IndexOf(distances, distances.Min());
            farthest = Math.Max(farthest, distances.Min());
        }
        return (farthest, names);
    }

    private static string[] Top(double[] lambda, int topic, string[] terms) =>
        [.. Shares(lambda, topic, terms.Length).Select((p, at) => (p, at)).OrderByDescending(pair => pair.p).Take(5)
            .Select(pair => terms[pair.at])];

    private static double[,] Table(double[] lambda, double[][] topics, int[] names, int terms)
    {
        double[,] table = new double[6, terms];
        for (int k = 0; k < 3; k++)
            for (int at = 0; at < terms; at++)
            {
                table[2 * k, at] = 1 - Math.Min(1, 4 * Math.Round(Shares(lambda, k, terms)[at], 3));
                table[2 * k + 1, at] = 1 - Math.Min(1, 4 * Math.Round(topics[names[k]][at], 3));
            }
        return table;
    }
}
