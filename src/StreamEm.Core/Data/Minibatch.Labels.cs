namespace StreamEm.Core.Data;

/// <summary>
/// Labels: a component, none, or, below <see cref="Unlabelled"/>, the number of what is said of every component.
/// </summary>
public sealed partial class Minibatch
{
    /// <summary>The label of an observation whose component is not known.</summary>
    public const int Unlabelled = -1;

    private LabelEvidence? _evidence;

    /// <summary>
    /// What a label says that names no single component [K]: p(label given z = k) up to a factor, the largest 1; empty where the label is a
    /// component or there is none.
    /// </summary>
    public ReadOnlySpan<double> Evidence(int row) =>
        Label(row) is < Unlabelled and var label ? _evidence![Unlabelled - 1 - label] : default;

    /// <summary>Makes a label of what is said of every component, for an observation that is added after those there are.</summary>
    /// <param name="evidence">K numbers of at least 0, the largest 1.</param>
    /// <returns>The label.</returns>
    public int AddEvidence(ReadOnlySpan<double> evidence) => Unlabelled - 1 - (_evidence ??= new LabelEvidence()).Add(evidence);

    /// <summary>Sets the component of one observation: its responsibility is then one-hot.</summary>
    public void SetLabel(int row, int label)
    {
        _hasMore |= label != Unlabelled;
        bool began = !_labels.Any && label != Unlabelled;
        _labels.Set(row, label);
        if (began) _labels.Append(row + 1, Count - row - 1, default);
    }

    /// <summary>The label here of an observation of another minibatch, to be added next.</summary>
    internal int TakeLabel(Minibatch other, int row) =>
        other.Label(row) < Unlabelled ? AddEvidence(other.Evidence(row)) : other.Label(row);

    /// <summary>Whether every label is none, one of so many components, or says something of so many.</summary>
    internal bool HasLabelsOf(int components, int width)
    {
        if (_evidence is { Count: > 0 } && _evidence.Width != width) return false;
        foreach (int label in Labels)
            if (label >= components || Unlabelled - 1 - label >= (_evidence?.Count ?? 0)) return false;
        return true;
    }

    /// <summary>Numbers of what is said by labels, in the rows' order.</summary>
    internal ReadOnlySpan<double> AllEvidence => _evidence is null ? default : _evidence.Values;

    /// <summary>Gives rows that were appended with the labels of another minibatch labels of this one.</summary>
    private void TakeEvidence(Minibatch other, int first, int count)
    {
        if (other._evidence is not { Count: > 0 }) return;
        for (int row = 0; row < count; row++)
            if (other.Label(first + row) < Unlabelled) _labels.Set(Count - count + row, TakeLabel(other, first + row));
    }

    /// <summary>Forgets what was said by labels that are no more; those of later rows have higher numbers.</summary>
    private void CompactEvidence()
    {
        if (_evidence is not { Count: > 0 } evidence) return;
        int kept = 0;
        for (int row = 0; row < Count && _labels.Any; row++)
        {
            if (Label(row) >= Unlabelled) continue;
            evidence.Move(Unlabelled - 1 - Label(row), kept);
            _labels.Set(row, Unlabelled - 1 - kept++);
        }
        evidence.Keep(kept);
    }
}
