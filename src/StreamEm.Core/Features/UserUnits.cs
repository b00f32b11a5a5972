using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Features;

/// <summary>Parameters in the user's units and inside, block by block as their <see cref="Units"/> and <see cref="Domain"/> say.</summary>
internal static class UserUnits
{
    /// <summary>What weights and probabilities may miss 1 by: texts of six digits.</summary>
    private const double SumTolerance = 1e-6;

    /// <summary>Converts parameters from inside to the user's units.</summary>
    /// <param name="layout">Their blocks.</param>
    /// <param name="inside">The values inside.</param>
    /// <param name="space">The features.</param>
    /// <param name="result">Overwritten.</param>
    public static void To(VectorLayout layout, ReadOnlySpan<double> inside, FeatureSpace space, Span<double> result)
    {
        inside[..layout.Length].CopyTo(result);
        foreach (VectorBlock block in layout.Blocks)
        {
            Span<double> values = block.Of(result);
            (double[] location, double[] scale) = Of(block, space);
            int each = block.ValuesPerFeature;
            switch (block.Units)
            {
                case Units.Value:
                    for (int at = 0; at < values.Length; at++)
                        values[at] = Math.FusedMultiplyAdd(values[at], scale[at % scale.Length], location[at % scale.Length]);
                    break;
                case Units.Deviation:
                    for (int at = 0; at < values.Length; at++) values[at] *= scale[at / each % scale.Length];
                    break;
                case Units.Square:
                    for (int at = 0; at < values.Length; at++) values[at] *= scale[at % scale.Length] * scale[at % scale.Length];
                    break;
                case Units.Product:
                    for (int at = 0; at < values.Length; at += scale.Length * scale.Length)
                        SymmetricMatrix.Scale(values.Slice(at, scale.Length * scale.Length), scale, inverse: false);
                    break;
                case Units.InverseSquare:
                    for (int at = 0; at < values.Length; at++) values[at] /= scale[at % scale.Length] * scale[at % scale.Length];
                    break;
                case Units.Coefficients or Units.Logits or Units.CoefficientProduct:
                    CoefficientUnits.Convert(values, location, scale, block, inverse: false);
                    break;
            }
        }
    }

    /// <summary>The inverse of <see cref="To"/>.</summary>
    /// <exception cref="ArgumentException">A value is outside its block's domain; the message names block, place and value.</exception>
    public static void From(VectorLayout layout, ReadOnlySpan<double> user, FeatureSpace space, Span<double> result)
    {
        Validate(layout, user);
        user[..layout.Length].CopyTo(result);
        foreach (VectorBlock block in layout.Blocks)
        {
            Span<double> values = block.Of(result);
            (double[] location, double[] scale) = Of(block, space);
            int each = block.ValuesPerFeature;
            switch (block.Units)
            {
                case Units.Value:
                    for (int at = 0; at < values.Length; at++)
                        values[at] = (values[at] - location[at % scale.Length]) / scale[at % scale.Length];
                    break;
                case Units.Deviation:
                    for (int at = 0; at < values.Length; at++) values[at] /= scale[at / each % scale.Length];
                    break;
                case Units.Square:
                    for (int at = 0; at < values.Length; at++) values[at] /= scale[at % scale.Length] * scale[at % scale.Length];
                    break;
                case Units.Product:
                    for (int at = 0; at < values.Length; at += scale.Length * scale.Length)
                        SymmetricMatrix.Scale(values.Slice(at, scale.Length * scale.Length), scale, inverse: true);
                    break;
                case Units.InverseSquare:
                    for (int at = 0; at < values.Length; at++) values[at] *= scale[at % scale.Length] * scale[at % scale.Length];
                    break;
                case Units.Coefficients or Units.Logits or Units.CoefficientProduct:
                    CoefficientUnits.Convert(values, location, scale, block, inverse: true);
                    break;
            }
        }
    }

    /// <summary>Throws when a value is outside its block's domain.</summary>
    /// <exception cref="ArgumentException">The message names block, place and value.</exception>
    public static void Validate(VectorLayout layout, ReadOnlySpan<double> parameters)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            ReadOnlySpan<double> values = block.Of(parameters);
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            switch (block.Domain)
            {
                case Domain.Positive:
                    for (int at = 0; at < values.Length; at++)
                        Require(values[at] > 0 && double.IsFinite(values[at]), block, at, values[at], "a positive number");
                    break;
                case Domain.Probability:
                    for (int at = 0; at < values.Length; at++)
                        Require(values[at] is >= 0 and <= 1, block, at, values[at], "a probability, in [0, 1]");
                    break;
                case Domain.Simplex:
                    for (int at = 0; at < values.Length; at += last) RequireSimplex(block, at, values.Slice(at, last));
                    break;
                case Domain.PositiveDefinite:
                    for (int at = 0; at < values.Length; at += last * last)
                        SymmetricMatrix.Validate(values.Slice(at, last * last), last, at / (last * last));
                    break;
                default:
                    for (int at = 0; at < values.Length; at++)
                        Require(double.IsFinite(values[at]), block, at, values[at], "a finite number");
                    break;
            }
        }
    }

    private static void RequireSimplex(VectorBlock block, int first, ReadOnlySpan<double> values)
    {
        double total = 0;
        for (int at = 0; at < values.Length; at++)
        {
            Require(values[at] >= 0, block, first + at, values[at], "at least 0");
            total += values[at];
        }
        if (Math.Abs(total - 1) < SumTolerance) return;
        string which = block.Shape.Count > 1 ? $"row {first / block.Shape[^1]} of {block.Name}" : $"the {block.Name}";
        throw new ArgumentException(FormattableString.Invariant($"The numbers of {which} sum to {total:R}; expected 1."));
    }

    private static void Require(bool holds, VectorBlock block, int at, double value, string expected)
    {
        if (!holds)
            throw new ArgumentException(FormattableString.Invariant(
                $"Entry {Place(block, at)} of {block.Name} is {value:R}; expected {expected}."));
    }

    /// <summary>The indices of an entry: <c>(2, 0)</c>.</summary>
    private static string Place(VectorBlock block, int at)
    {
        var indices = new Stack<int>();
        for (int axis = block.Shape.Count - 1; axis >= 0; at /= block.Shape[axis--]) indices.Push(at % block.Shape[axis]);
        return $"({string.Join(", ", indices)})";
    }

    /// <summary>Location and scale of the block's features.</summary>
    private static (double[] Location, double[] Scale) Of(VectorBlock block, FeatureSpace space)
    {
        if (block.Units == Units.None) return ([], []);
        if (block.Features is not { } features) return (space.Location.ToArray(), space.Scale.ToArray());
        return ([.. features.Select(feature => space.Features[feature].Location)],
            [.. features.Select(feature => space.Features[feature].Scale)]);
    }
}
