using StreamEm.Core.Calibration;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Alarms;

/// <summary>
/// Holds the expected share of false alarms among all alarms at a rate alpha, whatever the number of records: e-LORD (Zhang, Wang &amp; Zou
/// 2025, e-value-based generalized alpha-investing; of the family of e-LOND, Xu &amp; Ramdas 2024).
/// <code>
/// alpha_t = omega_t left (R + 1)                 the level of the next test; R alarms so far
/// left   -= alpha_t / (R + 1)                    from alpha on: sum of alpha_j / (R_(j-1) + 1) never exceeds alpha
/// alarm when e_t >= 1 / alpha_t,  e_t = 1{p_t &lt;= alpha_t} / alpha_t
/// </code>
/// e_t is an e-value where P(p_t &lt;= u given the past) &lt;= u, as alpha_t is known before p_t (the all-or-nothing calibrator of
/// Vovk &amp; Wang 2021): no power is lost by turning p into e. No independence of the tests is needed, only that the p-value of a normal
/// record is valid given the records before it: a false alarm is at most 1 / (R_(t-1) + 1) of all alarms, and comes with a probability of
/// at most alpha_t, so that the shares add up to alpha at most.
/// <para>
/// omega_t = g(t) / G(t), the part that test t has of what is left for it and all later tests, with g(t) = log(t + 1) / ((t + 1)
/// exp(sqrt(log(t + 1)))), the sequence of LORD (Javanmard &amp; Montanari 2018; Ramdas et al. 2017), and its integral beyond in closed
/// form, G = 2 exp(-s) (s^3 + 3 s^2 + 6 s + 6), s = sqrt(log(t + 1)).
/// </para>
/// Part of the state.
/// </summary>
internal sealed class DiscoveryRate
{
    /// <summary>theta: how much of the fitted tail's steepness is relied on beyond the sample.</summary>
    private const double Reliance = 0.5;

    private readonly double _rate;
    private long _tests;
    private double _left;

    /// <summary>Nothing was tested.</summary>
    /// <param name="rate">alpha.</param>
    public DiscoveryRate(double rate) => (_rate, _left) = (rate, rate);

    /// <summary>R: alarms that counted.</summary>
    public long Discoveries { get; private set; }

    /// <summary>alpha_t: the level of the next test.</summary>
    public double Level => Math.Min(1, Part() * _left * (Discoveries + 1));

    /// <summary>Counts a test.</summary>
    /// <param name="level">The level it was made at, at most <see cref="Level"/>; a lower one leaves more for later.</param>
    /// <param name="isDiscovery">Whether it raised an alarm.</param>
    public void Take(double level, bool isDiscovery)
    {
        _left = Math.Max(0, _left - level / (Discoveries + 1));
        _tests++;
        if (isDiscovery) Discoveries++;
    }

    /// <summary>
    /// A p-value that allows for what the tail can be wrong by, so that it is valid where levels are far below what was ever seen.
    /// <code>
    /// p   by the last scores of the tail where they are far apart (FarTail), s and a theirs
    /// p'  = s (1 + log(s / p) / a)^(-a)      p &lt; s: few excesses, a = s n
    /// p'' = (p' (n + 1))^theta / (n + 1)     p' &lt; 1 / (n + 1): beyond the sample of a mixture that grows, theta = 0.5
    /// </code>
    /// The first, because a tail that is fitted where most of it lies says little of where it ends: of a power law a mixture that grows
    /// covers the inside with components, and what lies beyond all of them is far at once. The second, because the mean of the exponential
    /// beyond the share s was estimated from a excesses: its predictive distribution (Lomax; Aitchison &amp; Dunsmore 1975), exact for an
    /// exponential tail. The third, because beyond the rarest of n records nothing says that
    /// the tail goes on as it was fitted (Vovk, Gammerman &amp; Shafer 2005, section 2: a conformal p-value ends at 1 / (n + 1)): a mixture
    /// that grows keeps apart what nothing was near to, so that it is missing in the tail, which is taken to be twice as heavy.
    /// Measured, not derived. Ascending; tends to p inside as n grows.
    /// </summary>
    /// <param name="pValue">p.</param>
    /// <param name="records">n: records that the calibration was made of; infinity where that is not known.</param>
    /// <param name="tailShare">s.</param>
    /// <param name="isOfGrowing">Whether it is of a mixture that grows.</param>
    /// <param name="far">What the last scores of the tail say by themselves; null where that is not known.</param>
    public static double Cautious(double pValue, double records, double tailShare, bool isOfGrowing, FarTail? far = null)
    {
        if (!(pValue < tailShare) || double.IsPositiveInfinity(records)) return pValue;
        double excesses = Math.Max(1, tailShare * records), rarest = 1 / (records + 1);
        if (far is { } last)
        {
            pValue = last.Of(pValue);
            if (pValue < last.FarShare) (tailShare, excesses) = (last.FarShare, last.FarCount);
        }
        double predictive = tailShare * ScalarMath.Exp(-excesses * ScalarMath.Log1P(ScalarMath.Log(tailShare / pValue) / excesses));
        bool isBeyond = isOfGrowing && predictive < rarest;
        return isBeyond ? rarest * ScalarMath.Exp(Reliance * ScalarMath.Log(predictive / rarest)) : predictive;
    }

    /// <summary>Writes where it stands.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(_rate);
        writer.Write(_tests);
        writer.Write(_left);
        writer.Write(Discoveries);
    }

    /// <summary>Reads what <see cref="Save"/> wrote; of another rate, what is left is of that part.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        double before = reader.ReadDouble();
        (_tests, _left, Discoveries) = (reader.ReadInt64(), reader.ReadDouble(), reader.ReadInt64());
        if (!(before is > 0 and <= 1) || _tests < 0 || !(_left >= 0 && _left <= before) || Discoveries < 0 || Discoveries > _tests)
            throw new InvalidDataException("The alarms' state is damaged: the false discovery rate is none.");
        _left *= _rate / before;
    }

    private double Part()
    {
        double log = ScalarMath.Log(_tests + 2), s = Math.Sqrt(log);
        return Math.Min(0.5, log / ((_tests + 2) * (2 * (((s + 3) * s + 6) * s + 6))));
    }
}
