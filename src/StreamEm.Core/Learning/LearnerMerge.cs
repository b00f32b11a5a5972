using StreamEm.Core.Features;

namespace StreamEm.Core.Learning;

/// <summary>A learner cannot be merged with others.</summary>
/// <param name="part">Which of them, from 0; -1 for all of them together.</param>
/// <param name="message">Why, as the rest of a sentence about it.</param>
public sealed class MergeException(int part, string message) : Exception(message)
{
    /// <summary>Which of the learners, from 0; -1 for all of them together.</summary>
    public int Part { get; } = part;
}

/// <summary>How what learners learned apart is put together.</summary>
public sealed partial class Learner
{
    /// <summary>
    /// One learner with what several learned apart from the same start (<see cref="StateMerge"/>): as if it had met all their records.
    /// What is pending of each is learned from first, sequences that are open end. What is remembered of keys belongs to the streams and
    /// is left with them.
    /// </summary>
    /// <param name="parts">At least one, with the same options; not used any more.</param>
    /// <exception cref="MergeException">One cannot be merged with the first.</exception>
    public static Learner Merge(IReadOnlyList<Learner> parts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(parts.Count);
        Learner first = parts[0];
        for (int at = 0; at < parts.Count; at++)
        {
            if (parts[at].RefusalToMerge() is { } own) throw new MergeException(at, own);
            while (parts[at].TryUpdate(flush: true)) { }
            // What was pending may have changed it.
            if ((parts[at].RefusalToMerge() ?? first.RefusalToMergeWith(parts[at])) is { } reason) throw new MergeException(at, reason);
        }

        var merged = new Learner(first._model, first._schema, first._options, from: null, first._threads);
        try
        {
            merged._core = LearnerCore.Merge([.. parts.Select(part => part._core!)]);
        }
        catch (Exception failure) when (failure is ArgumentException or ArithmeticException or InvalidDataException)
        {
            throw new MergeException(-1, $"what they learned gives no parameters together: {failure.Message}");
        }

        merged._intake.TakeLevels(first._intake);
        merged._labels.Restore(merged.NamesIn(parts), parts.Sum(part => part._labels.Unknown));
        merged._labels.IsFixed = first._labels.IsFixed;
        foreach (Learner part in parts)
        {
            merged._calibration.Add(part._calibration);
            merged._dropped += part._dropped;
        }

        return merged;
    }

    /// <summary>Why it cannot be merged with any other; null when it can.</summary>
    private string? RefusalToMerge()
    {
        if (_model.Growth is not null)
            return "a mixture that grows has no statistics of a fixed length: components of different streams are others";
        if (_core is null) return "it has no parameters yet";
        if (_core.Origin is not { } origin)
            return "it found its first parameters in its own records, so that its components are not those of the others. Start all of "
                + "them at the same file: learning.initialization.from";
        return origin.Recursion == _options.Recursion ? origin.Broken : "its recursion became another one after its start";
    }

    /// <summary>Why another cannot be merged with this one, which can be merged; null when it can.</summary>
    private string? RefusalToMergeWith(Learner other)
    {
        LearnerCore core = _core!, others = other._core!;
        if (_model.Type != other._model.Type || !_model.Settings.SequenceEqual(other._model.Settings)) return "it is of another model";
        if (!core.Origin!.IsSameStart(others.Origin!)) return "it began at other parameters than the first";
        if (!core.Ids.Texts.SequenceEqual(others.Ids.Texts))
            return $"its components are {string.Join(", ", others.Ids.Texts)}; those of the first are {string.Join(", ", core.Ids.Texts)}";
        if (!Bytes(core.Space).SequenceEqual(Bytes(others.Space))) return "its features have other units or levels than those of the first";
        for (int k = 0; k < _labels.Names.Count; k++)
            if (_labels.Names[k] is { } name && other._labels.Names[k] is { } another && name != another)
                return $"component {k} has the label of another name than in the first";
        return null;
    }

    private string?[] NamesIn(IReadOnlyList<Learner> parts) =>
        [.. Enumerable.Range(0, _labels.Names.Count)
            .Select(k => parts.Select(part => part._labels.Names[k]).FirstOrDefault(name => name is not null))];

    private static byte[] Bytes(FeatureSpace space)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) FeatureSpaceState.Save(space, writer);
        return stream.ToArray();
    }
}
