using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>
/// A linear-Gaussian state space over D features with a state of d dimensions: z_1 ~ N(m_0, V_0), z_t+1 ~ N(A z_t, Q), x_t ~ N(C z_t, R).
/// Parameters, with pykalman's names: <c>initial_state_mean [d]</c>, <c>initial_state_covariance [d, d]</c>, <c>transition_matrix [d,
/// d]</c> = A, <c>transition_covariance [d, d]</c> = Q, <c>observation_matrix [D, d]</c> = C, <c>observation_covariance [D, D]</c> = R.
/// Statistics, averages per row, symmetric ones packed: how many sequences began, and E[z_1], E[z_1 z_1']; how many passages there were,
/// and E[z_t z_t'], E[z_t+1 z_t+1'], E[z_t+1 z_t'] over them; how many rows had a value, and E[z z'], E[x z'], E[x x'] over them. M-step: A
/// = E[z_t+1 z_t'] E[z_t z_t']^-1, Q = E[(z_t+1 - A z_t)(z_t+1 - A z_t)'], C and R alike, m_0 and V_0 the mean and covariance of z_1
/// (Shumway &amp; Stoffer 1982; Ghahramani &amp; Hinton 1996). What is held is taken as given by the others.
/// </summary>
internal sealed partial class LinearGaussianStateSpace : LatentModel
{
    private const string InitialMean = "initial_state_mean", InitialCovariance = "initial_state_covariance",
        Transition = "transition_matrix", TransitionCovariance = "transition_covariance", Observation = "observation_matrix",
        ObservationCovariance = "observation_covariance";

    /// <summary>The nominal length of a sequence, for the statistics that given parameters imply.</summary>
    private const int NominalLength = 4;

    /// <summary>The scale of the prior of Q and R, in units of variances.</summary>
    private const double PriorScale = 1e-3;

    private readonly VectorBlock _mean0, _covariance0, _transition, _noise, _observation, _error;
    private readonly VectorBlock _begun, _firstMeans, _firstMoments, _passed, _from, _to, _cross, _seen, _states, _products, _squares;
    private readonly double[] _variances;
    private readonly StructuralModel? _structure;
    private readonly CovarianceRegularization _regularization;
    private VectorLayout? _scoreLayout;

    /// <summary>A model called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="states">d.</param>
    /// <param name="variances">The features' variances [D].</param>
    /// <param name="structure">The matrices known before any record; null for none.</param>
    /// <param name="regularization">Ridge and floor of R.</param>
    public LinearGaussianStateSpace(
        string type, int states, double[] variances, StructuralModel? structure, CovarianceRegularization regularization)
    {
        (Type, States, _variances, _structure, _regularization) = (type, states, variances, structure, regularization);
        int dimension = variances.Length, packed = Packed.Length(states);
        bool isSingular = structure is not null && structure.IsNoisy.Contains(false);
        ParameterLayout = new VectorLayout().Add(InitialMean, Units.None, Domain.Real, states)
            .Add(InitialCovariance, Units.None, Domain.PositiveDefinite, states, states)
            .Add(Transition, Units.None, Domain.Real, states, states)
            .Add(TransitionCovariance, Units.None, isSingular ? Domain.Real : Domain.PositiveDefinite, states, states)
            .Add(new VectorBlock(Observation, 0, [dimension, states], Coordinates.Linear)
            { Units = Units.Deviation, HasValuesPerFeature = true })
            .Add(ObservationCovariance, Units.Product, Domain.PositiveDefinite, dimension, dimension);
        StatisticsLayout = new VectorLayout().Add("initial", 1).Add("initial_means", states).Add("initial_moments", packed)
            .Add("passages", 1).Add("from_moments", packed).Add("to_moments", packed).Add("cross_moments", states, states)
            .Add("observations", 1).Add("state_moments", packed).Add("products", dimension, states)
            .Add("squares", Packed.Length(dimension));
        VectorBlock P(string name) => ParameterLayout[name];
        VectorBlock S(string name) => StatisticsLayout[name];
        (_mean0, _covariance0, _transition) = (P(InitialMean), P(InitialCovariance), P(Transition));
        (_noise, _observation, _error) = (P(TransitionCovariance), P(Observation), P(ObservationCovariance));
        (_begun, _firstMeans, _firstMoments) = (S("initial"), S("initial_means"), S("initial_moments"));
        (_passed, _from, _to, _cross) = (S("passages"), S("from_moments"), S("to_moments"), S("cross_moments"));
        (_seen, _states, _products, _squares) = (S("observations"), S("state_moments"), S("products"), S("squares"));
    }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Records = "records of a key" };
            string[] ofState = [InitialMean, InitialCovariance, Transition, TransitionCovariance];
            string z = graph.Chained = graph.Add(new GraphVariable("z", GraphRole.Latent, [.. ofState.Select(name => graph.Add(name))]));
            graph.Add(new GraphVariable("x", GraphRole.Observed, [z, graph.Add(Observation), graph.Add(ObservationCovariance)]));
            return graph;
        }
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>State dimension d.</summary>
    public int States { get; }

    /// <inheritdoc/>
    public override int Dimension => _variances.Length;

    /// <summary>Whether Q and R have a prior.</summary>
    public bool HasPrior { get; init; }

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>Whether sequences are learned from as a whole.</summary>
    public bool IsWhole { get; init; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout => _scoreLayout ??= CreateScoreLayout();

    /// <inheritdoc/>
    public override RowOrder Order => IsWhole ? RowOrder.WholeSequences : RowOrder.CarriedSequences;

    /// <inheritdoc/>
    public override StreamMemory CreateMemory(int keys) => new StateMemory(keys, States);

    /// <summary>The matrices of a form are known, and so is where its states begin: anywhere.</summary>
    public override void Hold(BlockNames blocks) => base.Hold(
        _structure is null ? blocks : blocks.With([InitialMean, InitialCovariance, Transition, Observation]));

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as LinearGaussianStateSpaceEStep
            ?? new LinearGaussianStateSpaceEStep(States, Dimension, Forecast, ScoreLayout.Length);
        ReadOnlySpan<double> theta = parameters.Span;
        result.Set(_mean0.Of(theta), _covariance0.Of(theta), _transition.Of(theta), _noise.Of(theta), _observation.Of(theta),
            _error.Of(theta));
        return result;
    }

    /// <inheritdoc/>
    public override int FreeParameters
    {
        get
        {
            bool Learns(VectorBlock block) => !FixedBlocks.Contains(block);
            if (_structure is null)
                // The state is known up to an invertible map of it.
                return base.FreeParameters - (Learns(_transition) && Learns(_noise) && Learns(_observation) ? States * States : 0);
            int full = _noise.Domain == Domain.PositiveDefinite ? Packed.Length(States) : States * States;
            return base.FreeParameters - (Learns(_noise) ? full - _structure.IsNoisy.Count(noisy => noisy) : 0);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Where the state is known for what it is: how much of the changes is a level's, the likelihood hardly says.</remarks>
    public override bool IsFlat => _structure is not null || FixedBlocks.Contains(_observation);

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        Identity(_covariance0.Of(result), States);
        Identity(_noise.Of(result), States);
        Identity(_error.Of(result), Dimension);
        Identity(_transition.Of(result), States, 0.5);
        for (int d = 0; d < Dimension; d++) _observation.Of(result)[d * States + d % States] = 1;
        if (_structure is not null) TakeStructure(result);
    }

    /// <inheritdoc/>
    /// <remarks>Of a sequence's first record.</remarks>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance)
    {
        double[] spread = new double[Dimension * Dimension], scratch = new double[Dimension * States];
        ReadOnlySpan<double> c = _observation.Of(parameters), error = _error.Of(parameters);
        DenseMatrix.Multiply(c, _mean0.Of(parameters), mean, Dimension, States, 1);
        DenseMatrix.Sandwich(c, _covariance0.Of(parameters), spread, scratch, Dimension, States);
        for (int d = 0; d < Dimension; d++) variance[d] = spread[d * (Dimension + 1)] + error[d * (Dimension + 1)];
        return true;
    }

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        Span<double> z = draws.Latent(States);
        bool[] noisy = _structure?.IsNoisy ?? [];
        if (state < 0)
        {
            _mean0.Of(parameters).CopyTo(z);
            draws.AddNormals(this, 0, _covariance0.Of(parameters), 1, z);
        }
        else
        {
            double[] before = z.ToArray();
            DenseMatrix.Multiply(_transition.Of(parameters), before, z, States, States, 1);
            if (noisy.Length == 0) draws.AddNormals(this, 1, _noise.Of(parameters), 1, z);
            for (int i = 0; i < noisy.Length; i++)
                if (noisy[i]) z[i] += Math.Sqrt(_noise.Of(parameters)[i * (States + 1)]) * draws.Normal();
        }
        state = 0;
        DenseMatrix.Multiply(_observation.Of(parameters), z, row, Dimension, States, 1);
        draws.AddNormals(this, 2, _error.Of(parameters), 1, row);
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        base.Health(parameters, facts);
        facts["spectral_radius"] = DenseMatrix.SpectralRadius(_transition.Of(parameters), States);
    }

    /// <summary>What the form says.</summary>
    private void TakeStructure(Span<double> theta)
    {
        _structure!.Transition.CopyTo(_transition.Of(theta));
        _structure.Observation.CopyTo(_observation.Of(theta));
        for (int i = 0; i < States; i++)
            if (!_structure.IsNoisy[i]) _noise.Of(theta)[i * (States + 1)] = 0;
    }

    private static void Identity(Span<double> matrix, int dimension, double value = 1)
    {
        for (int i = 0; i < dimension; i++) matrix[i * (dimension + 1)] = value;
    }

    private VectorLayout CreateScoreLayout()
    {
        VectorLayout layout = new VectorLayout().Add("latent", Units.None, Domain.Real, States)
            .Add("latent_covariance", Units.None, Domain.Real, States, States)
            .Add("prediction", Units.Value, Domain.Real, Dimension)
            .Add("prediction_variance", Units.Square, Domain.Positive, Dimension);
        if (Forecast == 0) return layout;
        return layout.Add("forecast_latent", Units.None, Domain.Real, Forecast, States)
            .Add("forecast_latent_variance", Units.None, Domain.Positive, Forecast, States)
            .Append(Forecasts.Layout(Forecast, Dimension));
    }
}
