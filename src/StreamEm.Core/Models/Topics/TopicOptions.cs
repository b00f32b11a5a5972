using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Topics;

/// <summary>
/// Topics of texts (<c>type: latent_dirichlet_allocation</c>). One feature is a field of text, whose terms are the vocabulary; several are
/// counts, a term each. Names and defaults are those of scikit-learn's LatentDirichletAllocation.
/// </summary>
internal sealed record TopicOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "latent_dirichlet_allocation",
        "K topics, each a distribution over terms, mixed in every text; what a stream of texts is about.",
        entry => new TopicOptions { Entry = entry },
        new Setting<TopicOptions, int>(
            "topics", new IntegerKind(1, 65_536), o => o.Components, (o, v) => o with { Components = v }, "Number of topics K."),
        new Setting<TopicOptions, double?>(
            "doc_topic_prior", new NullableKind<double>(new NumberKind(Interval.Above(0))), o => o.DocumentPrior,
            (o, v) => o with { DocumentPrior = v }, "alpha, of the Dirichlet prior of a text's topics; null is 1 / K."),
        new Setting<TopicOptions, double?>(
            "topic_word_prior", new NullableKind<double>(new NumberKind(Interval.Above(0))), o => o.TopicPrior,
            (o, v) => o with { TopicPrior = v }, "eta, of the Dirichlet prior of a topic's terms; null is 1 / K."),
        new Setting<TopicOptions, int>(
            "max_terms", new IntegerKind(1, 1_000_000), o => o.MaxTerms, (o, v) => o with { MaxTerms = v },
            "The most terms of the vocabulary, in the order they first appear; later ones are left out."),
        new Setting<TopicOptions, NameList>(
            "vocabulary", new NameListKind("a list of different terms, such as [rain, snow]"), o => o.Vocabulary,
            (o, v) => o with { Vocabulary = v }, "The terms, where they are given; none others are learned then."),
        new Setting<TopicOptions, NameList>(
            "stop_words", new NameListKind("a list of different terms, such as [the, of]"), o => o.StopWords,
            (o, v) => o with { StopWords = v }, "Terms that are left out of the vocabulary."),
        new Setting<TopicOptions, double?>(
            "corpus_size", new NullableKind<double>(new NumberKind(Interval.AtLeast(1))), o => o.TotalSamples,
            (o, v) => o with { TotalSamples = v },
            "Texts of the corpus, which the prior of the topics weighs against; null: as many as the parameters remember."),
        new Setting<TopicOptions, int>(
            "max_doc_update_iter", new IntegerKind(1, 1_000_000), o => o.MaxIterations, (o, v) => o with { MaxIterations = v },
            "The most iterations over a text in the E-step."),
        new Setting<TopicOptions, double>(
            "mean_change_tol", new NumberKind(Interval.AtLeast(0)), o => o.Tolerance, (o, v) => o with { Tolerance = v },
            "The E-step of a text stops when the parameters of its topics change by less than this, on average."),
        PriorSetting.Of<TopicOptions>(o => o.Prior, (o, v) => o with { Prior = v }),
        BlockNames.SettingOf<TopicOptions>(o => o.Fixed, (o, v) => o with { Fixed = v }));

    /// <summary>The two Dirichlet priors are the model: this changes neither.</summary>
    public Prior Prior { get; init; }

    /// <summary>Blocks that stay what they are.</summary>
    public BlockNames Fixed { get; init; } = BlockNames.None;

    /// <summary>Number of topics K.</summary>
    public int Components { get; init; } = 10;

    /// <summary>alpha; null for 1 / K.</summary>
    public double? DocumentPrior { get; init; }

    /// <summary>eta; null for 1 / K.</summary>
    public double? TopicPrior { get; init; }

    /// <summary>The most terms that are learned.</summary>
    public int MaxTerms { get; init; } = 10_000;

    /// <summary>The terms, where they are given.</summary>
    public NameList Vocabulary { get; init; } = NameList.None;

    /// <summary>Terms that are left out.</summary>
    public NameList StopWords { get; init; } = NameList.None;

    /// <summary>Texts of the corpus; null for n_eff.</summary>
    public double? TotalSamples { get; init; }

    /// <summary>The most inner iterations.</summary>
    public int MaxIterations { get; init; } = 100;

    /// <summary>Mean change of gamma that ends them.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <inheritdoc/>
    public override LatentModelOptions WithComponents(int components) => this with { Components = components };

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (schema.Features.Count > 1 && Vocabulary.Names.Count > 0)
            yield return $"vocabulary: {schema.Features.Count} features are counts of a term each, and name the vocabulary themselves; "
                + "give one feature, the field of the text, or leave vocabulary out";
        string[] both = [.. Vocabulary.Names.Intersect(StopWords.Names)];
        if (both.Length > 0) yield return $"stop_words: '{both[0]}' is in vocabulary too";
    }

    /// <inheritdoc/>
    public override string? IntervalsProblem => "its parameters are those of a posterior, which says itself how sure it is";

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => 2L * Components;

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space)
    {
        IReadOnlyList<string> terms = space.HasTerms ? space.Features[0].Levels : space.Names;
        // Without a single term there is one, which never comes.
        if (terms.Count == 0) terms = [""];
        var model = new LatentDirichletAllocation(Type, Components, terms, space.HasTerms)
        {
            DocumentPrior = DocumentPrior ?? 1.0 / Components,
            TopicPrior = TopicPrior ?? 1.0 / Components,
            Corpus = TotalSamples,
            Inference = new TopicInference(MaxIterations, Tolerance),
        };
        model.Hold(Fixed);
        return model;
    }

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => new(name, FeatureKind.Terms, FeatureScaling.None)
    {
        MaxLevels = Math.Max(MaxTerms, Vocabulary.Names.Count),
        Levels = Vocabulary.Names,
        StopTerms = StopWords.Names,
    };

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name, RecordSchema schema) =>
        schema.Features.Count == 1 ? PlanFeature(name) : new Feature(name, FeatureKind.NonNegative, FeatureScaling.None);
}

/// <summary>When the E-step of a text ends.</summary>
/// <param name="MaxIterations">At the latest after so many iterations.</param>
/// <param name="Tolerance">When gamma changes by less, on average over the topics.</param>
internal readonly record struct TopicInference(int MaxIterations, double Tolerance);
