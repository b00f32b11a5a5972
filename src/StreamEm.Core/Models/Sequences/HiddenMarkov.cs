using StreamEm.Core.Data;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Sequences;

/// <summary>
/// A hidden Markov model over any <see cref="Emission"/>: p(z_1) = startprob, p(z_t given z_t-1) = transmat, p(x_t given z_t) the family's.
/// Parameters: <c>startprob [K]</c>, <c>transmat [K, K]</c> (from the row to the column), then the family's. Statistics (averages per row):
/// <c>initial [K]</c>, <c>transitions [K, K]</c> = expected passages, <c>masses [K]</c>, then the family's. E-step: forward-backward (Baum,
/// Petrie, Soules &amp; Weiss 1970; Rabiner 1989, section III), over each key's rows in the minibatch; a key met before goes on from its
/// filtered state, whose passage into the first row counts. M-step: rows of transitions and the initial counts over their sums, each with a
/// Dirichlet prior, 0.1 imaginary passages where nothing else is said. A row's weight counts the row, its passage and its log-likelihood;
/// EM raises the weighted log-likelihood where the rows of a sequence weigh the same.
/// </summary>
internal sealed class HiddenMarkov : EmissionModel
{
    /// <summary>The nominal length of a sequence, for the statistics that given parameters imply.</summary>
    private const int NominalLength = 4;

    private readonly VectorBlock _start, _transitions, _initial, _passages, _masses;
    private VectorLayout? _scoreLayout;

    /// <summary>A model called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="emission">The states' family.</param>
    /// <param name="prior">The prior of startprob and transmat.</param>
    public HiddenMarkov(string type, Emission emission, Prior prior = Prior.Conjugate)
        : base(
            type, emission,
            new VectorLayout().Add("startprob", Units.None, Domain.Simplex, emission.Components)
                .Add("transmat", Units.None, Domain.Simplex, emission.Components, emission.Components),
            new VectorLayout().Add("initial", emission.Components).Add("transitions", emission.Components, emission.Components)
                .Add("masses", emission.Components))
    {
        if (prior == Prior.None) (ImaginaryStarts, ImaginaryPassages) = (0, 0);
        (_start, _transitions) = (ParameterLayout["startprob"], ParameterLayout["transmat"]);
        (_initial, _passages, _masses) = (StatisticsLayout["initial"], StatisticsLayout["transitions"], StatisticsLayout["masses"]);
    }

    /// <summary>Imaginary beginnings in each state: alpha - 1 of a Dirichlet prior of startprob.</summary>
    public double ImaginaryStarts { get; init; } = 0.1;

    /// <summary>Imaginary passages from each state to each: alpha - 1 of a Dirichlet prior of every row of transmat.</summary>
    public double ImaginaryPassages { get; init; } = 0.1;

    /// <summary>Imaginary passages from each state to itself beside those.</summary>
    public double Sticky { get; init; }

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>Whether sequences are learned from as a whole.</summary>
    public bool IsWhole { get; init; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout => _scoreLayout ??= CreateScoreLayout();

    /// <summary>p(z_t given the row and those before it).</summary>
    public override string MembershipBlock => "state_probabilities";

    /// <inheritdoc/>
    public override RowOrder Order => IsWhole ? RowOrder.WholeSequences : RowOrder.CarriedSequences;

    /// <inheritdoc/>
    protected override string[] DescribeOwn(ModelGraph graph)
    {
        (graph.Components, graph.Records) = ("K states", "records of a key");
        string[] z = base.DescribeOwn(graph);
        graph.Chained = z[0];
        return z;
    }

    /// <inheritdoc/>
    public override StreamMemory CreateMemory(int keys) => new FilterMemory(keys, Components);

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as HiddenMarkovEStep ?? new HiddenMarkovEStep(Components, Dimension, OwnStatistics, ScoreLayout.Length);
        result.Set(_start.Of(parameters.Span), _transitions.Of(parameters.Span),
            Emission.Prepare(parameters[OwnParameters..], result.Emission));
        if (Forecast > 0)
            result.LookAhead(
                Forecast, Components + Emission.ScoreLayout.Length, new RecordForecast(Emission, parameters[OwnParameters..]));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous[..OwnParameters].CopyTo(result);
        Normalize(_initial.Of(statistics), ImaginaryStarts, -1, rows, _start.Of(result));
        for (int from = 0; from < Components; from++)
            Normalize(Row(_passages.Of(statistics), from), ImaginaryPassages, from, rows, Row(_transitions.Of(result), from));
        Emission.Maximize(_masses.Of(statistics), statistics[OwnStatistics..], rows, previous[OwnParameters..], result[OwnParameters..],
            events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> transitions = _transitions.Of(parameters);
        Span<double> initial = _initial.Of(result), passages = _passages.Of(result), masses = _masses.Of(result);
        double starts = ImaginaryStarts / effectiveRows, all = ImaginaryPassages / effectiveRows, own = Sticky / effectiveRows;
        double[] occupancy = _start.Of(parameters).ToArray(), next = new double[Components];
        result[..OwnStatistics].Clear();
        for (int k = 0; k < Components; k++) initial[k] = occupancy[k] * (1.0 / NominalLength + Components * starts) - starts;
        for (int t = 1; t <= NominalLength; t++)
        {
            for (int k = 0; k < Components; k++) masses[k] += occupancy[k] / NominalLength;
            if (t == NominalLength) break;
            Step(occupancy, transitions, next);
            for (int from = 0; from < Components; from++)
                for (int to = 0; to < Components; to++)
                    Row(passages, from)[to] += occupancy[from] * Row(transitions, from)[to] / NominalLength;
            (occupancy, next) = (next, occupancy);
        }
        for (int from = 0; from < Components && all + own > 0; from++)
            for (int to = 0; to < Components; to++)
                Row(passages, from)[to] += (Components * all + own) * Row(transitions, from)[to] - all - (to == from ? own : 0);
        Emission.ImpliedStatistics(masses, parameters[OwnParameters..], effectiveRows, result[OwnStatistics..]);
    }

    /// <inheritdoc/>
    public override bool HasGradient => Emission.HasGradient;

    /// <inheritdoc/>
    /// <remarks>The counts of beginnings and passages stand as their probabilities do.</remarks>
    protected override void OwnGradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result) =>
        Slopes(averages[..OwnParameters], parameters, result);

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..OwnParameters].Fill(1.0 / Components);
        Emission.Neutral(result[OwnParameters..]);
    }

    /// <inheritdoc/>
    /// <remarks>What a state's records are made of is alike until it is moved apart: no label tells it apart.</remarks>
    public override double[] Start(Minibatch buffer, ModelStart start)
    {
        double[] theta = base.Start(buffer, start), mean = new double[Dimension], variance = new double[Dimension];
        if (!TryMoments(theta, mean, variance)) Array.Fill(variance, 1);
        double[] units = Array.ConvertAll(variance, value => value > 0 ? Math.Sqrt(value) : 1);
        return Emission.Unfold(theta.AsSpan(OwnParameters), units) ? start.Best(this, buffer, _ => theta) : theta;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The mean occupancy over the first steps of a sequence: where the chain forgets its start, its stationary distribution.
    /// </remarks>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares)
    {
        const int steps = 1000;
        double[] occupancy = _start.Of(parameters).ToArray(), next = new double[Components];
        shares.Clear();
        for (int t = 0; t < steps; t++)
        {
            for (int k = 0; k < Components; k++) shares[k] += occupancy[k] / steps;
            Step(occupancy, _transitions.Of(parameters), next);
            (occupancy, next) = (next, occupancy);
        }
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) =>
        before < 0 ? _start.Of(parameters) : Row(_transitions.Of(parameters), before);

    /// <inheritdoc/>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        Span<double> transitions = _transitions.Of(parameters), passages = _passages.Of(statistics), initial = _initial.Of(statistics);
        GiveShare(_start.Of(parameters), component, share);
        for (int from = 0; from < Components; from++) GiveShare(Row(transitions, from), component, share);
        Row(transitions, component).Fill(1.0 / Components);
        double begun = 0, passed = 0;
        foreach (double value in initial) begun += value;
        foreach (double value in passages) passed += value;
        for (int k = 0; k < Components; k++) initial[k] = begun * _start.Of(parameters)[k];
        for (int from = 0; from < Components; from++)
        {
            double left = from == component ? passed * share : Sum(Row(passages, from)) * factor;
            for (int to = 0; to < Components; to++) Row(passages, from)[to] = left * Row(transitions, from)[to];
        }
    }

    private void Normalize(ReadOnlySpan<double> counts, double imaginary, int from, RowsWorth rows, Span<double> result)
    {
        double total = Sum(counts), all = imaginary / rows.Prior, own = from < 0 ? 0 : Sticky / rows.Prior;
        if (!(total * rows.Evidence >= ComponentEvidence.Some)) return;
        for (int k = 0; k < counts.Length; k++)
            result[k] = (counts[k] + all + (k == from ? own : 0)) / (total + counts.Length * all + own);
    }

    private static double Sum(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) sum += value;
        return sum;
    }

    private void Step(double[] occupancy, ReadOnlySpan<double> transitions, double[] next)
    {
        Array.Clear(next);
        for (int from = 0; from < Components; from++)
            for (int to = 0; to < Components; to++) next[to] = Math.FusedMultiplyAdd(occupancy[from], Row(transitions, from)[to], next[to]);
    }

    private Span<double> Row(Span<double> matrix, int row) => matrix.Slice(row * Components, Components);

    private ReadOnlySpan<double> Row(ReadOnlySpan<double> matrix, int row) => matrix.Slice(row * Components, Components);

    private VectorLayout CreateScoreLayout()
    {
        VectorLayout layout =
            new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, Components).Append(Emission.ScoreLayout);
        return Forecast == 0 ? layout
            : layout.Add("forecast_state_probabilities", Units.None, Domain.Simplex, Forecast, Components)
                .Append(Forecasts.Layout(Forecast, Dimension));
    }
}
