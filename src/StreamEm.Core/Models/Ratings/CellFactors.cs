using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Ratings;

/// <summary>
/// Probabilistic matrix factorisation of single cells: x_ij = b_j + v_j' u_i + e, u_i ~ N(0, I) integrated out, e ~ N(0, sigma^2)
/// (Salakhutdinov &amp; Mnih 2008; with u integrated out it is probabilistic PCA with missing values, Tipping &amp; Bishop 1999).
/// Parameters: <c>offsets [J]</c> = b, <c>loadings [J, q]</c> = v, <c>noise_variance</c>. E-step, for the cells of a row that come together
/// and those remembered of it: C = (I + sum v v' / sigma^2)^-1, E[u] = C sum v (x - b) / sigma^2. Statistics (averages over cells), with z
/// = (u, 1): <c>latent_moments [J, P(q + 1)]</c> = E[z z'], <c>latent_products [J, q + 1]</c> = x E[z], <c>squares [J]</c> = x^2. M-step:
/// (v_j, b_j) = E[z z']^-1 x E[z] with <c>regularization</c> / n_eff on the diagonal of the loadings, sigma^2 = what is left, over all
/// cells. log p of a cell is given the cells of its row before it. What is remembered of a row was added under the parameters of its time.
/// </summary>
internal sealed class CellFactors : LatentModel
{
    private readonly VectorBlock _offsets, _loadings, _noise, _moments, _products, _squares;
    private readonly int _column;

    /// <summary>Over columns whose names are known.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="column">The feature that names the column; the other of the two is the value.</param>
    /// <param name="factors">q.</param>
    public CellFactors(string type, IReadOnlyList<string> columns, int column, int factors)
    {
        (Type, Columns, Factors, _column) = (type, columns.Count, factors, column);
        int[] value = [1 - column];
        ParameterLayout = new VectorLayout()
            .Add(new VectorBlock("offsets", 0, [Columns], Coordinates.Linear) { Units = Units.Value, Features = value, Entries = columns })
            .Add(new VectorBlock("loadings", 0, [Columns, factors], Coordinates.Linear) { Units = Units.Deviation, Features = value })
            .Add(new VectorBlock("noise_variance", 0, [], Coordinates.Linear)
            { Units = Units.Square, Domain = Domain.Positive, Features = value });
        StatisticsLayout = new VectorLayout().Add("latent_moments", Columns, Packed.Length(factors + 1))
            .Add("latent_products", Columns, factors + 1).Add("squares", Columns);
        ScoreLayout = new VectorLayout()
            .Add(new VectorBlock("prediction", 0, [], Coordinates.Linear) { Units = Units.Value, Features = value })
            .Add(new VectorBlock("prediction_variance", 0, [], Coordinates.Linear)
            { Units = Units.Square, Domain = Domain.Positive, Features = value });
        (_offsets, _loadings, _noise) = (ParameterLayout["offsets"], ParameterLayout["loadings"], ParameterLayout["noise_variance"]);
        (_moments, _products, _squares) =
            (StatisticsLayout["latent_moments"], StatisticsLayout["latent_products"], StatisticsLayout["squares"]);
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension => 2;

    /// <summary>Number of columns J.</summary>
    public int Columns { get; }

    /// <summary>Number of factors q.</summary>
    public int Factors { get; }

    /// <summary>Mean of the values inside.</summary>
    public required double Centre { get; init; }

    /// <summary>Variance of the values inside.</summary>
    public required double Spread { get; init; }

    /// <summary>Imaginary cells of every column, in units of the values' variance.</summary>
    public required double Regularization { get; init; }

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Records = "cells of a row", Components = "J columns" };
            string factors = graph.Add(new GraphVariable("u", GraphRole.Latent, []));
            graph.Add(new GraphVariable("x", GraphRole.Observed, [factors, graph.Add("offsets", isPerComponent: true),
                graph.Add("loadings", isPerComponent: true), graph.Add("noise_variance")]));
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
    public override RowOrder Order => RowOrder.CarriedSequences;

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    /// <remarks>Which cell it is, is given.</remarks>
    public override bool IsDensityOf(int feature) => feature != _column;

    /// <inheritdoc/>
    public override StreamMemory CreateMemory(int keys) => new RowMemory(keys, Packed.Length(Factors) + Factors);

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) =>
        new CellFactorsEStep(this, _column, _offsets.Of(parameters), _loadings.Of(parameters), _noise.Of(parameters).Span[0]);

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        int size = Factors + 1, packed = Packed.Length(size);
        double left = 0, mass = 0;
        double[] factor = new double[packed], beta = new double[size];
        for (int j = 0; j < Columns; j++)
        {
            ReadOnlySpan<double> gram = _moments.Of(statistics).Slice(j * packed, packed),
                products = _products.Of(statistics).Slice(j * size, size);
            if (!(gram[^1] * rows.Evidence > ComponentEvidence.Some)) continue;
            gram.CopyTo(factor);
            for (int i = 0; i < Factors; i++) factor[Packed.Index(i, i)] += Ridge(rows.Prior);
            if (TrySolve(factor, products, beta))
            {
                beta.AsSpan(0, Factors).CopyTo(_loadings.Of(result)[(j * Factors)..]);
                _offsets.Of(result)[j] = beta[Factors];
            }
            else
            {
                _loadings.Of(previous).Slice(j * Factors, Factors).CopyTo(beta);
                beta[Factors] = _offsets.Of(previous)[j];
            }
            mass += gram[^1];
            left += _squares.Of(statistics)[j] + Explained(gram, products, beta);
        }
        if (mass * rows.Evidence >= ComponentEvidence.OneRow)
        {
            double floor = 1e-6 * Spread;
            if (left < floor * mass) events.Add(ModelEventKind.CovarianceFloored, -1, left / mass);
            _noise.Of(result)[0] = Math.Max(left / mass, floor);
        }
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>As if all columns came as often, of rows whose factors are known.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        result.Clear();
        int size = Factors + 1, packed = Packed.Length(size);
        double mass = 1.0 / Columns, ridge = Ridge(effectiveRows);
        double[] beta = new double[size];
        for (int j = 0; j < Columns; j++)
        {
            _loadings.Of(parameters).Slice(j * Factors, Factors).CopyTo(beta);
            beta[Factors] = _offsets.Of(parameters)[j];
            Span<double> gram = _moments.Of(result).Slice(j * packed, packed), products = _products.Of(result).Slice(j * size, size);
            for (int i = 0; i < size; i++)
            {
                gram[Packed.Index(i, i)] = mass;
                products[i] = (mass + (i < Factors ? ridge : 0)) * beta[i];
            }
            _squares.Of(result)[j] = mass * _noise.Of(parameters)[0] - Explained(gram, products, beta);
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        _offsets.Of(result).Fill(Centre);
        _noise.Of(result)[0] = Spread;
        // Loadings of 0 are a saddle: each column begins with a share of a factor.
        for (int at = 0; at < Columns * Factors; at++)
            _loadings.Of(result)[at] = Math.Sqrt(0.1 * Spread) * (at / Factors % Factors == at % Factors ? 1 : 0.1);
    }

    /// <inheritdoc/>
    public override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, chance =>
    {
        double[] theta = new double[ParameterLayout.Length];
        Neutral(theta);
        foreach (ref double loading in _loadings.Of(theta.AsSpan())) loading = Math.Sqrt(Spread) * (chance.NextDouble() - 0.5);
        return theta;
    });

    /// <inheritdoc/>
    /// <remarks>Cells of columns drawn evenly, of a row whose factors are drawn where its sequence begins.</remarks>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        Span<double> latent = draws.Kept(this, Factors);
        for (int i = 0; i < latent.Length && state < 0; i++) latent[i] = draws.Normal();
        state = 0;
        int column = Math.Min((int)(draws.Uniform() * Columns), Columns - 1);
        double value = _offsets.Of(parameters)[column] + Math.Sqrt(_noise.Of(parameters)[0]) * draws.Normal();
        for (int i = 0; i < latent.Length; i++)
            value = Math.FusedMultiplyAdd(_loadings.Of(parameters)[column * Factors + i], latent[i], value);
        (row[_column], row[1 - _column]) = (column, value);
    }

    private double Ridge(double rows) => Regularization / rows;

    /// <summary>beta' G beta - 2 beta' b: what takes the squares to what beta leaves of them.</summary>
    private static double Explained(ReadOnlySpan<double> gram, ReadOnlySpan<double> products, ReadOnlySpan<double> beta)
    {
        double sum = 0;
        for (int i = 0; i < beta.Length; i++)
        {
            double row = -2 * products[i];
            for (int j = 0; j < beta.Length; j++)
                row = Math.FusedMultiplyAdd(gram[Packed.Index(Math.Max(i, j), Math.Min(i, j))], beta[j], row);
            sum = Math.FusedMultiplyAdd(beta[i], row, sum);
        }
        return sum;
    }

    /// <summary>beta = G^-1 b; false, and nothing said, where the cells do not determine it.</summary>
    private static bool TrySolve(double[] gram, ReadOnlySpan<double> products, double[] beta)
    {
        if (Cholesky.Factor(gram, beta.Length, out _) >= 0) return false;
        CellFactorsEStep.Solve(gram, products, beta);
        return true;
    }
}
