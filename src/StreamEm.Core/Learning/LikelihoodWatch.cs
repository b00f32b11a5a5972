namespace StreamEm.Core.Learning;

/// <summary>
/// The test-then-train log-likelihood of a stream - every minibatch under the parameters before it (Dawid 1984) - and whether it fell.
/// <code>
/// m += g (y - m),  g = max(1 / t, 1 / 200)                        the running mean of the minibatches' means y
/// e^2 = v q (1 + rho) / (1 - rho)                                 its squared error: v the variance of y about m, q the sum of the
///                                                                 squared weights in m, rho the correlation of y with the one before
/// fallen when m is below the highest m so far by 10 of its e      the highest: with the largest m - 5 e
/// </code>
/// On a stationary stream with minibatch means that are about normal, m - E[y] is an Ornstein-Uhlenbeck process of time constant 200: a way
/// of 10 e down takes a departure of 5 e on either side, which happens at a rate of 2 x 5 / (sqrt(2 pi) 200) exp(-25 / 2) &lt; 1e-7 an
/// update (Rice 1944), so that fewer than one stream in a thousand warns falsely in its first ten thousand updates. A fall that stays is
/// noticed when it is more than half of the standard deviation of a minibatch's mean; one of ten times that within a dozen updates.
/// Minibatches may follow each other (rho is measured), but a stream that swings over more than some tens of them does fall on its way
/// down.
/// </summary>
internal sealed class LikelihoodWatch
{
    /// <summary>Minibatches that the running mean remembers.</summary>
    private const double Memory = 200;

    /// <summary>Minibatches before which nothing is compared: the first ones are of records that the parameters were found in.</summary>
    private const int Least = 30;

    /// <summary>Errors on either side.</summary>
    private const double Errors = 5;

    /// <summary>A correlation from one minibatch to the next is not taken to be more.</summary>
    private const double MostCorrelation = 0.98;

    /// <summary>For so many updates a fall is told, unless the mean has come back before.</summary>
    private const int ToldFor = 1000;

    private double _sum, _total, _mean, _variance, _squares, _lag, _deviation, _weight, _highest = double.NaN, _error;
    private long _count;

    /// <summary>Mean over all records since the parameters began, nats per unit of weight; NaN before the first.</summary>
    public double Mean => _total > 0 ? _sum / _total : double.NaN;

    /// <summary>The running mean, which remembers some 200 minibatches; NaN before the first.</summary>
    public double Recent => _count > 0 ? _mean : double.NaN;

    /// <summary>The update with which it last fell; 0 for never, or where that is past.</summary>
    public long FellWith { get; private set; }

    /// <summary>What the running mean was before.</summary>
    public double FellFrom { get; private set; }

    /// <summary>What it was then.</summary>
    public double FellTo { get; private set; }

    /// <summary>Takes a minibatch's mean log-likelihood under the parameters before it, in units that do not change.</summary>
    /// <param name="mean">Nats per unit of weight; NaN where no row could be used.</param>
    /// <param name="weight">The weight of the rows used.</param>
    /// <param name="update">The update it was for.</param>
    public void Take(double mean, double weight, long update)
    {
        if (!double.IsFinite(mean) || !(weight > 0)) return;
        (_sum, _total) = (_sum + mean * weight, _total + weight);
        _count++;
        double gain = Math.Max(1.0 / _count, 1 / Memory);
        _weight += gain * (weight - _weight);
        // A minibatch that is small for the others says less.
        double share = Math.Min(1, weight / _weight);
        gain = _count == 1 ? 1 : gain * share;
        double deviation = mean - _mean;
        _mean += gain * deviation;
        _variance = (1 - gain) * (_variance + gain * (_count == 1 ? 0 : deviation * deviation));
        _lag = (1 - gain) * (_lag + gain * (_count <= 2 ? 0 : deviation * _deviation));
        _squares = (1 - gain) * (1 - gain) * _squares + gain * gain / share;
        _deviation = deviation;
        if (_count >= Least) Compare(update);
    }

    /// <summary>What comes is in other units or of other components: nothing it could have fallen from.</summary>
    public void BeginAgain()
    {
        (_count, _highest, FellWith) = (0, double.NaN, 0);
        (_mean, _variance, _squares, _lag, _weight) = (0, 0, 0, 0, 0);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (double value in (ReadOnlySpan<double>)[
            _sum, _total, _mean, _variance, _squares, _lag, _deviation, _weight, _highest, _error, FellFrom, FellTo]) writer.Write(value);
        writer.Write(_count);
        writer.Write(FellWith);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        (_sum, _total, _mean, _variance) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_squares, _lag, _deviation, _weight) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_highest, _error, FellFrom, FellTo) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_count, FellWith) = (reader.ReadInt64(), reader.ReadInt64());
        if (!double.IsFinite(_sum) || !(_total >= 0) || !double.IsFinite(_mean) || !(_variance >= 0) || !(_weight >= 0)
            || _count < 0 || FellWith < 0)
            throw new InvalidDataException("The state is damaged: the log-likelihood so far is none.");
    }

    private void Compare(long update)
    {
        double correlation = _variance > 0 ? Math.Clamp(_lag / _variance, 0, MostCorrelation) : 0;
        double error = Math.Sqrt(_variance * _squares * (1 + correlation) / (1 - correlation));
        if (FellWith > 0 && (update - FellWith >= ToldFor || _mean >= FellFrom - Errors * error)) FellWith = 0;
        if (!(_highest - Errors * _error > _mean - Errors * error))
        {
            (_highest, _error) = (_mean, error);
            return;
        }
        if (!(_mean < _highest - 2 * Errors * _error)) return;
        (double highest, double mean) = (_highest, _mean);
        BeginAgain();
        (FellWith, FellFrom, FellTo) = (update, highest, mean);
    }
}
