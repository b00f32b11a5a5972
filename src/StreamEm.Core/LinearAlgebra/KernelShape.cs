using System.Diagnostics.CodeAnalysis;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>What keeps the pointers of a kernel inside their arrays: checked once per block, before the first load.</summary>
internal static class KernelShape
{
    /// <summary>Throws unless <paramref name="length"/> is at least <paramref name="rows"/> x <paramref name="columns"/>.</summary>
    /// <exception cref="ArgumentException">Too short.</exception>
    public static void Require(int length, int rows, int columns, string name)
    {
        if (rows < 0 || columns < 0 || length < (long)rows * columns) Throw(length, rows, columns, name);
    }

    /// <summary>Lanes that hold <paramref name="count"/> rows: up to the next 32, the largest tile of any path.</summary>
    public static int Lanes(int count) => (uint)count <= RowBlock.Capacity
        ? (count + 31) & ~31
        : throw new ArgumentOutOfRangeException(nameof(count), count, $"A block holds {RowBlock.Capacity} rows.");

    /// <summary>Apart, so that the check itself is inlined.</summary>
    [DoesNotReturn]
    private static void Throw(int length, int rows, int columns, string name) =>
        throw new ArgumentException($"{name} holds {length} doubles; the kernel needs {rows} x {columns}.", name);
}
