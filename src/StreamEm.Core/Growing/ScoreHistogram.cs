using System.Runtime.Intrinsics;
using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Growing;

/// <summary>
/// The p-value of a score y >= 0 against those before it: a histogram of bins of 1/64, the last one open, and an exponential tail beyond
/// the bin in which 98 % of them lie. P(Y >= y) inside, equal ones counted; beyond u, (a + 1) / (n + 1) exp(-(y - u) / e), a the count
/// beyond u and e their mean excess. Histograms add, so that those of parts of a stream are that of the whole.
/// </summary>
internal sealed class ScoreHistogram
{
    /// <summary>Scores from which on there are p-values.</summary>
    public const double Least = 50;

    private const double Width = 1.0 / 64, EmptyExcess = 1.0 / 16, SmallestPValue = 1e-300;
    private const int Bins = 1600, Ranks = 50;

    /// <summary>Scores by which the far tail is known.</summary>
    private const double LeastFar = 100;

    private readonly double[] _counts = new double[Bins];
    private int _last, _end;
    private double _above, _centres;

    /// <summary>n: scores taken.</summary>
    public double Total { get; private set; }

    /// <summary>e: the mean excess of the tail.</summary>
    private double Excess => Math.Max(_above > 0 ? _centres / _above - (_last + 1) * Width : EmptyExcess, Width);

    /// <summary>Takes a score.</summary>
    public void Add(double score)
    {
        int bin = BinOf(score);
        _counts[bin]++;
        _end = Math.Max(_end, bin + 1);
        Total++;
        if (bin > _last) Beyond(bin, 1);
        Follow();
    }

    /// <summary>Takes all of another.</summary>
    public void Merge(ScoreHistogram other)
    {
        for (int bin = 0; bin < Bins; bin++)
        {
            _counts[bin] += other._counts[bin];
            if (bin > _last) Beyond(bin, other._counts[bin]);
        }
        Total += other.Total;
        _end = Math.Max(_end, other._end);
        Follow();
    }

    /// <summary>The share of scores at least as high; NaN until there are 50.</summary>
    public double PValue(double score)
    {
        if (Total < Least) return double.NaN;
        double start = (_last + 1) * Width;
        if (score > start)
        {
            double tail = (_above + 1) / (Total + 1) * ScalarMath.Exp(-(score - start) / Excess);
            return Math.Max(tail, SmallestPValue);
        }
        return (_above + From(BinOf(score)) + 1) / (Total + 1);
    }

    /// <summary>Scores from a bin on to the last before the tail. Counts are whole numbers: no order of adding them is another sum.
    /// </summary>
    private double From(int bin)
    {
        double count = 0;
        if (bin > _last) return count;
        ReadOnlySpan<double> counts = _counts.AsSpan(bin, _last + 1 - bin);
        Vector256<double> sums = Vector256<double>.Zero, more = sums;
        for (; counts.Length >= 8; counts = counts[8..])
        {
            sums += Vector256.Create(counts);
            more += Vector256.Create(counts[4..]);
        }
        sums += more;
        foreach (double left in counts) count += left;
        return count + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }

    /// <summary>The score with a p-value in the tail: the inverse of <see cref="PValue"/>, at least where the tail begins.</summary>
    public double ScoreAt(double pValue)
    {
        double share = (_above + 1) / (Total + 1);
        return (_last + 1) * Width + Math.Max(0, Excess * ScalarMath.Log(share / pValue));
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Array.Clear(_counts, 0, _end);
        (_last, _end, _above, _centres, Total) = (0, 0, 0, 0, 0);
    }

    /// <summary>Takes over all of another, in place of what is known.</summary>
    public void CopyFrom(ScoreHistogram other)
    {
        Array.Copy(other._counts, _counts, Math.Max(_end, other._end));
        (_last, _end, _above, _centres, Total) = (other._last, other._end, other._above, other._centres, other.Total);
    }

    /// <summary>
    /// The same as a score function of log-densities 3 - (e^y - 1), which readers of a snapshot know; null until there are 50 scores.
    /// </summary>
    public AnomalyCalibration? Calibrate()
    {
        if (Total < Least) return null;
        var densities = new List<double>();
        var scores = new List<double>();
        double count = Total;
        for (int bin = 0; bin <= _last; bin++)
        {
            if (_counts[bin] == 0 && bin > 0) continue;
            double score = 1 - Math.Min(1, (count + 1) / (Total + 1));
            densities.Add(Density(bin * Width));
            densities.Add(Density((bin + 1) * Width));
            scores.Add(score);
            scores.Add(score);
            count -= _counts[bin];
        }
        double start = (_last + 1) * Width;
        densities.Add(Density(start));
        scores.Add(1 - (_above + 1) / (Total + 1));
        return new AnomalyCalibration(Total, Quantiles(), start, Excess) { LogDensities = densities, Scores = scores, Far = Far() };
    }

    /// <summary>The highest bin beyond which there are enough scores; null where that is the whole tail.</summary>
    private FarTail? Far()
    {
        double count = 0, centres = 0;
        int bin = _end - 1;
        for (; bin > _last && count < LeastFar; bin--)
        {
            count += _counts[bin];
            centres += _counts[bin] * (bin + 0.5) * Width;
        }
        if (bin == _last || count < LeastFar) return null;
        double start = (bin + 1) * Width;
        return new FarTail(
            Excess, (_above + 1) / (Total + 1), start - (_last + 1) * Width, (count + 1) / (Total + 1),
            Math.Max(centres / count - start, Excess), count);
    }

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer) => writer.WriteDoubles(_counts.AsSpan(0, _end));

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        Clear();
        double[] counts = reader.ReadDoubles();
        if (counts.Length > Bins || counts.Any(count => !(count >= 0) || !double.IsFinite(count)))
            throw new InvalidDataException("The state is damaged: the histogram of scores has counts that are none.");
        for (int bin = 0; bin < counts.Length; bin++) Fill(bin, counts[bin]);
        Follow();
    }

    /// <summary>Writes it in few bytes: of every bin with scores how many without are before it, and its count.</summary>
    public void Write(CompactWriter writer)
    {
        writer.Count(_end);
        for (int bin = 0, next = 0; bin < _end; bin++)
        {
            if (_counts[bin] == 0) continue;
            writer.Count(bin - next);
            writer.Count((long)_counts[bin]);
            next = bin + 1;
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Read(ref CompactReader reader)
    {
        Clear();
        int end = reader.Count(Bins);
        for (int bin = 0; bin < end; bin++)
        {
            bin += reader.Count(end - bin - 1);
            Fill(bin, reader.Count());
        }
        Follow();
    }

    /// <summary>Writes by how much it differs from another: as a rule by nothing.</summary>
    public void WriteBeside(ScoreHistogram other, CompactWriter writer)
    {
        int bins = Math.Max(_end, other._end), differing = 0;
        for (int bin = 0; bin < bins; bin++)
            if (_counts[bin] != other._counts[bin]) differing++;
        writer.Count(differing);
        for (int bin = 0, next = 0; differing > 0 && bin < bins; bin++)
        {
            if (_counts[bin] == other._counts[bin]) continue;
            writer.Count(bin - next);
            writer.Signed((long)(_counts[bin] - other._counts[bin]));
            next = bin + 1;
        }
    }

    /// <summary>Reads what <see cref="WriteBeside"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void ReadBeside(ScoreHistogram other, ref CompactReader reader)
    {
        int differing = reader.Count(Bins);
        CopyFrom(other);
        if (differing == 0) return;
        for (int bin = 0; differing > 0; bin++, differing--)
        {
            bin += reader.Count(Bins - 1 - bin);
            double count = _counts[bin] + reader.Signed();
            if (!(count >= 0)) throw new InvalidDataException("The state of a key is damaged: a count of scores is below 0.");
            _counts[bin] = count;
            _end = Math.Max(_end, bin + 1);
        }
        Recount();
    }

    private static int BinOf(double score) => (int)Math.Min(score / Width, Bins - 1);

    private static double Density(double score) => 3 - ScalarMath.Expm1(score);

    private void Fill(int bin, double count)
    {
        if (count == 0) return;
        _counts[bin] = count;
        _end = Math.Max(_end, bin + 1);
        Total += count;
        if (bin > 0) Beyond(bin, count);
    }

    /// <summary>Finds all that follows from the counts.</summary>
    private void Recount()
    {
        int end = _end;
        (_last, _end, _above, _centres, Total) = (0, 0, 0, 0, 0);
        for (int bin = 0; bin < end; bin++) Fill(bin, _counts[bin]);
        Follow();
    }

    private void Beyond(int bin, double count)
    {
        _above += count;
        _centres += count * (bin + 0.5) * Width;
    }

    /// <summary>Moves the last bin before the tail to the first beyond which no more than 2 % lie. All sums are exact.</summary>
    private void Follow()
    {
        double share = (1 - AnomalyCalibration.TailQuantile) * Total;
        while (_above > share) Beyond(++_last, -_counts[_last]);
        while (_last > 0 && _above + _counts[_last] <= share) Beyond(_last, _counts[_last--]);
    }

    private double[] Quantiles()
    {
        double[] quantiles = new double[Ranks];
        double below = 0;
        int bin = 0;
        for (int at = 0; at < Ranks; at++)
        {
            double rank = AnomalyCalibration.TailQuantile * at / (Ranks - 1) * Total;
            while (bin < Bins - 1 && below + _counts[bin] < rank) below += _counts[bin++];
            quantiles[at] = Density((bin + 0.5) * Width);
        }
        return quantiles;
    }
}
