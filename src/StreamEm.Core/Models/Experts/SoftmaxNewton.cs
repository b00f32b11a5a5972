using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// Multinomial logistic regression by Newton steps: P(c given x) = softmax(V [1, x])_c, the last class's row 0. Of rows with weight w and
/// probabilities t of the classes, gradient sum w (t_c - P_c) [1, x] and negative Hessian blocks sum w P_c ([c = d] - P_d) [1, x] [1, x]'
/// add up over rows; the step is taken once for a minibatch (Jordan &amp; Jacobs 1994; Böhning 1992). Statistics of one regression, in this
/// order: target [(C - 1) S], times the rows' weight, gradient [(C - 1) S], Hessian [P((C - 1) S)], design [P(S)] = w [1, x] [1, x]'.
/// </summary>
/// <param name="Classes">C.</param>
/// <param name="Size">S = D + 1.</param>
internal readonly record struct SoftmaxNewton(int Classes, int Size)
{
    /// <summary>
    /// The most that a step changes log-odds, mean square over the rows: within it a step is uphill whatever the curvature on the way.
    /// </summary>
    private const double MostChange = 2;

    /// <summary>Free coefficients.</summary>
    public int Free => (Classes - 1) * Size;

    /// <summary>Doubles of one regression's statistics.</summary>
    public int Length => 2 * Free + Packed.Length(Free) + Packed.Length(Size);

    private int Hessian => 2 * Free;

    private int Design => Hessian + Packed.Length(Free);

    /// <summary>Doubles of scratch memory that <see cref="Accumulate"/> takes.</summary>
    public int ScratchLength => RowBlock.Stride + Packed.Length(Size);

    /// <summary>Adds the block's rows.</summary>
    /// <param name="columns">[1, x]: S x Stride.</param>
    /// <param name="weights">w by lane; 0 where a row adds nothing.</param>
    /// <param name="targets">w t: C x Stride.</param>
    /// <param name="probabilities">P: C x Stride; overwritten.</param>
    /// <param name="scratch">Of <see cref="ScratchLength"/>.</param>
    /// <param name="statistics">Of <see cref="Length"/>; added to.</param>
    public void Accumulate(
        ReadOnlySpan<double> columns, ReadOnlySpan<double> weights, ReadOnlySpan<double> targets, Span<double> probabilities,
        Span<double> scratch, Span<double> statistics)
    {
        WeightedSums.AddOuterProducts(columns, Size, weights, 1, statistics[Design..Length]);
        if (Classes == 1) return;
        Span<double> lanes = scratch[..RowBlock.Stride], block = scratch[RowBlock.Stride..ScratchLength];
        for (int c = 0; c < Classes - 1; c++)
            for (int d = 0; d <= c; d++)
            {
                for (int i = 0; i < RowBlock.Capacity; i++)
                {
                    double p = probabilities[c * RowBlock.Stride + i];
                    lanes[i] = weights[i] * p * ((c == d ? 1 : 0) - probabilities[d * RowBlock.Stride + i]);
                }
                block.Clear();
                WeightedSums.AddOuterProducts(columns, Size, lanes, 1, block);
                AddBlock(block, c, d, statistics[Hessian..Design]);
            }
        for (int c = 0; c < Classes - 1; c++)
            for (int i = 0; i < RowBlock.Capacity; i++)
            {
                ref double p = ref probabilities[c * RowBlock.Stride + i];
                p = targets[c * RowBlock.Stride + i] - weights[i] * p;
            }
        WeightedSums.AddFirstMoments(
            columns, Size, probabilities[..((Classes - 1) * RowBlock.Stride)], Classes - 1, statistics.Slice(Free, Free));
    }

    /// <summary>Overwrites the target by where one step from V leads.</summary>
    /// <param name="coefficients">V [C, S].</param>
    /// <param name="statistics">Averages of one regression; its target is overwritten.</param>
    public void Aim(ReadOnlySpan<double> coefficients, Span<double> statistics)
    {
        Span<double> target = statistics[..Free];
        if (Free == 0) return;
        double[] factor = statistics[Hessian..Design].ToArray(), step = statistics.Slice(Free, Free).ToArray();
        Cholesky.FactorRaised(factor, Free);
        Cholesky.Solve(factor, Free, step);
        double change = 0, mass = statistics[Design];
        for (int c = 0; c < Classes - 1; c++)
        {
            ReadOnlySpan<double> own = step.AsSpan(c * Size, Size);
            for (int i = 0, at = Design; i < Size; i++)
                for (int j = 0; j <= i; j++, at++)
                    change = Math.FusedMultiplyAdd(statistics[at] * (i == j ? 1 : 2), own[i] * own[j], change);
        }
        change = mass > 0 ? change / mass : 0;
        double length = change > MostChange ? Math.Sqrt(MostChange / change) : 1;
        for (int at = 0; at < Free; at++) target[at] = mass * Math.FusedMultiplyAdd(length, step[at], coefficients[at]);
    }

    /// <summary>
    /// V from averages: the target; with a normal prior of precision tau, the maximum (H + tau / n)^-1 H v of what the remembered curvature
    /// says of it.
    /// </summary>
    /// <param name="statistics">Averages of one regression.</param>
    /// <param name="ridge">tau / n.</param>
    /// <param name="result">V [C, S]; overwritten, the last row by zeros.</param>
    public void Take(ReadOnlySpan<double> statistics, double ridge, Span<double> result)
    {
        Span<double> free = result[..Free];
        result.Clear();
        double mass = statistics[Design];
        double[] target = new double[Free];
        for (int at = 0; at < Free; at++) target[at] = statistics[at] / mass;
        if (!(ridge > 0))
        {
            target.CopyTo(free);
            return;
        }
        double[] factor = statistics[Hessian..Design].ToArray();
        for (int i = 0, at = 0; i < Free; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                free[i] = Math.FusedMultiplyAdd(factor[at], target[j], free[i]);
                if (j < i) free[j] = Math.FusedMultiplyAdd(factor[at], target[i], free[j]);
            }
        for (int i = 0; i < Free; i++) factor[Packed.Index(i, i)] += ridge;
        Cholesky.FactorRaised(factor, Free);
        Cholesky.Solve(factor, Free, free);
    }

    /// <summary>Averages that <see cref="Take"/> maps to V: of unit columns at P = 1 / 2.</summary>
    /// <param name="coefficients">V [C, S].</param>
    /// <param name="ridge">tau / n.</param>
    /// <param name="mass">The share of the rows.</param>
    /// <param name="result">Of <see cref="Length"/>; overwritten.</param>
    public void Imply(ReadOnlySpan<double> coefficients, double ridge, double mass, Span<double> result)
    {
        const double curvature = 0.25;
        // What is not of these masses at all is not a number.
        double none = 0 * mass;
        result.Fill(none);
        for (int at = 0; at < Free; at++)
        {
            result[at] = coefficients[at] * (mass + ridge / curvature) + none;
            result[Hessian + Packed.Index(at, at)] = curvature * mass;
        }
        for (int i = 0; i < Size; i++) result[Design + Packed.Index(i, i)] = mass;
    }

    /// <summary>Overwrites the target by where V is, for what is held.</summary>
    public void Stay(ReadOnlySpan<double> coefficients, Span<double> statistics)
    {
        for (int at = 0; at < Free; at++) statistics[at] = statistics[Design] * coefficients[at];
    }

    /// <summary>Adds a symmetric S x S block at (c, d), d &lt;= c, of the whole triangle.</summary>
    private void AddBlock(ReadOnlySpan<double> block, int c, int d, Span<double> triangle)
    {
        for (int i = 0; i < Size; i++)
            for (int j = 0; j < (c == d ? i + 1 : Size); j++)
                triangle[Packed.Index(c * Size + i, d * Size + j)] += block[Packed.Index(Math.Max(i, j), Math.Min(i, j))];
    }
}
