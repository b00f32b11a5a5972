using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Topics;

/// <summary>
/// Latent Dirichlet allocation by variational Bayes (Blei, Ng &amp; Jordan 2003, section 5; Hoffman, Blei &amp; Bach 2010): a text has
/// topic proportions theta ~ Dirichlet(alpha), each of its terms a topic z ~ theta and then w ~ beta_z; topics beta_k ~ Dirichlet(eta).
/// Parameters: <c>components [K, V]</c> = lambda, q(beta_k) = Dirichlet(lambda_k). Of a text with counts n_w, q(theta) = Dirichlet(gamma):
/// <code>
/// phi_wk ~ exp(E[log theta_k] + E[log beta_kw]),  E[log theta_k] = psi(gamma_k) - psi(sum gamma)
/// gamma_k = alpha + sum_w n_w phi_wk              until gamma stays, from alpha + n / K
/// </code>
/// Statistics (averages over texts): <c>counts [K, V]</c> = n_w phi_wk. M-step: lambda = eta + N counts, N the texts of the corpus, or
/// n_eff where that is not known. lambda - eta is the statistic times N, so both recursions are the online algorithm. log p(x) is the
/// text's bound; that of the topics is <see cref="ParameterBound"/>.
/// </summary>
internal sealed class LatentDirichletAllocation : LatentModel
{
    /// <summary>Texts that parameters stand for which are taken as exact.</summary>
    private const double Exact = 1e6;

    /// <summary>How much of a topic at the start is its own: a text drawn for it; the rest is what all texts are.</summary>
    private const double Own = 0.5;

    private readonly VectorBlock _topics;

    /// <summary>K topics over V terms.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="components">K.</param>
    /// <param name="terms">The terms.</param>
    /// <param name="isText">Whether a row is one text with terms beside it; else a feature is a term and its value the count.</param>
    public LatentDirichletAllocation(string type, int components, IReadOnlyList<string> terms, bool isText)
    {
        (Type, Components, Terms, IsText) = (type, components, terms.Count, isText);
        Dimension = isText ? 1 : Terms;
        _topics = new VectorBlock("components", 0, [components, Terms], Coordinates.Linear)
        {
            Domain = Domain.Positive,
            Entries = [.. terms],
        };
        ParameterLayout = new VectorLayout().Add(_topics);
        StatisticsLayout = new VectorLayout().Add("counts", components, Terms);
        ScoreLayout = new VectorLayout().Add("topic_proportions", Units.None, Domain.Simplex, components)
            .Add("tokens").Add("perplexity");
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <summary>Number of topics K.</summary>
    public int Components { get; }

    /// <summary>Terms of the vocabulary V.</summary>
    public int Terms { get; }

    /// <summary>Whether a row is one text with terms beside it.</summary>
    public bool IsText { get; }

    /// <summary>alpha.</summary>
    public required double DocumentPrior { get; init; }

    /// <summary>eta.</summary>
    public required double TopicPrior { get; init; }

    /// <summary>N; null for n_eff.</summary>
    public required double? Corpus { get; init; }

    /// <summary>When the E-step of a text ends.</summary>
    public required TopicInference Inference { get; init; }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Records = "N texts, tokens of each", Components = "K topics" };
            string theta = graph.Add(new GraphVariable("theta", GraphRole.Latent, []));
            string z = graph.Add(new GraphVariable("z", GraphRole.Latent, [theta]));
            graph.Add(new GraphVariable("token", GraphRole.Observed, [z, graph.Add("topics", isPerComponent: true)]));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override bool IsBound => true;

    /// <inheritdoc/>
    /// <remarks>gamma.</remarks>
    public override int PosteriorLength => Components;

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        TopicEStep result = spent as TopicEStep ?? new TopicEStep(this);
        result.Set(parameters);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        if (!statistics.ContainsAnyExcept(0.0))
        {
            previous.CopyTo(result);
            return;
        }
        double texts = Texts(rows.Prior);
        for (int at = 0; at < statistics.Length; at++) result[at] = Math.FusedMultiplyAdd(texts, statistics[at], TopicPrior);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double texts = Texts(effectiveRows);
        for (int at = 0; at < result.Length; at++) result[at] = (parameters[at] - TopicPrior) / texts;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result) => result.Fill(TopicPrior + 1);

    /// <inheritdoc/>
    /// <remarks>Every topic begins with what all texts are and with a text drawn for it.</remarks>
    public override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, chance =>
    {
        var reader = new TopicRows(this);
        double[] all = new double[Terms], theta = new double[ParameterLayout.Length];
        double total = 0;
        for (int row = 0; row < buffer.Count; row++)
            if (reader.TryRead(buffer, row, out double tokens))
            {
                reader.AddTo(all, buffer.Weight(row));
                total += buffer.Weight(row) * tokens;
            }
        double each = total / Components;
        for (int k = 0; k < Components; k++)
        {
            Span<double> topic = theta.AsSpan(k * Terms, Terms);
            for (int term = 0; term < Terms; term++) topic[term] = TopicPrior + (1 - Own) * each * Share(all[term], total, Terms);
            if (reader.TryRead(buffer, chance.NextInt32(buffer.Count), out double tokens) && tokens > 0)
                reader.AddTo(topic, Own * each / tokens);
        }
        return theta;
    });

    /// <inheritdoc/>
    /// <remarks>Minus the Kullback-Leibler divergence of the topics' posteriors to their prior.</remarks>
    public override double ParameterBound(ReadOnlySpan<double> parameters)
    {
        double bound = 0;
        for (int k = 0; k < Components; k++)
            bound -= DirichletDivergence.ToSymmetric(parameters.Slice(k * Terms, Terms), TopicPrior);
        return bound;
    }

    private double Texts(double effectiveRows) => Corpus ?? (double.IsFinite(effectiveRows) ? effectiveRows : Exact);

    private static double Share(double count, double total, int terms) => total > 0 ? count / total : 1.0 / terms;
}
