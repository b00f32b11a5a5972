using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>What is done when the log-likelihood has been lower than before for long.</summary>
public enum DriftPolicy
{
    /// <summary>It is told, and nothing else.</summary>
    Nothing,

    /// <summary>The step size is from then on that of the first updates, and becomes smaller again: what was learned is forgotten faster.
    /// </summary>
    RaiseStepSize,

    /// <summary>The component with the least weight starts anew where the model explains the records worst.</summary>
    RestartComponent,
}

/// <summary>How a lasting fall of the log-likelihood is noticed and answered.</summary>
public sealed record DriftOptions
{
    /// <summary>Updates to a false alarm on a stream that does not change, on average and at least.</summary>
    public double RunLength { get; init; } = 100_000;

    /// <summary>What is done then.</summary>
    public DriftPolicy Then { get; init; }
}

/// <summary>
/// Notices that the log-likelihood of a stream, every minibatch under the parameters before it, has been lower than before for long: a
/// conformal test martingale (Vovk, Gammerman &amp; Shafer 2005, section 7; Vovk 2021) begun anew with every minibatch, and their sum, the
/// Shiryaev-Roberts e-detector (Shin, Ramdas &amp; Rinaldo 2024).
/// <code>
/// p_t = (1 + number of the means before that are at most y_t) / (1 + number of the means before)
/// R_t = (R_(t-1) + 1) b(p_t),  b(p) = p^(-1/2) / 2                  drift when R_t >= c
/// </code>
/// b integrates to 1, so that every product of bets is a test martingale while the minibatches' means are exchangeable, and R_t - t is a
/// supermartingale at most: the expected number of updates to a false alarm is at least c, whatever the distribution. Nothing has to be
/// known of level, spread or shape. It needs that minibatches do not follow each other: a stream that swings slower than its minibatches
/// are long drifts on its way down. The last 2000 means are kept; beyond, ranks among these are nearly independent and no more.
/// Part of the state.
/// </summary>
/// <param name="runLength">c.</param>
internal sealed class DriftWatch(double runLength)
{
    private const int Memory = 2000;

    private readonly Queue<double> _means = new();
    private readonly List<double> _sorted = [];
    private double _evidence;

    /// <summary>R_t: how much the means say for a fall.</summary>
    public double Evidence => _evidence;

    /// <summary>Takes a minibatch's mean log-likelihood.</summary>
    /// <param name="mean">Nats; NaN where no row could be used.</param>
    /// <returns>Whether it has drifted; what came before is then forgotten.</returns>
    public bool Take(double mean)
    {
        if (!double.IsFinite(mean)) return false;
        int at = _sorted.BinarySearch(mean), below = at < 0 ? ~at : at;
        while (below < _sorted.Count && _sorted[below] <= mean) below++;
        double p = (1.0 + below) / (1 + _sorted.Count);
        _evidence = (_evidence + 1) * 0.5 / Math.Sqrt(p);
        if (_evidence >= runLength)
        {
            BeginAgain();
            return true;
        }
        if (_means.Count == Memory) _sorted.RemoveAt(_sorted.BinarySearch(_means.Dequeue()));
        _means.Enqueue(mean);
        at = _sorted.BinarySearch(mean);
        _sorted.Insert(at < 0 ? ~at : at, mean);
        return false;
    }

    /// <summary>What comes is in other units or of other components.</summary>
    public void BeginAgain()
    {
        _means.Clear();
        _sorted.Clear();
        _evidence = 0;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_evidence);
        writer.WriteDoubles([.. _means]);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        BeginAgain();
        _evidence = reader.ReadDouble();
        foreach (double mean in reader.ReadDoubles()) _means.Enqueue(mean);
        if (!(_evidence >= 0) || _means.Count > Memory || !_means.All(double.IsFinite))
            throw new InvalidDataException("The state is damaged: what is remembered of the log-likelihood is none.");
        _sorted.AddRange(_means.Order());
    }
}
