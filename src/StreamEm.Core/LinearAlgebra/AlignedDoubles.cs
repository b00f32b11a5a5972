using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Doubles that begin at a cache line and never move: a vector load then never straddles two lines, which costs a load-bound kernel a
/// third of its rate. Allocated once per workspace.
/// </summary>
internal sealed unsafe class AlignedDoubles
{
    private const int LineBytes = 64;
    private readonly double[] _memory;
    private readonly int _first;

    /// <summary>Zeros.</summary>
    public AlignedDoubles(int length)
    {
        _memory = GC.AllocateArray<double>(length + LineBytes / sizeof(double), pinned: true);
        Length = length;
        nint address = (nint)Unsafe.AsPointer(ref _memory[0]);
        _first = (int)(((address + LineBytes - 1) & -LineBytes) - address) / sizeof(double);
    }

    /// <summary>Number of doubles.</summary>
    public int Length { get; }

    /// <summary>The doubles.</summary>
    public Span<double> Span => _memory.AsSpan(_first, Length);
}
