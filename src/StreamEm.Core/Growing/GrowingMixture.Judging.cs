namespace StreamEm.Core.Growing;

/// <summary>What people say of records.</summary>
internal sealed partial class GrowingMixture
{
    /// <summary>The part of all that is normal that a word about one record may take out of it.</summary>
    private const double MostCondemned = 0.25;

    /// <summary>What a place that a person confirmed is worth of all that is normal, at least.</summary>
    private const double ConfirmedShare = 0.01;

    private readonly SortedSet<int> _condemned = [];
    private bool _isOfCondemned;

    /// <summary>
    /// Takes a person's word for a record. Normal: what is in quarantine within the birth distance of it, and what hangs together with
    /// that, is confirmed; where nothing is near a component is born there; and the place counts for at least 1 % of what is normal, so
    /// that the like of it is usual at once. Abnormal: the components within the birth distance go to quarantine for good, the nearest
    /// first, as long as they are no more than a quarter of what is normal - a word about one record does not outweigh the rest -, and
    /// records nearer to them than to anything normal are strange from then on.
    /// </summary>
    /// <param name="row">D values, user units, NaN = missing.</param>
    /// <param name="isNormal">What was said.</param>
    /// <returns>Components that are other than they were.</returns>
    public int Judge(ReadOnlySpan<double> row, bool isNormal)
    {
        int observed = _scale.Observe(row, _inside);
        if (observed == 0 || _components.Count == 0) return 0;
        Measure(_inside, observed);
        int moved = isNormal ? ConfirmPlace(observed) : CondemnPlace(observed);
        if (moved == 0) return 0;
        while (MakeRoom(Records))
        {
            // One component at a time.
        }
        if (Records >= _warm) _bulk.Find(_components, _rule.Floor);
        return moved;
    }

    private int ConfirmPlace(int observed)
    {
        double normal = NormalWeight(), weight = 0;
        var near = new List<int>();
        int closest = -1;
        for (int k = 0; k < _components.Count; k++)
        {
            if (_squares[k] > _rule.BirthSquare) continue;
            if (_components.IsQuarantined[k]) near.Add(k);
            else if (closest < 0 || _squares[k] < _squares[closest]) closest = k;
        }
        // What hangs together with what is confirmed, as the list grows.
        for (int at = 0; at < near.Count; at++)
            for (int k = 0; k < _components.Count; k++)
                if (_components.IsQuarantined[k] && !near.Contains(k)
                    && _components.Square(near[at], _components.Mean(k)) <= _rule.BirthSquare)
                    near.Add(k);
        int moved = near.Count;
        foreach (int k in near)
        {
            _components.IsQuarantined[k] = false;
            _condemned.Remove(_components.Numbers[k]);
            weight += _components.Weights[k];
        }
        if (near.Count == 0 && closest < 0)
        {
            BearHere(observed, isStrange: false);
            moved++;
            closest = _components.Count - 1;
        }
        if (near.Count == 0) (near, weight) = ([closest], _components.Weights[closest]);
        double factor = ConfirmedShare * normal / weight;
        if (!(factor > 1)) return moved;
        foreach (int k in near) _components.Raise(k, factor * _components.Weights[k]);
        return Math.Max(moved, 1);
    }

    private int CondemnPlace(int observed)
    {
        double most = MostCondemned * NormalWeight();
        int[] near = [.. Enumerable.Range(0, _components.Count).Where(k => _squares[k] <= _rule.BirthSquare).OrderBy(k => _squares[k])];
        int moved = 0;
        foreach (int k in near)
        {
            if (!_components.IsQuarantined[k] && (most -= _components.Weights[k]) < 0) break;
            if (_condemned.Add(_components.Numbers[k])) moved++;
            _components.IsQuarantined[k] = true;
        }
        if (near.Length > 0) return moved;
        BearHere(observed, isStrange: true);
        _condemned.Add(_components.Numbers[_components.Count - 1]);
        return 1;
    }

    private void BearHere(int observed, bool isStrange)
    {
        int closest = 0;
        for (int k = 1; k < _components.Count; k++)
            if (_squares[k] < _squares[closest]) closest = k;
        if (observed == _inside.Length) _inside.CopyTo(_filled, 0);
        else _components.Fill(closest, _inside, _filled, _conditional);
        Bear(_filled, Records, isStrange);
    }

    private double NormalWeight()
    {
        double weight = 0;
        for (int k = 0; k < _components.Count; k++)
            if (!_components.IsQuarantined[k]) weight += _components.Weights[k];
        return weight;
    }

    private bool IsCondemned(int k) => _condemned.Count > 0 && _condemned.Contains(_components.Numbers[k]);

    /// <summary>Whether the record that was measured is of a place that a person condemned.</summary>
    /// <param name="normal">Its least squared distance from what is normal.</param>
    private bool IsOfCondemned(double normal)
    {
        if (_condemned.Count == 0) return false;
        for (int k = 0; k < _components.Count; k++)
            if (_squares[k] <= _rule.BirthSquare && _squares[k] < normal && _condemned.Contains(_components.Numbers[k])) return true;
        return false;
    }

    private int LightestCondemned()
    {
        int lightest = -1;
        for (int k = 0; k < _components.Count; k++)
            if (IsCondemned(k) && (lightest < 0 || _components.Weights[k] < _components.Weights[lightest])) lightest = k;
        return lightest;
    }

    /// <summary>What was condemned stays in quarantine, whatever is released.</summary>
    private void KeepCondemned()
    {
        for (int k = 0; k < _components.Count; k++)
            if (IsCondemned(k)) _components.IsQuarantined[k] = true;
    }

    private void LoadCondemned(int[] numbers)
    {
        _condemned.Clear();
        foreach (int number in numbers) TakeCondemned(number);
    }

    private void TakeCondemned(int number)
    {
        int k = _components.Numbers.AsSpan(0, _components.Count).IndexOf(number);
        if (k < 0 || !_components.IsQuarantined[k])
            throw new InvalidDataException($"The state is damaged: component {number} is condemned and not in quarantine.");
        _condemned.Add(number);
    }
}
