using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Topics;

namespace StreamEm.Benchmarks;

/// <summary>Texts drawn from topics that are known, some of them kept from learning.</summary>
internal sealed class SyntheticCorpus
{
    private const double DocumentPrior = 0.1, TermPrior = 0.02, TopicPrior = 0.05;
    private const int MeanLength = 100;

    private readonly List<(int[] Terms, double[] Counts)> _texts = [], _heldOut = [];

    /// <summary>Draws it.</summary>
    public SyntheticCorpus(int topics, int terms, int texts, int heldOut)
    {
        (Topics, Terms) = (topics, terms);
        var draws = new RandomDraws(17);
        double[][] distributions = [.. Enumerable.Range(0, topics).Select(_ => Dirichlet(draws, terms, TermPrior))];
        for (int at = 0; at < texts + heldOut; at++) (at < texts ? _texts : _heldOut).Add(Text(draws, distributions));
        Tokens = (long)_texts.Sum(text => text.Counts.Sum());
    }

    /// <summary>K.</summary>
    public int Topics { get; }

    /// <summary>V.</summary>
    public int Terms { get; }

    /// <summary>Tokens that are learned from.</summary>
    public long Tokens { get; }

    /// <summary>The model that learns it.</summary>
    public LatentModel Model(int iterations)
    {
        var options = (TopicOptions)ModelCatalog.Find("latent_dirichlet_allocation")!.CreateOptions() with
        {
            Components = Topics,
            DocumentPrior = DocumentPrior,
            TopicPrior = TopicPrior,
            TotalSamples = _texts.Count,
            MaxIterations = iterations,
            Tolerance = 1e-3,
        };
        var text = new Feature("text", FeatureKind.Terms, FeatureScaling.None)
        {
            Levels = [.. Enumerable.Range(0, Terms).Select(term => FormattableString.Invariant($"t{term}"))],
            MaxLevels = Terms,
        };
        return options.Create(new FeatureSpace([text]));
    }

    /// <summary>Where it starts: as gensim does, lambda ~ Gamma(100, 1 / 100).</summary>
    public double[] Start(LatentModel model)
    {
        var draws = new RandomDraws(23);
        double[] theta = new double[model.ParameterLayout.Length];
        foreach (ref double value in theta.AsSpan()) value = draws.Gamma(100) / 100;
        return theta;
    }

    /// <summary>The texts that are learned from.</summary>
    public Minibatch[] Minibatches(int size) => [.. _texts.Chunk(size).Select(texts =>
    {
        var part = new Minibatch(1, size);
        part.BeginTerms();
        foreach ((int[] terms, double[] counts) in texts)
        {
            part.Add([counts.Sum()]);
            part.SetTerms(part.Count - 1, terms, counts);
        }
        return part;
    })];

    /// <summary>Writes <c>texts.txt</c> and <c>held.txt</c>: a text a line, <c>term:count</c>.</summary>
    public void Write(string folder)
    {
        foreach ((string name, List<(int[] Terms, double[] Counts)> texts) in new[] { ("texts", _texts), ("held", _heldOut) })
            File.WriteAllLines(Path.Combine(folder, $"{name}.txt"), texts.Select(text => string.Join(' ',
                text.Terms.Zip(text.Counts, (term, count) => string.Create(CultureInfo.InvariantCulture, $"{term}:{count}")))));
    }

    private static (int[] Terms, double[] Counts) Text(RandomDraws draws, double[][] distributions)
    {
        double[] proportions = Dirichlet(draws, distributions.Length, DocumentPrior);
        var counts = new SortedDictionary<int, double>();
        for (int left = 1 + (int)draws.Poisson(MeanLength - 1); left > 0; left--)
        {
            int term = draws.Category(distributions[draws.Category(proportions)]);
            counts[term] = counts.GetValueOrDefault(term) + 1;
        }
        return ([.. counts.Keys], [.. counts.Values]);
    }

    private static double[] Dirichlet(RandomDraws draws, int length, double prior)
    {
        double[] result = [.. Enumerable.Range(0, length).Select(_ => draws.Gamma(prior))];
        double sum = result.Sum();
        return [.. result.Select(value => value / sum)];
    }
}
