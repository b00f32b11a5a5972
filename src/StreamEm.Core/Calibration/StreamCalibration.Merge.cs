namespace StreamEm.Core.Calibration;

/// <summary>What several streams are remembered by together.</summary>
internal sealed partial class StreamCalibration
{
    /// <summary>
    /// Adds what another of the same features and units remembers. Its records that are kept as they are go to the sketches, and of its
    /// sets of missing features those that there is room for are told apart.
    /// </summary>
    /// <param name="other">It is not used any more.</param>
    public void Add(StreamCalibration other)
    {
        if (other.HasFrequent) other.MakeRoom(double.PositiveInfinity);
        if (other._patterns.Count > 0 && _patterns.Count == 0) BeginPatterns();
        if (_patterns.Count > 0 && other._patterns.Count == 0) other.BeginPatterns();
        _all.Merge(other._all);
        foreach (MissingSketch pattern in other._patterns)
        {
            MissingSketch? own = _patterns.Find(known => known.Is(pattern.Mask));
            if (own is null && _patterns.Count >= MaxPatterns) continue;
            if (own is null)
            {
                own = new MissingSketch(_mask.Length);
                own.Begin(pattern.Mask, 0);
                _patterns.Add(own);
            }

            own.Counter += pattern.Counter;
            own.Sketch.Merge(pattern.Sketch);
        }

        (_weight, _worth) = (_weight + other._weight, _worth + other._worth);
    }
}
