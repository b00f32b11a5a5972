using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The E-step of a product: each part over its own selection of the block.</summary>
internal sealed class ProductEStep(ProductPart[] parts) : EmissionEStep
{
    private readonly EmissionEStep?[] _prepared = new EmissionEStep?[parts.Length];

    /// <summary>A part's E-step; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Part(int part) => _prepared[part];

    /// <summary>Takes a part's E-step.</summary>
    public void Set(int part, EmissionEStep prepared) => _prepared[part] = prepared;

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        for (int part = 0; part < parts.Length; part++) _prepared[part]!.LogDensities(block.Select(part, parts[part].Features), logJoint);
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        spreads.Clear();
        Span<LogDensitySpread> own = spreads.Length <= 64
            ? stackalloc LogDensitySpread[spreads.Length]
            : new LogDensitySpread[spreads.Length];
        Span<double> values = row.Length <= 256 ? stackalloc double[row.Length] : new double[row.Length];
        for (int part = 0; part < parts.Length; part++)
        {
            int[] features = parts[part].Features;
            for (int d = 0; d < features.Length && !row.IsEmpty; d++) values[d] = row[features[d]];
            _prepared[part]!.Spread(row.IsEmpty ? [] : values[..features.Length], own);
            for (int k = 0; k < own.Length; k++) spreads[k] += own[k];
        }
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int at = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            int length = parts[part].Emission.StatisticsLayout.Length;
            _prepared[part]!.Accumulate(block.Select(part, parts[part].Features), responsibilities, statistics.Slice(at, length));
            at += length;
        }
    }

    public override int MeasuredValues
    {
        get
        {
            int values = 0;
            foreach (EmissionEStep? part in _prepared) values += part!.MeasuredValues;
            return values;
        }
    }

    public override void AddPeaks(Span<double> peaks)
    {
        foreach (EmissionEStep? part in _prepared) part!.AddPeaks(peaks);
    }

    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        MeasuredDistance distance = default;
        for (int part = 0; part < parts.Length; part++)
            if (_prepared[part]!.MeasuredValues > 0)
                distance += _prepared[part]!.Distance(block.Select(part, parts[part].Features), index, component);
        return distance;
    }

    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        int at = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            if (parts[part].Emission.ScoreLayout.Length == 0) continue;
            _prepared[part]!.Score(block.Select(part, parts[part].Features), responsibilities, scores[at..], width);
            at += parts[part].Emission.ScoreLayout.Length;
        }
    }
}
