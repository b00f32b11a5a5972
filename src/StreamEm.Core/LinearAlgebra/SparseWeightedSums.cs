using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// First moments and outer products of those rows alone whose responsibility exceeds a threshold (Neal &amp; Hinton 1998, section 5, on the
/// statistics: the responsibilities themselves stay exact). The active rows of a component are gathered into dense lanes and go through the
/// same kernel. What is dropped is known: with m the dropped mass that is returned, no first moment is off by more than m max|x| and no
/// product by more than m max|x|^2.
/// </summary>
internal static unsafe class SparseWeightedSums
{
    /// <summary>Environment variable, and <see cref="AppContext"/> datum: the threshold, 0 switches off.</summary>
    public const string Switch = "STREAMEM_SPARSE_THRESHOLD";

    /// <summary>
    /// Responsibilities at or below this are dropped where that pays: 256 of them are far below the rounding of a sum near 1.
    /// </summary>
    public const double DefaultThreshold = 1e-12;

    /// <summary>Below this many features gathering a row costs more than multiplying it.</summary>
    private const int MinDimension = 16;

    /// <summary>Above this share of active (row, component) pairs the dense kernel is faster.</summary>
    private const double MaxActiveShare = 0.25;

    [ThreadStatic]
    private static AlignedDoubles? _scratch;

    /// <summary>The threshold of this process.</summary>
    public static readonly double Threshold = Parse(AppContext.GetData(Switch) as string ?? Environment.GetEnvironmentVariable(Switch));

    /// <summary>The threshold that <paramref name="text"/> names; the default when there is none.</summary>
    /// <exception cref="InvalidOperationException">Not a number in [0, 1).</exception>
    public static double Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return DefaultThreshold;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double threshold) && threshold is >= 0 and < 1
            ? threshold
            : throw new InvalidOperationException($"{Switch} is '{text}'; expected a number in [0, 1). 0 switches sparse statistics off.");
    }

    /// <summary>
    /// Whether the sparse sums are faster on this block: a pure function of the block, so results do not depend on time or cores.
    /// </summary>
    public static bool Pays(ReadOnlySpan<double> responsibilities, int components, int dimension, int count, double threshold)
    {
        if (threshold <= 0 || dimension < MinDimension) return false;
        KernelShape.Require(responsibilities.Length, components, RowBlock.Stride, nameof(responsibilities));
        long active = 0;
        fixed (double* r = responsibilities)
            for (int k = 0; k < components; k++)
                for (int n = 0; n < count; n += 4) active += BitOperations.PopCount(Active(r + k * RowBlock.Stride + n, threshold));
        return active < MaxActiveShare * count * components;
    }

    /// <summary>
    /// Adds what <see cref="WeightedSums.AddMomentsAndOuterProducts"/> adds, without rows of responsibility at or below the threshold.
    /// </summary>
    /// <param name="rows">count x D, row-major, complete rows.</param>
    /// <param name="count">Number of rows; lanes from here on have responsibility zero.</param>
    /// <param name="dimension">D.</param>
    /// <param name="responsibilities">K x Stride.</param>
    /// <param name="components">K.</param>
    /// <param name="threshold">At least 0.</param>
    /// <param name="moments">K x D, added to.</param>
    /// <param name="products">K packed triangles, added to.</param>
    /// <returns>The largest mass dropped from any component.</returns>
    public static double AddMomentsAndOuterProducts(
        ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> responsibilities, int components, double threshold,
        Span<double> moments, Span<double> products) =>
        AddMomentsAndOuterProducts(Kernels.Path, rows, count, dimension, responsibilities, components, threshold, moments, products);

    /// <summary>The same on a chosen path.</summary>
    [SkipLocalsInit]
    internal static double AddMomentsAndOuterProducts(
        KernelPath path, ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> responsibilities, int components,
        double threshold,
        Span<double> moments, Span<double> products)
    {
        KernelShape.Require(rows.Length, count, dimension, nameof(rows));
        KernelShape.Require(responsibilities.Length, components, RowBlock.Stride, nameof(responsibilities));
        KernelShape.Require(moments.Length, components, dimension, nameof(moments));
        KernelShape.Require(products.Length, components, Packed.Length(dimension), nameof(products));
        if (_scratch is null || _scratch.Length < (dimension + 1) * RowBlock.Stride)
            _scratch = new AlignedDoubles((dimension + 1) * RowBlock.Stride);
        int* indices = stackalloc int[RowBlock.Capacity];
        double dropped = 0;
        fixed (double* x = rows, r = responsibilities, weights = _scratch.Span, first = moments, second = products)
            for (int k = 0; k < components; k++)
            {
                int active = Select(r + k * RowBlock.Stride, count, threshold, indices, weights, ref dropped);
                if (active == 0) continue;
                double* columns = weights + RowBlock.Stride;
                RowTranspose.Gather(path, x, indices, active, dimension, columns);
                int lanes = KernelShape.Lanes(active);
                new Span<double>(weights + active, lanes - active).Clear();
                double* s = first + k * dimension, q = second + k * Packed.Length(dimension);
                if (path == KernelPath.Avx512)
                    PairedOuterProducts.Add(columns, dimension, weights, 1, s, q, lanes);
                else if (path == KernelPath.Avx2)
                    OuterProductSums.Add<Lanes4, Vector256<double>>(columns, dimension, weights, 1, s, q, lanes);
                else OuterProductSums.Add<Lanes2, Vector128<double>>(columns, dimension, weights, 1, s, q, lanes);
            }
        return dropped;
    }

    /// <summary>
    /// Writes down the active rows and their responsibilities; raises <paramref name="dropped"/> to the mass of the others if that is
    /// larger.
    /// </summary>
    private static int Select(double* r, int count, double threshold, int* indices, double* weights, ref double dropped)
    {
        int active = 0;
        Vector256<double> rest = Vector256<double>.Zero, limit = Vector256.Create(threshold);
        for (int n = 0; n < count; n += 4)
        {
            Vector256<double> v = Vector256.Load(r + n);
            Vector256<double> above = Vector256.GreaterThan(v, limit);
            rest += Vector256.AndNot(v, above);
            for (uint bits = above.ExtractMostSignificantBits(); bits != 0; bits &= bits - 1)
            {
                int index = n + BitOperations.TrailingZeroCount(bits);
                indices[active] = index;
                weights[active++] = r[index];
            }
        }
        dropped = Math.Max(dropped, Lanes4.Sum(rest));
        return active;
    }

    private static uint Active(double* r, double threshold) =>
        Vector256.GreaterThan(Vector256.Load(r), Vector256.Create(threshold)).ExtractMostSignificantBits();
}
