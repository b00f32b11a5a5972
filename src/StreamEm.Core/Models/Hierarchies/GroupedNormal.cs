using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Hierarchies;

/// <summary>
/// Groups known by many estimates each, of houses that are off by something: y ~ N(theta_g + eta_h, s^2), theta_g ~ N(mu, tau^2), eta_h ~
/// N(0, omega^2). All of these are latent for the whole stream: the statistics are moments of the data, and the M-step is EM over them
/// (<see cref="GroupPosterior"/>) to its end. Parameters: <c>mean</c> = mu, <c>variance</c> = tau^2, with houses <c>house_variance</c> =
/// omega^2, and the posterior of (theta, eta): <c>effects [G + H]</c> and <c>covariance [G + H, G + H]</c>. Statistics (averages, with the
/// mean of the first records taken off y): <c>precisions [G + H]</c> = 1 / s^2, <c>products [G + H]</c> = y / s^2, <c>crossed [G, H]</c> =
/// 1 / s^2 of records of both. What n_eff records say, they say together: older polls fade.
/// </summary>
internal sealed class GroupedNormal : LatentModel
{
    /// <summary>Records that given parameters stand for where nobody says.</summary>
    private const double Exact = 1e6;

    private readonly GroupedFields _fields;
    private readonly VectorBlock _effects, _covariance;

    /// <summary>A hierarchy over groups and houses whose names are known.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="fields">Which features are what.</param>
    /// <param name="groups">The groups; one without a name where there is none.</param>
    /// <param name="houses">The houses; none.</param>
    public GroupedNormal(string type, GroupedFields fields, IReadOnlyList<string> groups, IReadOnlyList<string> houses)
    {
        (Type, _fields, Groups, Houses) = (type, fields, Math.Max(1, groups.Count), houses.Count);
        int all = Groups + Houses;
        string[] names = [.. groups.DefaultIfEmpty(""), .. houses];
        ParameterLayout = new VectorLayout().Add("mean", 1).Add("variance", Units.None, Domain.Positive, 1);
        if (Houses > 0) ParameterLayout.Add("house_variance", Units.None, Domain.Positive);
        ParameterLayout.Add(new VectorBlock("effects", 0, [all], Coordinates.Linear) { Entries = names })
            .Add("covariance", Units.None, Domain.PositiveDefinite, all, all);
        StatisticsLayout = new VectorLayout().Add("precisions", all).Add("products", all).Add("crossed", Groups, Houses);
        ScoreLayout = new VectorLayout().Add("shrunken_estimate")
            .Add("shrunken_variance", Units.None, Domain.Positive);
        (_effects, _covariance) = (ParameterLayout["effects"], ParameterLayout["covariance"]);
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension => _fields.Count;

    /// <summary>Number of groups G.</summary>
    public int Groups { get; }

    /// <summary>Number of houses H.</summary>
    public int Houses { get; }

    /// <summary>The estimate's feature, with what the first records said of it.</summary>
    public required Feature Estimate { get; init; }

    /// <summary>What keeps tau^2 above 0.</summary>
    public required GroupVariancePrior Prior { get; init; }

    /// <summary>Variance of the error that all groups share.</summary>
    public required double SharedVariance { get; init; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    public override bool IsDensityOf(int feature) => feature == _fields.Estimate;

    /// <inheritdoc/>
    /// <remarks>mu, tau^2 and omega^2: the effects are latent.</remarks>
    public override int FreeParameters => Houses > 0 ? 3 : 2;

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) =>
        new GroupedEStep(this, _fields, parameters);

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        if (!statistics[..Groups].ContainsAnyExcept(0.0)) return;
        var posterior = new GroupPosterior(Groups, Houses, statistics, Records(rows.Prior))
        {
            Mean = previous[0] - Estimate.Mean,
            Variance = previous[1],
            HouseVariance = Houses > 0 ? previous[2] : 1,
            Floor = HierarchicalNormal.Floor * Estimate.Variance,
            Widening = HierarchicalNormal.Widening(Prior, KnownGroups(statistics)),
        };
        posterior.Run();
        (result[0], result[1]) = (posterior.Mean + Estimate.Mean, posterior.Variance);
        if (Houses > 0) result[2] = posterior.HouseVariance;
        if (posterior.IsFloored) events.Add(ModelEventKind.CovarianceFloored, -1, posterior.Variance);
        posterior.Write(_effects.Of(result), _covariance.Of(result));
        for (int g = 0; g < Groups; g++) _effects.Of(result)[g] += Estimate.Mean;
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double[] effects = _effects.Of(parameters).ToArray();
        for (int g = 0; g < Groups; g++) effects[g] -= Estimate.Mean;
        GroupPosterior.Imply(
            Groups, Houses, effects, _covariance.Of(parameters), parameters[0] - Estimate.Mean, parameters[1],
            Houses > 0 ? parameters[2] : 1, Records(effectiveRows), result);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        (result[0], result[1]) = (Estimate.Mean, Estimate.Variance);
        if (Houses > 0) result[2] = 0.1 * Estimate.Variance;
        _effects.Of(result)[..Groups].Fill(Estimate.Mean);
        int all = Groups + Houses;
        for (int at = 0; at < all; at++) _covariance.Of(result)[at * (all + 1)] = at < Groups ? result[1] : result[2];
    }

    /// <inheritdoc/>
    public override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, _ =>
    {
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        return theta;
    });

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance)
    {
        mean.Clear();
        variance.Fill(1);
        mean[_fields.Estimate] = parameters[0];
        (variance[_fields.Estimate], variance[_fields.Error]) = (parameters[1], parameters[1]);
        return true;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// One record for every group, over and over: each time round is one joint draw of what all groups are, with one error that all share.
    /// </remarks>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        int all = Groups + Houses;
        Span<double> drawn = draws.Kept(this, all);
        state = (state + 1) % Groups;
        if (state == 0)
        {
            _effects.Of(parameters).CopyTo(drawn);
            draws.AddNormals(this, 0, _covariance.Of(parameters), 1, drawn);
            double shared = Math.Sqrt(SharedVariance) * draws.Normal();
            for (int g = 0; g < Groups; g++) drawn[g] += shared;
        }
        row.Fill(double.NaN);
        (row[_fields.Estimate], row[_fields.Error], row[_fields.Group]) = (drawn[state], 0, state);
    }

    private double KnownGroups(ReadOnlySpan<double> statistics)
    {
        int known = 0;
        foreach (double precision in statistics[..Groups])
            if (precision > 0) known++;
        return known;
    }

    private static double Records(double effectiveRows) => double.IsFinite(effectiveRows) ? effectiveRows : Exact;
}
