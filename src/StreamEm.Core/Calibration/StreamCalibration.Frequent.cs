using StreamEm.Core.Data;

namespace StreamEm.Core.Calibration;

/// <summary>The records that are kept as they are.</summary>
internal sealed partial class StreamCalibration
{
    /// <summary>Fills a minibatch with the records kept as they are, inside.</summary>
    public void CopyFrequent(Minibatch rows)
    {
        for (int entry = 0; HasFrequent && entry < _frequent!.Count; entry++) rows.Add(_frequent.Row(entry));
    }

    private bool HasFrequent => _frequent is { Count: > 0 };

    /// <summary>From here on sets of missing features are told apart: so far every record was complete.</summary>
    private void BeginPatterns()
    {
        _patterns.Add(MissingSketch.OfComplete(_mask.Length, _all));
        for (int at = 0; HasFrequent && at < _frequent!.Count; at++) _patterns[0].Counter += _frequent[at].Weight;
    }

    /// <summary>Looks for records that others equal, and keeps them; they are counted where all are.</summary>
    private void FindFrequent(Minibatch rows, ReadOnlySpan<double> logDensities, double factor)
    {
        if (_frequent is null) return;
        for (int first = 0; first < logDensities.Length; first += FrequentRecords.Stretch)
        {
            int found = _frequent.FindTwins(rows, logDensities, first, _twins);
            int stretch = Math.Min(FrequentRecords.Stretch, logDensities.Length - first);
            // Two were met in the sample.
            double weight = 2.0 * stretch / Math.Min(FrequentRecords.Sample, stretch);
            foreach (int row in _twins.AsSpan(0, found))
            {
                if (!(rows.Weight(row) * factor > 0) || (_frequent.IsFull && !MakeRoom(weight * rows.Weight(row) * factor))) continue;
                _frequent.Add(rows.Row(row));
            }
        }
    }

    /// <summary>Counts down what is kept for a record that has no room; what has nothing left goes to the sketches.</summary>
    private bool MakeRoom(double weight)
    {
        for (int at = _frequent!.Count - 1; at >= 0; at--)
        {
            FrequentRecords.Entry entry = _frequent[at];
            if ((_frequent[at].Counter -= weight) > 0) continue;
            Mask(_frequent.Row(at));
            _all.Add(entry.Comparable, entry.Weight);
            foreach (MissingSketch pattern in _patterns)
                if (pattern.Is(_mask)) pattern.Sketch.Add(entry.LogDensity, entry.OfItsPattern);
            _frequent.Remove(at);
        }
        return !_frequent.IsFull;
    }

    /// <summary>What is kept as it is has no part in a sketch that begins now.</summary>
    private void LeaveOut(ReadOnlySpan<ulong> mask)
    {
        Span<ulong> own = stackalloc ulong[mask.Length];
        for (int at = 0; HasFrequent && at < _frequent!.Count; at++)
        {
            Mask(_frequent.Row(at), own);
            if (own.SequenceEqual(mask)) _frequent[at].OfItsPattern = 0;
        }
    }
}
