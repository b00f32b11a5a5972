using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>One thread's block of rows as a regression sees it: columns 1, x and the target or what stands for it.</summary>
/// <param name="inputs">D, the features without the target.</param>
internal sealed class RegressionWorkspace(int inputs) : Workspace
{
    private readonly AlignedDoubles _columns = new((inputs + 2) * RowBlock.Stride);
    private readonly AlignedDoubles _lanes = new(5 * RowBlock.Stride);

    /// <summary>The rows.</summary>
    public RowBlock Block { get; } = new(inputs + 1);

    /// <summary>(D + 2) x Stride: ones, x, and the response.</summary>
    public Span<double> Columns => _columns.Span;

    /// <summary>The design's columns [1, x]: (D + 1) x Stride.</summary>
    public ReadOnlySpan<double> Design => _columns.Span[..((inputs + 1) * RowBlock.Stride)];

    /// <summary>x alone: D x Stride.</summary>
    public ReadOnlySpan<double> Inputs => _columns.Span.Slice(RowBlock.Stride, inputs * RowBlock.Stride);

    /// <summary>The response by lane: y, or the posterior mean of what is latent.</summary>
    public Span<double> Responses => _columns.Span[((inputs + 1) * RowBlock.Stride)..];

    /// <summary>The linear predictor by lane.</summary>
    public Span<double> Predictors => _lanes.Span[..RowBlock.Stride];

    /// <summary>log p(y given x) by lane.</summary>
    public Span<double> LogDensities => _lanes.Span.Slice(RowBlock.Stride, RowBlock.Stride);

    /// <summary>How far the target is from what was expected, squared standard deviations, by lane.</summary>
    public Span<double> Squares => _lanes.Span.Slice(2 * RowBlock.Stride, RowBlock.Stride);

    /// <summary>The rows' weights, 0 where a row adds nothing, by lane.</summary>
    public Span<double> Weights => _lanes.Span.Slice(3 * RowBlock.Stride, RowBlock.Stride);

    /// <summary>What a model needs beside, by lane.</summary>
    public Span<double> Others => _lanes.Span.Slice(4 * RowBlock.Stride, RowBlock.Stride);

    /// <summary>Takes rows; those with a value missing have zeros.</summary>
    public void Fill(Minibatch batch, int first, int count)
    {
        Block.Fill(batch, first, count);
        Columns[..RowBlock.Stride].Fill(1);
        Block.Columns.CopyTo(Columns[RowBlock.Stride..]);
    }
}
