using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// A regression of the last column, the target y, on the features x before it, by coefficients of [1, x] or, without intercept, of x.
/// Statistics (averages over rows that have all features and the target): <c>design [P(D + 1)]</c> = [1, x] [1, x]', packed lower triangle,
/// <c>products [D + 1]</c> = [1, x] t and <c>squares [1]</c> = t^2, where t is y or, of a latent t, its posterior mean. They are moments of
/// the data, so the recursion over them forgets as all do and an M-step that iterates finds the answer for what is remembered.
/// </summary>
internal abstract class RegressionModel : LatentModel
{
    private readonly VectorBlock _design, _products, _squares;

    /// <summary>A regression over the columns of a row.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="dimension">Columns: the features and the target.</param>
    /// <param name="hasIntercept">Whether the coefficients begin with an intercept.</param>
    protected RegressionModel(string type, int dimension, bool hasIntercept)
    {
        (Type, Dimension, HasIntercept) = (type, dimension, hasIntercept);
        StatisticsLayout = new VectorLayout().Add("design", Packed.Length(dimension)).Add("products", dimension).Add("squares", 1);
        (_design, _products, _squares) = (StatisticsLayout["design"], StatisticsLayout["products"], StatisticsLayout["squares"]);
    }

    /// <inheritdoc/>
    public sealed override string Type { get; }

    /// <inheritdoc/>
    public sealed override int Dimension { get; }

    /// <inheritdoc/>
    public sealed override VectorLayout StatisticsLayout { get; }

    /// <summary>Number of coefficients S.</summary>
    public int Size => HasIntercept ? Dimension : Dimension - 1;

    /// <summary>Whether the coefficients begin with an intercept.</summary>
    protected bool HasIntercept { get; }

    /// <summary>D, the features without the target.</summary>
    protected int Inputs => Dimension - 1;

    private int Skipped => HasIntercept ? 0 : 1;

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            string[] blocks = [.. ParameterLayout.Blocks.Where(block => !block.IsOptional).Select(block => graph.Add(block.Name))];
            string x = graph.Add(new GraphVariable("x", GraphRole.Observed, []));
            graph.Add(new GraphVariable("y", GraphRole.Observed, [x, .. blocks]));
            return graph;
        }
    }

    /// <inheritdoc/>
    /// <remarks>Of the target given the features.</remarks>
    public sealed override bool IsDensityOf(int feature) => feature == Inputs;

    /// <inheritdoc/>
    /// <remarks>The maximum is one: nothing to choose.</remarks>
    public sealed override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, _ =>
    {
        double[] neutral = new double[ParameterLayout.Length];
        Neutral(neutral);
        return neutral;
    });

    /// <summary>Whether the averages are of a row at least.</summary>
    protected bool HasEvidence(ReadOnlySpan<double> statistics, RowsWorth rows) =>
        _design.Of(statistics)[0] * rows.Evidence >= ComponentEvidence.OneRow;

    /// <summary>The moments of the coefficients' columns.</summary>
    /// <param name="statistics">Averages.</param>
    /// <param name="gram">z z' [P(S)]; overwritten.</param>
    /// <param name="products">z t [S]; overwritten.</param>
    /// <returns>t^2.</returns>
    protected double Moments(ReadOnlySpan<double> statistics, Span<double> gram, Span<double> products)
    {
        GetTriangle(_design.Of(statistics), gram);
        _products.Of(statistics)[Skipped..].CopyTo(products);
        return _squares.Of(statistics)[0];
    }

    /// <summary>The inverse of <see cref="Moments"/>: averages with these moments, of features without a mean where there is no intercept.
    /// </summary>
    protected void SetMoments(ReadOnlySpan<double> gram, ReadOnlySpan<double> products, double square, Span<double> statistics)
    {
        statistics.Clear();
        _design.Of(statistics)[0] = 1;
        SetTriangle(gram, _design.Of(statistics));
        products.CopyTo(_products.Of(statistics)[Skipped..]);
        _squares.Of(statistics)[0] = square;
    }

    /// <summary>The part of a triangle over [1, x] that is of the coefficients' columns.</summary>
    protected void GetTriangle(ReadOnlySpan<double> all, Span<double> own)
    {
        for (int i = 0; i < Size; i++)
            all.Slice(Packed.Index(i + Skipped, Skipped), i + 1).CopyTo(own[Packed.Index(i, 0)..]);
    }

    /// <summary>The inverse of <see cref="GetTriangle"/>.</summary>
    protected void SetTriangle(ReadOnlySpan<double> own, Span<double> all)
    {
        for (int i = 0; i < Size; i++)
            own.Slice(Packed.Index(i, 0), i + 1).CopyTo(all[Packed.Index(i + Skipped, Skipped)..]);
    }

    /// <summary>sum_ij a_i G_ij b_j of a packed symmetric matrix.</summary>
    protected static double Form(ReadOnlySpan<double> packed, ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0, at = 0; i < a.Length; i++)
        {
            for (int j = 0; j < i; j++, at++) sum = Math.FusedMultiplyAdd(packed[at], a[i] * b[j] + a[j] * b[i], sum);
            sum = Math.FusedMultiplyAdd(packed[at++], a[i] * b[i], sum);
        }
        return sum;
    }

    /// <summary>a' b.</summary>
    protected static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int at = 0; at < a.Length; at++) sum = Math.FusedMultiplyAdd(a[at], b[at], sum);
        return sum;
    }

    /// <summary>What linear regressions say of a row: mean, variance and the interval with 95 % probability.</summary>
    protected static VectorLayout LinearScores(int target) => new VectorLayout()
        .Add(new VectorBlock("prediction", 0, [1], Coordinates.Linear) { Units = Units.Value, Features = [target] })
        .Add(new VectorBlock("prediction_variance", 0, [1], Coordinates.Linear)
        { Units = Units.Square, Domain = Domain.Positive, Features = [target] })
        .Add(new VectorBlock("prediction_interval", 0, [2], Coordinates.Linear) { Units = Units.Value, Features = [target] });
}
