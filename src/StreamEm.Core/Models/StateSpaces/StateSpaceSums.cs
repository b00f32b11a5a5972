using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>The statistics' blocks, in the order of their layout.</summary>
internal readonly ref struct StateSpaceSums
{
    /// <summary>The blocks of statistics of d states and D features.</summary>
    public StateSpaceSums(Span<double> statistics, int states, int dimension)
    {
        int packed = Packed.Length(states), at = 0;
        Begun = Next(statistics, 1, ref at);
        FirstMeans = Next(statistics, states, ref at);
        FirstMoments = Next(statistics, packed, ref at);
        Passed = Next(statistics, 1, ref at);
        From = Next(statistics, packed, ref at);
        To = Next(statistics, packed, ref at);
        Cross = Next(statistics, states * states, ref at);
        Seen = Next(statistics, 1, ref at);
        States = Next(statistics, packed, ref at);
        Products = Next(statistics, dimension * states, ref at);
        Squares = Next(statistics, Packed.Length(dimension), ref at);
    }

    /// <summary>Sequences that began.</summary>
    public Span<double> Begun { get; }

    /// <summary>E[z_1] [d].</summary>
    public Span<double> FirstMeans { get; }

    /// <summary>E[z_1 z_1'], packed.</summary>
    public Span<double> FirstMoments { get; }

    /// <summary>Passages.</summary>
    public Span<double> Passed { get; }

    /// <summary>E[z_t z_t'] over passages, packed.</summary>
    public Span<double> From { get; }

    /// <summary>E[z_t+1 z_t+1'], packed.</summary>
    public Span<double> To { get; }

    /// <summary>E[z_t+1 z_t'] [d, d].</summary>
    public Span<double> Cross { get; }

    /// <summary>Rows with a value.</summary>
    public Span<double> Seen { get; }

    /// <summary>E[z z'] over them, packed.</summary>
    public Span<double> States { get; }

    /// <summary>E[x z'] [D, d].</summary>
    public Span<double> Products { get; }

    /// <summary>E[x x'], packed.</summary>
    public Span<double> Squares { get; }

    private static Span<double> Next(Span<double> statistics, int length, scoped ref int at)
    {
        Span<double> block = statistics.Slice(at, length);
        at += length;
        return block;
    }
}
