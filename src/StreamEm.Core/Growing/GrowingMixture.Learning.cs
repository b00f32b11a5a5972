using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Growing;

/// <summary>How it learns, and how its state is kept.</summary>
internal sealed partial class GrowingMixture
{
    private const int MostEvents = 256;

    /// <summary>Weight below which a component that fades is gone.</summary>
    private const double LeastWeight = 0.5;

    /// <summary>What a component is to another's weight, at most, to be forgotten as a stray of it.</summary>
    private const double StrayWeight = 2, StrayShare = 0.01;

    /// <summary>Score functions of both scores, for readers of a snapshot; null until they are known.</summary>
    public AnomalyCalibration? Calibrate() => _trusted.Calibrate();

    /// <summary>What turns parameters into the score.</summary>
    public DetectionRule Rule() => new(
        _rule.Floor, [.. _bulk.Mean], [.. _bulk.Variance], _rule.Growth.IsShared,
        [.. _components.IsQuarantined.AsSpan(0, _components.Count)]);

    /// <summary>Another that goes on where this one stands, and tells no log-densities.</summary>
    public GrowingMixture Copy()
    {
        var copy = new GrowingMixture(Dimension, _rule.Growth, _guard) { TellsDensity = false };
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>From here on no component gets a number that one of another state has had.</summary>
    public void NeverReuse(GrowingMixture other) => _components.NeverReuse(other._components);

    /// <summary>Takes over all of another of the same options.</summary>
    public void CopyFrom(GrowingMixture other)
    {
        _scale.CopyFrom(other._scale);
        _components.CopyFrom(other._components);
        _all.CopyFrom(other._all);
        _trusted.CopyFrom(other._trusted);
        _quarantine.CopyFrom(other._quarantine);
        _bulk.CopyFrom(other._bulk);
        (Records, Unlearned, Gated) = (other.Records, other.Unlearned, other.Gated);
        (_warm, _guardedFrom, _share, _owed) = (other._warm, other._guardedFrom, other._share, other._owed);
        _condemned.Clear();
        _condemned.UnionWith(other._condemned);
    }

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        foreach (long count in (ReadOnlySpan<long>)[Records, Unlearned, Gated, _warm, _guardedFrom]) writer.Write(count);
        writer.Write(_share);
        writer.Write(_owed);
        _scale.Save(writer);
        _components.Save(writer);
        _bulk.Save(writer);
        _all.Save(writer);
        _trusted.Save(writer);
        _quarantine.Save(writer);
        writer.WriteArray<int>([.. _condemned]);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader, StateVersion version = StateVersion.Current)
    {
        (Records, Unlearned, Gated) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        (_warm, _guardedFrom) = (reader.ReadInt64(), reader.ReadInt64());
        (_share, _owed) = (reader.ReadDouble(), reader.ReadDouble());
        _guardedFrom = _guard.FreezeAfter ?? _guardedFrom;
        if (Records < 0 || Unlearned < 0 || Unlearned > Records || Gated < 0 || Gated > Unlearned || _warm < 0 || _guardedFrom < 0
            || !(_share is >= 0 and <= 1) || !(_owed is >= 0 and <= MostOwed))
            throw new InvalidDataException("The state is damaged: the counts of records taken are impossible.");
        _scale.Load(reader);
        _components.Load(reader);
        _bulk.Load(reader);
        _all.Load(reader);
        _trusted.Load(reader);
        _quarantine.Load(reader);
        LoadCondemned(version >= StateVersion.Words ? reader.ReadArray<int>() : []);
    }

    private void FindBulk(long record, bool isGuarded)
    {
        if (_rule.Growth.HalfLife is { } halfLife && Records > _warm && !isGuarded)
        {
            _components.Fade(ScalarMath.Pow(2, -BulkEvery / halfLife));
            for (int k = _components.Count - 1; k >= 0 && _components.Count > 1; k--)
                if (_components.Weights[k] < LeastWeight && HasOther(k)) Forget(k, record);
        }
        _bulk.Find(_components, _rule.Floor);
    }

    /// <summary>Whether something is still confirmed as normal without a component.</summary>
    private bool HasOther(int component)
    {
        for (int k = 0; k < _components.Count; k++)
            if (k != component && !_components.IsQuarantined[k]) return true;
        return false;
    }

    /// <summary>Learns from the record that was measured: within its kind a birth, or shares by responsibility.</summary>
    private void Learn(int observed, bool isStrange, long record)
    {
        double nearest = double.PositiveInfinity;
        int count = _components.Count, closest = 0;
        for (int k = 0; k < count; k++)
        {
            if (_squares[k] < _squares[closest]) closest = k;
            if (_components.IsQuarantined[k] == isStrange)
            {
                nearest = Math.Min(nearest, _squares[k]);
                continue;
            }
            _learning[k] = double.NegativeInfinity;
            _hasParts = false;
        }
        bool isWhole = observed == _inside.Length;
        if (nearest > _rule.BirthSquare)
        {
            if (isWhole) _inside.CopyTo(_filled, 0);
            else _components.Fill(closest, _inside, _filled, _conditional);
            Bear(_filled, record, isStrange);
            return;
        }
        if (!_hasParts) Parts(_learning);
        for (int k = 0; k < count; k++)
        {
            double part = _parts[k];
            if (!(part > LeastPart)) continue;
            if (isWhole)
            {
                _components.Take(k, part, _inside, []);
                continue;
            }
            _components.Fill(k, _inside, _filled, _conditional);
            _components.Take(k, part, _filled, _conditional);
        }
    }

    private void Bear(ReadOnlySpan<double> mean, long record, bool isStrange)
    {
        Tell(GrowthEventKind.Born, record, _components.NextNumber);
        _components.Add(mean, isStrange);
    }

    /// <summary>Records that are not learned and last are a new normal: all is learned again until there is a calibration for it.</summary>
    private void Confirm(bool isHeld, long record)
    {
        if (isHeld) Gated++;
        _share += ((isHeld ? 1 : 0) - _share) / _guard.ConfirmAfter;
        if (!(_share > 0.5)) return;
        _share = 0;
        _guardedFrom = Records + CalibratedAfter;
        _all.Clear();
        _trusted.Clear();
        Tell(GrowthEventKind.NewNormal, record, -1);
    }

    private void Release(GrowthEventKind kind, long record)
    {
        _components.Release();
        KeepCondemned();
        Tell(kind, record, -1);
    }

    /// <summary>One component less: the closest means of a kind of which there are too many are merged.</summary>
    /// <returns>Whether there were too many.</returns>
    private bool MakeRoom(long record)
    {
        if (_condemned.Count > _rule.Quarantined)
        {
            Forget(LightestCondemned(), record);
            return true;
        }
        int quarantined = -_condemned.Count;
        for (int k = 0; k < _components.Count; k++)
            if (_components.IsQuarantined[k]) quarantined++;
        bool kind = _components.Count - _condemned.Count - quarantined <= _rule.Growth.Max;
        if (kind && quarantined <= _rule.Quarantined) return false;
        (int first, int second) = Closest(kind);
        (int light, int heavy) = _components.Weights[first] < _components.Weights[second] ? (first, second) : (second, first);
        double weight = _components.Weights[light];
        if (weight <= Math.Max(StrayWeight, StrayShare * _components.Weights[heavy])
            && _components.Square(heavy, _components.Mean(light)) > _rule.FarSquare)
        {
            Forget(light, record);
            return true;
        }
        Tell(GrowthEventKind.Merged, record, _components.Numbers[first], _components.Numbers[second]);
        _components.Merge(first, second);
        return true;
    }

    private void Forget(int component, long record)
    {
        Tell(GrowthEventKind.Forgotten, record, _components.Numbers[component]);
        _condemned.Remove(_components.Numbers[component]);
        _components.Remove(component);
    }

    /// <summary>
    /// The two of a kind with the closest means, the lower index first; of equal pairs the first. What a person condemned is not mixed with
    /// anything.
    /// </summary>
    private (int First, int Second) Closest(bool isQuarantined)
    {
        (int First, int Second) best = (0, 0);
        double least = double.PositiveInfinity;
        for (int k = 1; k < _components.Count; k++)
        {
            if (_components.IsQuarantined[k] != isQuarantined || IsCondemned(k)) continue;
            ReadOnlySpan<double> mean = _components.Mean(k);
            for (int other = 0; other < k; other++)
            {
                if (_components.IsQuarantined[other] != isQuarantined || IsCondemned(other)) continue;
                ReadOnlySpan<double> from = _components.Mean(other);
                double square = 0;
                for (int d = 0; d < mean.Length && square < least; d++) square += (mean[d] - from[d]) * (mean[d] - from[d]);
                if (square < least) (least, best) = (square, (other, k));
            }
        }
        return best;
    }

    private void Tell(GrowthEventKind kind, long record, int component, int other = -1)
    {
        if (_events.Count == MostEvents) _events.RemoveAt(0);
        _events.Add(new GrowthEvent(kind, record, component, other));
    }
}
