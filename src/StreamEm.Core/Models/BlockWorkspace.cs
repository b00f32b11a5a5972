using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>One thread's row block with its log-densities and responsibilities.</summary>
internal class BlockWorkspace(int dimension, int components) : Workspace
{
    private readonly AlignedDoubles _logJoint = new(components * RowBlock.Stride), _before = new(components * RowBlock.Stride);
    private readonly AlignedDoubles _logDensities = new(RowBlock.Stride), _entropies = new(RowBlock.Stride);

    /// <summary>The block of rows being worked on.</summary>
    public RowBlock Block { get; } = new(dimension);

    /// <summary>K x Stride: log weight plus log density, then responsibilities.</summary>
    public Span<double> LogJoint => _logJoint.Span;

    /// <summary>K x Stride: log weight plus log density, before they became responsibilities.</summary>
    public Span<double> LogJointBefore => _before.Span;

    /// <summary>One row's log-densities by component [K].</summary>
    public double[] OfRow { get; } = new double[components];

    /// <summary>log p(x) per lane.</summary>
    public Span<double> LogDensities => _logDensities.Span;

    /// <summary>Entropy of the responsibilities per lane, of rows without labels under Bayes' rule.</summary>
    public Span<double> Entropies => _entropies.Span;

    /// <summary>log p(x) of labelled rows, NaN of others.</summary>
    public double[] Marginals { get; } = new double[RowBlock.Stride];
}
