using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Generalised EM whose M-step goes along a gradient: by Fisher's identity the E-step's statistics give that of the log-likelihood (Louis
/// 1982), and a quasi-Newton step along it (<see cref="QuasiNewton"/>), in coordinates without bounds
/// (<see cref="FreeCoordinates"/>), takes the place of argmax Q. EM's steps are as short as much is missing; these are not (Lange 1995;
/// Salakhutdinov, Roweis &amp; Ghahramani 2003). EM's step is what it begins with: the gradient times the inverse curvature of the
/// complete data.
/// <para>Priors and <c>reg_covar</c> are in it, so that it ends where EM does: with s(Theta) what
/// <see cref="LatentModel.ImpliedStatistics"/> says, the gradient is that from the statistics less that from s(Theta), and vanishes where
/// Maximize(s) = Theta.</para>
/// <para>The length of a step is one at which the slope has fallen enough and is not far below 0 (the approximate Wolfe conditions: Hager
/// &amp; Zhang 2005, eq. 4.1), and what is climbed has not fallen. Where there is none, one step of EM is taken.</para>
/// <para>What an M-step would not leave as it is - a variance below its least, degrees of freedom beyond the most - is put where it
/// would, and stays until the next step of EM: Maximize(s(Theta)) is Theta elsewhere.</para>
/// </summary>
internal sealed class GradientEm
{
    /// <summary>The part of its first slope that is left at most (sigma), and that it may be below 0 (1 - 2 delta).</summary>
    private const double MostSlope = 0.9, MostFall = 0.8;

    private const int MostTrials = 6;

    private readonly LatentModel _model;
    private readonly WholeData _data;
    private readonly QuasiNewton _curvature;
    private readonly double[] _byParameters, _byImplied, _implied, _direction, _allowed;
    private readonly bool[] _isHeld, _isBeyond;
    private Point _here, _there;

    private GradientEm(LatentModel model, WholeData data, double[] theta)
    {
        (_model, _data) = (model, data);
        int length = theta.Length;
        _curvature = new QuasiNewton(length);
        (_byParameters, _byImplied, _direction) = (new double[length], new double[length], new double[length]);
        (_allowed, _isHeld, _isBeyond) = (new double[length], new bool[length], new bool[length]);
        _implied = new double[model.StatisticsLayout.Length];
        (_here, _there) = (new Point(length), new Point(length));
        theta.CopyTo(_here.Theta, 0);
    }

    /// <summary>Iterates to convergence.</summary>
    /// <exception cref="NotSupportedException">The model has no gradient from its statistics, or responsibilities are none of Bayes'.
    /// </exception>
    public static BatchEmResult Run(LatentModel model, WholeData data, double[] theta, BatchEmOptions options, Pass pass)
    {
        if (!model.HasGradient)
            throw new NotSupportedException($"The engine 'gradient' goes along the gradient of the likelihood, and {model.Type} cannot say "
                + "it from its statistics; use over_relaxed or batch.");
        if (pass.Rule is not null && pass.Rule is not (SoftResponsibilities or AnnealedResponsibilities))
            throw new NotSupportedException("The engine 'gradient' goes along the gradient of the likelihood, which soft responsibilities "
                + "give and hard or sparse ones do not; use over_relaxed or batch.");
        return new GradientEm(model, data, theta).Iterate(options);
    }

    private BatchEmResult Iterate(BatchEmOptions options)
    {
        var trace = new FitTrace(options);
        if (!TryLook(_here)) throw new ArithmeticException($"{_model.Type} has no gradient where it begins.");
        // The last step is EM's: what Maximize sees to, as the least variance, holds of the result.
        for (bool isLast = false; ;)
        {
            double rise = Direct() / 2;
            bool isStill = rise <= options.Tolerance;
            if (trace.Ends(_here.LogLikelihood, isStill || isLast))
            {
                if (isLast || trace.Passes > options.MaxIterations) return trace.Result(_here.Theta, _data);
                isLast = true;
            }
            else
            {
                isLast = false;
            }

            if (isLast || !TryClimb())
            {
                _curvature.Clear();
                StepOfEm();
            }
        }
    }

    /// <summary>Where to; the slope along it.</summary>
    private double Direct()
    {
        _curvature.Direct(_here.Gradient, _here.StepOfEm, _direction);
        double slope = QuasiNewton.Dot(_direction, _here.Gradient);
        if (slope > 0 && double.IsFinite(slope)) return slope;
        _curvature.Clear();
        _here.StepOfEm.CopyTo(_direction, 0);
        return QuasiNewton.Dot(_direction, _here.Gradient);
    }

    /// <summary>Goes along the direction; false, and stays, where no length does.</summary>
    private bool TryClimb()
    {
        double slope = QuasiNewton.Dot(_direction, _here.Gradient);
        if (!(slope > 0)) return false;
        double length = 1, shortest = 0, longest = double.PositiveInfinity;
        double slopeAtShortest = slope;
        for (int trial = 0; trial < MostTrials; trial++)
        {
            double there = double.NaN;
            bool isPlace = FreeCoordinates.TryStep(_model.ParameterLayout, _here.Theta, _direction, length, _there.Theta);
            bool isAtEnd = isPlace && Confine(_there.Theta);
            isPlace = isPlace && TryLook(_there);
            if (isPlace && isAtEnd && _there.LogLikelihood >= _here.LogLikelihood)
            {
                for (int at = 0; at < _isHeld.Length; at++) _isHeld[at] |= _isBeyond[at];
                Hold(_there);
                // What was learned of the curvature along what does not move any more would mislead.
                _curvature.Clear();
                (_here, _there) = (_there, _here);
                return true;
            }
            isPlace = isPlace && !isAtEnd;
            if (isPlace) there = QuasiNewton.Dot(_direction, _there.Gradient);
            bool isTooFar = !isPlace || there < -MostFall * slope || Rise(length) < -1e-12 * Math.Abs(_here.LogLikelihood);
            if (!isTooFar && (there <= MostSlope * slope || trial + 1 == MostTrials))
            {
                _curvature.Add(_direction, length, (_here.Gradient, _here.StepOfEm), (_there.Gradient, _there.StepOfEm));
                (_here, _there) = (_there, _here);
                return true;
            }
            if (isTooFar) longest = length;
            else (shortest, slopeAtShortest) = (length, there);
            length = Next(length, there, shortest, slopeAtShortest, longest);
        }
        return false;
    }

    /// <summary>A length between, where the slope would be 0 if it were straight; a fiftieth to nine tenths of the way.</summary>
    private static double Next(double length, double slope, double shortest, double slopeAtShortest, double longest)
    {
        if (double.IsInfinity(longest)) return 4 * length;
        double share = length == longest && slope < 0 ? slopeAtShortest / (slopeAtShortest - slope) : 0.5;
        if (!(slopeAtShortest > 0)) share = 0.5;
        return shortest + Math.Clamp(share, 0.02, 0.9) * (longest - shortest);
    }

    /// <summary>
    /// By how much what is climbed rose: the log-likelihoods' difference and, of what else there is (priors), the mean of the slopes at
    /// both ends times the way.
    /// </summary>
    private double Rise(double length) => _there.LogLikelihood - _here.LogLikelihood
        + length / 2 * (QuasiNewton.Dot(_direction, _here.Beside) + QuasiNewton.Dot(_direction, _there.Beside));

    /// <summary>
    /// Puts what an M-step would not leave as it is where it would, and marks it; false where there is nothing of the kind.
    /// </summary>
    private bool Confine(double[] theta)
    {
        _model.ImpliedStatistics(theta, _data.Worth, _implied);
        _data.Maximize(_implied, theta, _allowed);
        Array.Clear(_isBeyond);
        bool isAny = false;
        foreach (VectorBlock block in _model.ParameterLayout.Blocks)
        {
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            int size = block.Domain switch { Domain.PositiveDefinite => last * last, Domain.Simplex => last, _ => 1 };
            for (int begin = block.Offset; begin < block.Offset + block.Length; begin += size)
            {
                bool isAllowed = true;
                for (int at = begin; at < begin + size; at++)
                    isAllowed &= Math.Abs(theta[at] - _allowed[at]) <= 1e-6 * Math.Max(Math.Abs(theta[at]), 1e-3);
                if (isAllowed) continue;
                isAny = true;
                _allowed.AsSpan(begin, size).CopyTo(theta.AsSpan(begin));
                _isBeyond.AsSpan(begin, size).Fill(true);
            }
        }
        return isAny;
    }

    private void StepOfEm()
    {
        Array.Clear(_isHeld);
        _here.Maximizer.CopyTo(_there.Theta, 0);
        if (!TryLook(_there)) throw new ArithmeticException($"The M-step of {_model.Type} led to where there is no gradient.");
        (_here, _there) = (_there, _here);
    }

    /// <summary>The E-step at a place, and the gradient there; false where parameters cannot be so.</summary>
    private bool TryLook(Point at)
    {
        try
        {
            at.LogLikelihood = _data.Expect(at.Theta);
        }
        catch (ArithmeticException)
        {
            return false;
        }
        if (!double.IsFinite(at.LogLikelihood)) return false;
        _model.ImpliedStatistics(at.Theta, _data.Worth, _implied);
        Ask(_data.Averages, at.Theta, _byParameters);
        Ask(_implied, at.Theta, _byImplied);
        VectorLayout layout = _model.ParameterLayout;
        if (!FreeCoordinates.TryPull(layout, at.Theta, _byParameters, at.Gradient)
            || !FreeCoordinates.TryPull(layout, at.Theta, _byImplied, at.Beside)) return false;
        _data.Maximize(_data.Averages, at.Theta, at.Maximizer);
        if (!FreeCoordinates.TryAim(layout, at.Theta, at.Maximizer, at.StepOfEm)) return false;
        for (int i = 0; i < at.Gradient.Length; i++)
        {
            at.Beside[i] = -at.Beside[i];
            at.Gradient[i] += at.Beside[i];
        }
        Hold(at);
        return true;
    }

    private void Hold(Point at)
    {
        for (int i = 0; i < _isHeld.Length; i++)
            if (_isHeld[i]) at.Gradient[i] = at.Beside[i] = at.StepOfEm[i] = 0;
    }

    /// <summary>The gradient from averages; 0 for what does not move.</summary>
    private void Ask(double[] averages, double[] theta, double[] result)
    {
        Array.Clear(result);
        _model.Gradient(averages, theta, result);
        foreach (VectorBlock block in _model.ParameterLayout.Blocks)
            if (block.IsOptional || _model.FixedBlocks.Contains(block)) block.Of(result.AsSpan()).Clear();
    }

    /// <summary>Parameters, and what is known of them.</summary>
    private sealed class Point(int length)
    {
        public double[] Theta { get; } = new double[length];

        /// <summary>Of all that is climbed, by free coordinates.</summary>
        public double[] Gradient { get; } = new double[length];

        /// <summary>Where EM would go.</summary>
        public double[] Maximizer { get; } = new double[length];

        /// <summary>The way there, by free coordinates.</summary>
        public double[] StepOfEm { get; } = new double[length];

        /// <summary>The part of <see cref="Gradient"/> that is not the log-likelihood's.</summary>
        public double[] Beside { get; } = new double[length];

        public double LogLikelihood { get; set; }
    }
}
