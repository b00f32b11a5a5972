using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>The component of every lane with the largest entry, the lowest number among equals.</summary>
internal static unsafe class MostProbable
{
    /// <summary>Overwrites <paramref name="entries"/> by 1 where a lane's largest is and 0 elsewhere.</summary>
    /// <param name="entries">K x Stride; lanes up to the next 32 rows are overwritten too.</param>
    /// <param name="components">K.</param>
    /// <param name="count">Rows in the block.</param>
    public static void Mark(Span<double> entries, int components, int count)
    {
        KernelShape.Require(entries.Length, components, RowBlock.Stride, nameof(entries));
        int lanes = KernelShape.Lanes(count);
        fixed (double* first = entries)
        {
            double* end = first + (nint)components * RowBlock.Stride;
            for (int lane = 0; lane < lanes; lane += 2 * Vector256<double>.Count) Mark(first + lane, end);
        }
    }

    /// <summary>Of two vectors of lanes. A NaN is above nothing, and nothing above it.</summary>
    private static void Mark(double* entries, double* end)
    {
        Vector256<double> one = Vector256.Create(1.0), none = Vector256<double>.Zero, number = one, most0 = none, most1 = none,
            best0 = Vector256.Load(entries), best1 = Vector256.Load(entries + 4);
        for (double* at = entries + RowBlock.Stride; at < end; at += RowBlock.Stride, number += one)
        {
            Vector256<double> value0 = Vector256.Load(at), value1 = Vector256.Load(at + 4),
                above0 = Vector256.LessThan(best0, value0), above1 = Vector256.LessThan(best1, value1);
            best0 = Vector256.ConditionalSelect(above0, value0, best0);
            best1 = Vector256.ConditionalSelect(above1, value1, best1);
            most0 = Vector256.ConditionalSelect(above0, number, most0);
            most1 = Vector256.ConditionalSelect(above1, number, most1);
        }
        number = none;
        for (double* at = entries; at < end; at += RowBlock.Stride, number += one)
        {
            Vector256.Store(Vector256.ConditionalSelect(Vector256.Equals(most0, number), one, none), at);
            Vector256.Store(Vector256.ConditionalSelect(Vector256.Equals(most1, number), one, none), at + 4);
        }
    }
}
