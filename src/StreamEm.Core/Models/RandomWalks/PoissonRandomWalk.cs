using StreamEm.Core.Data;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>
/// Counts of a level that walks at random: z_1 ~ N(m_0, v_0), z_t+1 ~ N(z_t, sigma^2), x_td ~ Poisson(lambda e_td z_t), where a path that
/// is not above 0 throughout has weight 0. Parameters: <c>rate [1]</c> = lambda, <c>variance [1]</c> = sigma^2, <c>initial_mean [1]</c> =
/// m_0, <c>initial_variance [1]</c> = v_0: lambda, z and sigma are known up to a common scale where none of them is held. Reported with
/// them: <c>effective_sample_size [1]</c>, the mean over rows of 1 / sum_i w_i^2 of the filter's weights (Kong, Liu &amp; Wong 1994).
/// Statistics, averages per row: counts, E[e z], passages, E[(z_t+1 - z_t)^2], sequences begun, E[z_1], rows, their effective sample sizes,
/// E[z_1^2]. M-step: lambda = counts / E[e z], sigma^2 = E[(z_t+1 - z_t)^2] per passage, m_0 = E[z_1]. The expectations are means over
/// paths drawn backwards from a particle filter (Gordon, Salmond &amp; Smith 1993; Godsill, Doucet &amp; West 2004): Monte Carlo EM (Wei
/// &amp; Tanner 1990), in the statistics recursion with noise that averages out as that of minibatches does (Delyon, Lavielle &amp;
/// Moulines 1999).
/// </summary>
internal sealed class PoissonRandomWalk : LatentModel
{
    /// <summary>The name of v_0.</summary>
    public const string InitialVariance = "initial_variance";

    private const string InitialMean = "initial_mean";

    /// <summary>The nominal length of a sequence, for the statistics that given parameters imply.</summary>
    private const int NominalLength = 4;

    /// <summary>The smallest rate and variance.</summary>
    private const double Least = 1e-10;

    private readonly PlaceCounts _places;
    private readonly int _particles;
    private readonly ulong _seed;
    private VectorLayout? _scoreLayout;

    /// <summary>A model called <paramref name="type"/> in the catalogue.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="dimension">D.</param>
    /// <param name="places">The counts and their exposures.</param>
    /// <param name="particles">Particles, and paths drawn.</param>
    /// <param name="seed">Seed of all chance.</param>
    public PoissonRandomWalk(string type, int dimension, PlaceCounts places, int particles, ulong seed)
    {
        (Type, Dimension, _places, _particles, _seed) = (type, dimension, places, particles, seed);
        ParameterLayout = new VectorLayout().Add("rate", Units.None, Domain.Positive, 1)
            .Add("variance", Units.None, Domain.Positive, 1).Add(InitialMean, Units.None, Domain.Positive, 1)
            .Add(InitialVariance, Units.None, Domain.Positive, 1)
            .Add(new VectorBlock("effective_sample_size", 0, [1], Coordinates.Linear) { Domain = Domain.Positive, IsOptional = true });
    }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Records = "records of a key" };
            string[] ofLevel = [graph.Add("variance"), graph.Add(InitialMean), graph.Add(InitialVariance)];
            string z = graph.Chained = graph.Add(new GraphVariable("z", GraphRole.Latent, ofLevel));
            graph.Add(new GraphVariable("x", GraphRole.Observed, [z, graph.Add("rate")]) { IsPerFeature = true });
            return graph;
        }
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <summary>Steps that every score looks ahead.</summary>
    public int Forecast { get; init; }

    /// <summary>Whether sequences are learned from as a whole.</summary>
    public bool IsWhole { get; init; }

    /// <inheritdoc/>
    public override EmSteps Steps => EmSteps.MonteCarlo;

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; } = new VectorLayout().Add("counts", 1).Add("exposed_levels", 1)
        .Add("passages", 1).Add("squared_changes", 1).Add("initial", 1).Add("initial_levels", 1).Add("rows", 1)
        .Add("effective_sample_sizes", 1).Add("initial_squares", 1);

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout => _scoreLayout ??= CreateScoreLayout();

    /// <inheritdoc/>
    public override RowOrder Order => IsWhole ? RowOrder.WholeSequences : RowOrder.CarriedSequences;

    /// <inheritdoc/>
    public override bool IsDensityOf(int feature) => _places.Counts.Contains(feature);

    /// <inheritdoc/>
    public override StreamMemory CreateMemory(int keys) => new WalkMemory(keys, _particles);

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as PoissonRandomWalkEStep
            ?? new PoissonRandomWalkEStep(_places, _particles, _seed, Forecast, ScoreLayout.Length);
        result.Set(parameters.Span[0], parameters.Span[1], parameters.Span[2], parameters.Span[3]);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        bool Has(double mass) => mass * rows.Evidence >= ComponentEvidence.Some;
        (double counts, double exposed, double passages, double changes) = (statistics[0], statistics[1], statistics[2], statistics[3]);
        (double begun, double levels, double seen, double sizes) = (statistics[4], statistics[5], statistics[6], statistics[7]);
        if (Has(seen) && exposed > 0) result[0] = Math.Max(counts / exposed, Least);
        if (Has(passages)) result[1] = Math.Max(changes / passages, Least);
        if (Has(begun))
        {
            bool isHeld = FixedBlocks.Contains(ParameterLayout[InitialMean]);
            double mean = result[2] = isHeld ? previous[2] : Math.Max(levels / begun, Least);
            result[3] = Math.Max((statistics[8] - 2 * mean * levels) / begun + mean * mean, Least);
        }
        if (Has(seen)) result[4] = sizes / seen;
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>Of sequences of the nominal length, at places of exposure 1.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double passages = (NominalLength - 1.0) / NominalLength, exposed = _places.Places * parameters[2];
        (result[0], result[1]) = (parameters[0] * exposed, exposed);
        (result[2], result[3]) = (passages, passages * parameters[1]);
        (result[4], result[5]) = (1.0 / NominalLength, parameters[2] / NominalLength);
        (result[6], result[7]) = (1, parameters[4]);
        result[8] = (parameters[3] + parameters[2] * parameters[2]) / NominalLength;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[..4].Fill(1);
        result[4] = _particles;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Rate 1: levels are counts per exposure. They begin where sequences do, and change by what the counts do beyond what chance makes of
    /// them.
    /// </remarks>
    public override double[] Start(Minibatch buffer, ModelStart start)
    {
        double begun = 0, first = 0, squares = 0, passed = 0, changes = 0, chance = 0, last = double.NaN, lastChance = 0;
        for (int row = 0; row < buffer.Count; row++)
        {
            if (row == 0 || buffer.SequenceStarts.BinarySearch(row) >= 0) last = double.NaN;
            StepCounts step = _places.Of(buffer.Row(row));
            if (step.Seen == 0 || !(step.Exposure > 0)) continue;
            double level = step.Sum / step.Exposure, ofChance = level / step.Exposure;
            if (double.IsNaN(last))
            {
                begun++;
                first += level;
                squares += level * level;
            }
            else
            {
                passed++;
                changes += (level - last) * (level - last);
                chance += ofChance + lastChance;
            }
            (last, lastChance) = (level, ofChance);
        }
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        double mean = begun > 0 && first > 0 ? first / begun : 1;
        theta[2] = mean;
        theta[3] = Math.Max(begun > 1 ? squares / begun - mean * mean : 0, 0.25 * mean * mean);
        theta[1] = passed > 0 && changes > 0 ? Math.Max(changes - chance, 0.1 * changes) / passed : 0.01 * mean * mean;
        return theta;
    }

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    /// <remarks>Exposures that a feature holds are 1.</remarks>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        Span<double> level = draws.Latent(1);
        (double before, double variance) = state < 0 ? (parameters[2], parameters[3]) : (level[0], parameters[1]);
        do level[0] = before + Math.Sqrt(variance) * draws.Normal();
        while (!(level[0] > 0));
        state = 0;
        row.Fill(1);
        for (int place = 0; place < _places.Places; place++)
            row[_places.Counts[place]] = draws.Poisson(parameters[0] * _places.Exposure(row, place) * level[0]);
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        facts["effective_sample_size"] = parameters[4];
        facts["particles"] = _particles;
    }

    private VectorLayout CreateScoreLayout()
    {
        VectorLayout layout = new VectorLayout().Add("latent", Units.None, Domain.Real, 1)
            .Add("latent_variance", Units.None, Domain.Real, 1).Add("latent_lower", Units.None, Domain.Real, 1)
            .Add("latent_upper", Units.None, Domain.Real, 1).Add("prediction", Units.None, Domain.Real, _places.Places)
            .Add("prediction_variance", Units.None, Domain.Real, _places.Places)
            .Add("effective_sample_size", Units.None, Domain.Real, 1);
        if (Forecast == 0) return layout;
        return layout.Add("forecast_latent", Units.None, Domain.Real, Forecast)
            .Add("forecast_latent_variance", Units.None, Domain.Real, Forecast)
            .Add("forecast_mean", Units.None, Domain.Real, Forecast, _places.Places)
            .Add("forecast_variance", Units.None, Domain.Real, Forecast, _places.Places)
            .Add("forecast_lower", Units.None, Domain.Real, Forecast, _places.Places)
            .Add("forecast_upper", Units.None, Domain.Real, Forecast, _places.Places);
    }
}
