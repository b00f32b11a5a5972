using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.StateSpaces;

/// <summary>
/// The Kalman filter over the sequences of a minibatch (Kalman 1960), covariances in Joseph's form, and the fixed-interval smoother that
/// inverts nothing but the covariances of predictions (de Jong 1989; Durbin &amp; Koopman 2012, section 4.4): a_t, P_t the predicted state,
/// v = x - C a, F = C P C' + R, K = P C' F^-1, L = A (I - K C), r_t-1 = C' F^-1 v + L' r_t, N_t-1 = C' F^-1 C + L' N_t L, E[z_t] = a + P
/// r_t-1, Cov[z_t] = P - P N_t-1 P, Cov[z_t, z_t+1] = P_t L_t' (I - N_t P_t+1). A row's missing values are left out of C and R; one without
/// any is a step that says nothing.
/// </summary>
internal sealed partial class LinearGaussianStateSpaceEStep : EStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);
    private readonly int _states, _dimension, _forecast, _scoreLength;
    private readonly double[] _mean0, _covariance0, _transition, _noise, _observation, _error;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public LinearGaussianStateSpaceEStep(int states, int dimension, int forecast, int scoreLength)
    {
        (_states, _dimension, _forecast, _scoreLength) = (states, dimension, forecast, scoreLength);
        (_mean0, _covariance0) = (new double[states], new double[states * states]);
        (_transition, _noise) = (new double[states * states], new double[states * states]);
        (_observation, _error) = (new double[dimension * states], new double[dimension * dimension]);
    }

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    /// <exception cref="ArithmeticException">A covariance is not positive definite.</exception>
    public void Set(
        ReadOnlySpan<double> mean0, ReadOnlySpan<double> covariance0, ReadOnlySpan<double> transition, ReadOnlySpan<double> noise,
        ReadOnlySpan<double> observation, ReadOnlySpan<double> error)
    {
        mean0.CopyTo(_mean0);
        covariance0.CopyTo(_covariance0);
        transition.CopyTo(_transition);
        noise.CopyTo(_noise);
        observation.CopyTo(_observation);
        error.CopyTo(_error);
        Require(_covariance0, _states, "initial_state_covariance");
        Require(_error, _dimension, "observation_covariance");
        for (int i = 0; i < _states; i++)
            if (!(_noise[i * (_states + 1)] >= 0))
                throw new ArithmeticException(FormattableString.Invariant(
                    $"Entry ({i}, {i}) of transition_covariance is {_noise[i * (_states + 1)]:R}; expected at least 0."));
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new StateSpaceWorkspace(_states, _dimension);

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var space = (StateSpaceWorkspace)workspace;
        space.Reserve(count);
        var sums = new StateSpaceSums(statistics, _states, _dimension);
        Evidence evidence = default;
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            var memory = space.Pass.Memory as StateMemory;
            bool isCarried = Begin(memory, batch, first + at, space, out int slot);
            int remembered = slot < 0 ? -1 : SequenceRows.EndOfLearned(space.Pass.Ahead, first + at, first + next) - first - 1;
            for (int row = at; row < next; row++)
            {
                evidence += Step(batch, first + row, row, row > at || isCarried, space, out logDensities[row]);
                if (row == remembered) Remember(memory!, slot, space);
            }
            Smooth(batch, first, at, next, isCarried, sums, space);
        }
        return evidence;
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (StateSpaceWorkspace)workspace;
        space.Reserve(1);
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            var memory = space.Pass.Memory as StateMemory;
            bool isCarried = Begin(memory, batch, first + at, space, out int slot);
            for (int row = at; row < next; row++)
            {
                if (row > at || isCarried) Predict(space);
                Span<double> of = scores.IsEmpty ? default : scores.Slice(row * _scoreLength, _scoreLength);
                if (!of.IsEmpty) SayPrediction(space, of);
                logDensities[row] = Look(batch.Row(first + row), space, out double square);
                Compare(batch, first + row, square, space);
                if (double.IsFinite(logDensities[row])) Take(space, 0);
                if (!of.IsEmpty) SayState(space, of);
            }
            if (slot >= 0) Remember(memory!, slot, space);
        }
    }

    /// <summary>Where a sequence begins, or goes on from.</summary>
    private bool Begin(StateMemory? memory, Minibatch batch, int row, StateSpaceWorkspace space, out int slot)
    {
        bool isCarried = SlotMemory.GoesOn(memory, batch, row, out slot);
        (isCarried ? memory!.Of(slot)[.._states] : _mean0).CopyTo(space.Mean);
        (isCarried ? memory!.Of(slot)[_states..] : _covariance0).CopyTo(space.Covariance);
        space.Mean.CopyTo(space.CarriedMean, 0);
        space.Covariance.CopyTo(space.CarriedCovariance, 0);
        return isCarried;
    }

    private void Remember(StateMemory memory, int slot, StateSpaceWorkspace space)
    {
        Span<double> values = _states <= 16 ? stackalloc double[_states + _states * _states] : new double[_states + _states * _states];
        space.Mean.CopyTo(values);
        space.Covariance.CopyTo(values[_states..]);
        memory.Set(slot, values);
    }

    /// <summary>One row of the filter, as it is learned from: one that is held back is a step that says nothing.</summary>
    private Evidence Step(Minibatch batch, int row, int at, bool isPassage, StateSpaceWorkspace space, out double logDensity)
    {
        if (isPassage) Predict(space);
        space.Mean.CopyTo(space.Predicted(at));
        space.Covariance.CopyTo(space.PredictedCovariance(at));
        double weight = batch.Weight(row);
        logDensity = Look(batch.Row(row), space, out double square);
        Compare(batch, row, square, space);
        Evidence evidence = Judge(space.Pass.Bound, row, space.Observed.Count, square, weight, out bool isHeld);
        space.Says[at] = double.IsFinite(logDensity) && !isHeld;
        if (!space.Says[at])
        {
            Pass(space, at);
            return evidence;
        }
        Take(space, at);
        return evidence with { Weight = weight, LogLikelihood = weight * logDensity };
    }

    private static Evidence Judge(InfluenceBound? bound, int row, int values, double square, double weight, out bool isHeld)
    {
        isHeld = false;
        if (bound is null || values == 0) return default;
        double relative = bound.AnyHeldBefore && bound.IsHeld(row) ? double.PositiveInfinity : square / bound.Limit(values);
        if (relative > bound.Reach * bound.Reach && !bound.IsHeld(row)) bound.Hold(row, relative);
        isHeld = bound.IsHeld(row);
        if (!(relative > 1)) return default;
        return new Evidence
        {
            Far = weight,
            Held = isHeld ? weight : 0,
            Remote = bound.IsRemote(relative) ? weight : 0,
        };
    }

    /// <summary>The state at the next row: a = A m, P = A V A' + Q.</summary>
    private void Predict(StateSpaceWorkspace space)
    {
        DenseMatrix.Multiply(_transition, space.Mean, space.Vector, _states, _states, 1);
        space.Vector.AsSpan(0, _states).CopyTo(space.Mean);
        DenseMatrix.Sandwich(_transition, space.Covariance, space.A, space.B, _states, _states);
        DenseMatrix.Add(space.A, _noise);
        space.A.CopyTo(space.Covariance, 0);
    }

    /// <summary>log p(x_t given the rows before), NaN without a value, and v' F^-1 v; the state stays as predicted.</summary>
    private double Look(ReadOnlySpan<double> row, StateSpaceWorkspace space, out double square)
    {
        ObservedPart seen = space.Observed;
        seen.Take(row, _observation, _error);
        int count = seen.Count;
        square = 0;
        if (count == 0) return double.NaN;
        DenseMatrix.MultiplyTransposed(space.Covariance, seen.Map, seen.Spread, _states, _states, count);
        DenseMatrix.Multiply(seen.Map, seen.Spread, seen.Inverse, count, _states, count);
        DenseMatrix.Add(seen.Inverse, seen.Error.AsSpan(0, count * count));
        DenseMatrix.Symmetrize(seen.Inverse, count);
        double logDeterminant = seen.Invert();
        for (int i = 0; i < count; i++)
            seen.Innovation[i] = row[seen.Features[i]] - DenseMatrix.Dot(seen.Map.AsSpan(i * _states, _states), space.Mean);
        DenseMatrix.Multiply(seen.Inverse, seen.Innovation, seen.Scaled, count, count, 1);
        square = DenseMatrix.Dot(seen.Scaled, seen.Innovation.AsSpan(0, count));
        return double.IsFinite(square) ? -0.5 * (count * LogTwoPi + logDeterminant + square) : double.NegativeInfinity;
    }

    /// <summary>Filters the state by the row that was looked at, and keeps what the way back needs.</summary>
    private void Take(StateSpaceWorkspace space, int at)
    {
        ObservedPart seen = space.Observed;
        int count = seen.Count;
        DenseMatrix.Multiply(seen.Spread, seen.Inverse, seen.Gain, _states, count, count);
        DenseMatrix.TransposedMultiply(seen.Map, seen.Scaled, space.PullOf(at), _states, count, 1);
        DenseMatrix.TransposedMultiply(seen.Map, seen.Inverse, seen.Wide, _states, count, count);
        DenseMatrix.Multiply(seen.Wide, seen.Map, space.WeightOf(at), _states, count, _states);
        for (int i = 0; i < _states; i++)
            space.Mean[i] += DenseMatrix.Dot(seen.Gain.AsSpan(i * count, count), seen.Innovation.AsSpan(0, count));

        // I - K C, and P = (I - K C) P (I - K C)' + K R K'.
        DenseMatrix.Multiply(seen.Gain, seen.Map, space.A, _states, count, _states);
        for (int i = 0; i < space.A.Length; i++) space.A[i] = (i % (_states + 1) == 0 ? 1 : 0) - space.A[i];
        DenseMatrix.Multiply(_transition, space.A, space.Gain(at), _states, _states, _states);
        DenseMatrix.Multiply(space.A, space.Covariance, space.B, _states, _states, _states);
        DenseMatrix.MultiplyTransposed(space.B, space.A, space.Covariance, _states, _states, _states);
        DenseMatrix.Multiply(seen.Gain, seen.Error, seen.Wide, _states, count, count);
        DenseMatrix.MultiplyTransposed(seen.Wide, seen.Gain, space.A, _states, count, _states);
        DenseMatrix.Add(space.Covariance, space.A);
        DenseMatrix.Symmetrize(space.Covariance, _states);
    }

    /// <summary>A row that says nothing: the state stays as predicted.</summary>
    private void Pass(StateSpaceWorkspace space, int at)
    {
        space.PullOf(at).Clear();
        space.WeightOf(at).Clear();
        _transition.CopyTo(space.Gain(at));
    }

    /// <summary>
    /// The log-density of a complete row that is as improbable among complete ones as one with missing values is among its like.
    /// </summary>
    private void Compare(Minibatch batch, int row, double square, StateSpaceWorkspace space)
    {
        ObservedPart seen = space.Observed;
        if (space.Pass.Comparable is not { } comparable || seen.Count == 0 || seen.Count == _dimension) return;
        double observed = seen.LogDeterminant;
        DenseMatrix.Sandwich(_observation, space.Covariance, space.Square, space.Wide, _dimension, _states);
        DenseMatrix.Add(space.Square, _error);
        if (!DenseMatrix.TryInvert(space.Square, _dimension, space.Packed, out double complete)) return;
        LogDensitySpread Of(int values, double logDeterminant) =>
            new(-0.5 * (values * LogTwoPi + logDeterminant), 0.5 * values, 0.5 * values);
        LogDensitySpread part = Of(seen.Count, observed);
        comparable[row] = part.Equivalent(part.Peak - 0.5 * square, Of(_dimension, complete));
    }

    private static void Require(double[] matrix, int dimension, string name)
    {
        double[] inverse = [.. matrix];
        if (!DenseMatrix.TryInvert(inverse, dimension, new double[Packed.Length(dimension)], out _))
            throw new ArithmeticException($"{name} is not positive definite.");
    }
}
