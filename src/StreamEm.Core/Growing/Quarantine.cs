using StreamEm.Core.Data;

namespace StreamEm.Core.Growing;

/// <summary>
/// When strange records become normal. They are kept in a pool; it is released when at the rate since its first record so few could well
/// have been met before (Poisson, 1 %): a stray reading; and when they are more than half of the last 500 records: a new normal. Part of
/// the state.
/// </summary>
internal sealed class Quarantine
{
    private const double Span = 500, Chance = 4.6;

    private double _share;
    private long _strange, _pool, _born, _before;

    /// <summary>Takes a record; returns whether what is in quarantine is normal from now on, and why.</summary>
    /// <param name="record">Its number.</param>
    /// <param name="isStrange">Whether it went to quarantine.</param>
    public GrowthEventKind? Take(long record, bool isStrange)
    {
        _share += ((isStrange ? 1 : 0) - _share) / Span;
        if (isStrange)
        {
            if (_pool == 0) (_born, _before) = (record, _strange);
            _strange++;
            _pool++;
        }
        if (_pool == 0) return null;
        if (_share > 0.5)
        {
            (_share, _pool) = (0, 0);
            return GrowthEventKind.NewNormal;
        }
        if ((double)_pool / (record - _born + 1) * _born > _before + 2 * Math.Sqrt(_before) + Chance) return null;
        _pool = 0;
        return GrowthEventKind.Released;
    }

    public void CopyFrom(Quarantine other) =>
        (_share, _strange, _pool, _born, _before) = (other._share, other._strange, other._pool, other._born, other._before);

    public void Write(CompactWriter writer)
    {
        writer.Number(_share);
        writer.Count(_strange);
        writer.Count(_pool);
        writer.Count(_born);
        writer.Count(_before);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Read(ref CompactReader reader)
    {
        (_share, _strange, _pool, _born, _before) = (reader.Number(), reader.Count(), reader.Count(), reader.Count(), reader.Count());
        Check();
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_share);
        foreach (long count in (ReadOnlySpan<long>)[_strange, _pool, _born, _before]) writer.Write(count);
    }

    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        _share = reader.ReadDouble();
        (_strange, _pool, _born, _before) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        Check();
    }

    private void Check()
    {
        if (!(_share is >= 0 and <= 1) || _pool < 0 || _born < 0 || _before < 0 || _strange < _pool)
            throw new InvalidDataException("The state is damaged: the quarantine counts what cannot be.");
    }
}
