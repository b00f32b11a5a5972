using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// Linear experts that know their features: x ~ N(mu_k, Sigma_k), y given x ~ N(w_k [1, x], sigma_k^2). Together they are a normal
/// distribution of (x, y) for every expert, and EM of one is EM of the other (Xu, Jordan &amp; Hinton 1995): so densities, statistics and
/// missing values are those of <see cref="FullGaussian"/>, and its maximum is expressed in <c>gate.means [K, D]</c>, <c>gate.covariances
/// [K, D, D]</c>, <c>coefficients [K, D + 1]</c> and <c>variances [K]</c>: w = Sigma_xx^-1 Sigma_xy, sigma^2 = Sigma_yy - w' Sigma_xy.
/// </summary>
internal sealed class GaussianExperts : Emission
{
    private readonly FullGaussian _joint;
    private readonly VectorBlock _means, _covariances, _coefficients, _variances;
    private readonly int _inputs;

    /// <summary>K experts over the columns of a row.</summary>
    public GaussianExperts(int components, int dimension, CovarianceRegularization regularization)
    {
        _joint = new FullGaussian(components, dimension, regularization);
        _inputs = dimension - 1;
        int[] inputs = [.. Enumerable.Range(0, _inputs)];
        ParameterLayout = new VectorLayout()
            .Add(new VectorBlock("gate.means", 0, [components, _inputs], Coordinates.Linear) { Units = Units.Value, Features = inputs })
            .Add(new VectorBlock("gate.covariances", 0, [components, _inputs, _inputs], Coordinates.Linear)
            { Units = Units.Product, Domain = Domain.PositiveDefinite, Features = inputs })
            .Append(LinearExperts.Layout(components, dimension));
        ScoreLayout = LinearExperts.PredictionLayout(components, _inputs);
        (_means, _covariances) = (ParameterLayout["gate.means"], ParameterLayout["gate.covariances"]);
        (_coefficients, _variances) = (ParameterLayout["coefficients"], ParameterLayout["variances"]);
    }

    /// <inheritdoc/>
    public override int Dimension => _joint.Dimension;

    /// <inheritdoc/>
    public override int Components => _joint.Components;

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout => _joint.StatisticsLayout;

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as GaussianExpertsEStep ?? new GaussianExpertsEStep(_joint);
        ToJoint(parameters.Span, result.Parameters);
        result.Set();
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        double[] before = new double[_joint.ParameterLayout.Length], after = new double[before.Length];
        ToJoint(previous, before);
        _joint.Maximize(masses, statistics, rows, before, after, events);
        previous.CopyTo(result);
        for (int k = 0; k < Components; k++)
            if (masses[k] * rows.Evidence >= ComponentEvidence.OneRow) FromJoint(after, k, result);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        _joint.ImpliedStatistics(masses, joint, effectiveRows, result);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        _joint.Neutral(joint);
        for (int k = 0; k < Components; k++) FromJoint(joint, k, result);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        _joint.Reseed(joint, component, location, variances);
        FromJoint(joint, component, parameters);
    }

    /// <inheritdoc/>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        _joint.Split(joint, component, other, units);
        FromJoint(joint, component, parameters);
        FromJoint(joint, other, parameters);
    }

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        double[] mean = new double[Dimension], covariance = new double[Dimension * Dimension];
        Moments(parameters, component, mean, covariance);
        mean.CopyTo(row);
        draws.AddNormals(this, component, covariance, 1, row);
    }

    /// <inheritdoc/>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached)
    {
        if (other is not GaussianExperts experts) return double.NaN;
        double[] own = new double[_joint.ParameterLayout.Length], others = new double[experts._joint.ParameterLayout.Length];
        ToJoint(from, own);
        experts.ToJoint(to, others);
        return _joint.Divergence(own, component, experts._joint, others, reached);
    }

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        return _joint.TryMoments(joint, means, variances);
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        _joint.Moments(joint, component, mean, covariance);
    }

    /// <inheritdoc/>
    public override double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other)
    {
        double[] joint = new double[_joint.ParameterLayout.Length];
        ToJoint(parameters, joint);
        return _joint.Covariance(joint, component, feature, other);
    }

    /// <summary>Overwrites means and covariances of (x, y).</summary>
    private void ToJoint(ReadOnlySpan<double> parameters, Span<double> joint)
    {
        int size = Dimension;
        Span<double> means = joint[..(Components * size)], covariances = joint[(Components * size)..];
        for (int k = 0; k < Components; k++)
        {
            ReadOnlySpan<double> mean = _means.Of(parameters).Slice(k * _inputs, _inputs);
            ReadOnlySpan<double> covariance = _covariances.Of(parameters).Slice(k * _inputs * _inputs, _inputs * _inputs);
            ReadOnlySpan<double> w = _coefficients.Of(parameters).Slice(k * size, size);
            Span<double> ownMean = means.Slice(k * size, size), own = covariances.Slice(k * size * size, size * size);
            mean.CopyTo(ownMean);
            double target = w[0], variance = _variances.Of(parameters)[k];
            for (int i = 0; i < _inputs; i++)
            {
                target = Math.FusedMultiplyAdd(w[i + 1], mean[i], target);
                double cross = 0;
                for (int j = 0; j < _inputs; j++)
                {
                    own[i * size + j] = covariance[i * _inputs + j];
                    cross = Math.FusedMultiplyAdd(covariance[i * _inputs + j], w[j + 1], cross);
                }
                own[i * size + _inputs] = own[_inputs * size + i] = cross;
                variance = Math.FusedMultiplyAdd(w[i + 1], cross, variance);
            }
            ownMean[_inputs] = target;
            own[^1] = variance;
        }
    }

    /// <summary>Takes one component's means and covariances of (x, y).</summary>
    private void FromJoint(ReadOnlySpan<double> joint, int component, Span<double> parameters)
    {
        int size = Dimension;
        ReadOnlySpan<double> mean = joint.Slice(component * size, size);
        ReadOnlySpan<double> covariance = joint.Slice(Components * size + component * size * size, size * size);
        mean[.._inputs].CopyTo(_means.Of(parameters)[(component * _inputs)..]);
        Span<double> own = _covariances.Of(parameters).Slice(component * _inputs * _inputs, _inputs * _inputs);
        double[] factor = new double[Packed.Length(_inputs)];
        Span<double> w = _coefficients.Of(parameters).Slice(component * size, size);
        for (int i = 0; i < _inputs; i++)
        {
            covariance.Slice(i * size, _inputs).CopyTo(own[(i * _inputs)..]);
            for (int j = 0; j <= i; j++) factor[Packed.Index(i, j)] = covariance[i * size + j];
            w[i + 1] = covariance[i * size + _inputs];
        }
        if (Cholesky.Factor(factor, _inputs, out _) < 0) Cholesky.Solve(factor, _inputs, w[1..]);
        double intercept = mean[_inputs], variance = covariance[^1];
        for (int i = 0; i < _inputs; i++)
        {
            intercept = Math.FusedMultiplyAdd(-w[i + 1], mean[i], intercept);
            variance = Math.FusedMultiplyAdd(-w[i + 1], covariance[i * size + _inputs], variance);
        }
        w[0] = intercept;
        // The whole is positive definite, so this is above 0 but for rounding.
        _variances.Of(parameters)[component] = Math.Max(variance, 1e-15 * covariance[^1]);
    }
}
