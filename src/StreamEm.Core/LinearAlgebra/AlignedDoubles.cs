using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Doubles that begin at a cache line and never move: a vector load then never straddles two lines, which costs a load-bound kernel a
/// third of its rate. Allocated once per workspace.
/// </summary>
internal sealed unsafe class AlignedDoubles
{
    private const int LineBytes = 64;
    /// <summary>Pinned: referenced here so that what <see cref="_start"/> points into stays alive.</summary>
    private readonly double[] _memory;
    private readonly double* _start;

    /// <summary>Zeros.</summary>
    public AlignedDoubles(int length)
    {
        _memory = GC.AllocateArray<double>(length + LineBytes / sizeof(double), pinned: true);
        Length = length;
        _start = (double*)(((nint)Unsafe.AsPointer(ref _memory[0]) + LineBytes - 1) & -LineBytes);
    }

    /// <summary>Number of doubles.</summary>
    public int Length { get; }

    /// <summary>The doubles.</summary>
    public Span<double> Span => new(_start, Length);

    /// <summary>The first double; valid as long as this object is reachable.</summary>
    public double* Pointer => _start;
}
