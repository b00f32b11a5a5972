using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>How a learner's state is kept, and taken over by one with other options.</summary>
public sealed partial class Learner
{
    /// <summary>
    /// A learner with other options that goes on where this one stands: with the rows it has pending, its labels and levels and, once there
    /// are parameters, those, components added or taken away where their number is another (<see cref="ComponentChange"/>).
    /// </summary>
    /// <param name="model">The model's options: but for the number of components of the same shape.</param>
    /// <param name="schema">The same features.</param>
    /// <param name="options">How to learn.</param>
    /// <exception cref="ArgumentException">The model is of another shape.</exception>
    public Learner ChangeModel(LatentModelOptions model, RecordSchema schema, LearningOptions options)
    {
        var changed = new Learner(model, schema, options, from: null, _threads);
        int components = changed._labels.Names.Count;
        int[][] sources = [.. Enumerable.Range(0, components).Select(k => k < _labels.Names.Count ? new[] { k } : [])];
        if (_core is not null)
        {
            changed._core = _core.ChangeModel(
                changed._model.WithClasses(_labels.AreClasses ? _labels.Known : []), options, out int[][] ofComponents, _threads);
            if (!_labels.AreClasses) sources = ofComponents;
        }
        changed._intake.TakeLevels(_intake);
        changed._calibration.CopyFrom(_calibration);
        changed.TakePending(this, sources);
        changed._features?.CopyFrom(_features);
        changed._dropped = _dropped;
        changed._labels.IsFixed = _labels.IsFixed;
        return changed;
    }

    /// <summary>Takes over the rows that another learner of the same features has pending, which has no parameters yet.</summary>
    /// <param name="other">A learner that is not used any more.</param>
    public void TakePending(Learner other)
    {
        _features?.CopyFrom(other._features);
        TakePending(other, [.. Enumerable.Range(0, _labels.Names.Count).Select(k => k < other._labels.Names.Count ? new[] { k } : [])]);
    }

    private void TakePending(Learner other, int[][] sources)
    {
        _labels.Restore([.. sources.Select(from => from.Select(k => other._labels.Names[k]).FirstOrDefault(name => name is not null))],
            other._labels.Unknown);
        Minibatch rows = other._pending;
        _pending.Texts = rows.Texts;
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Row(row).CopyTo(_pending.NextRow);
            _intake.Recode(_pending.NextRow, other._intake);
            if (rows.HasTerms) _pending.SetTerms(row, rows.Terms(row), rows.CountsOfTerms(row));
            int label = TakeLabel(rows, row, sources);
            _pending.Commit(rows.Weight(row), label, rows.Target(row), rows.Key(row), rows.Timestamp(row));
            if (rows.IsLast(row)) _pending.EndSequence();
        }
    }

    /// <summary>The label of a row whose components have become others.</summary>
    private int TakeLabel(Minibatch rows, int row, int[][] sources)
    {
        int label = rows.Label(row);
        if (label >= 0) return Array.FindIndex(sources, from => from.Contains(label));
        if (label == Minibatch.Unlabelled) return label;
        double[] says = rows.Evidence(row).ToArray();
        double[] result = [.. sources.Select(from => from.Select(k => says[k]).DefaultIfEmpty().Max())];
        return result.Max() > 0 ? _pending.AddEvidence(result) : Minibatch.Unlabelled;
    }

    /// <summary>
    /// Begins the running averages anew at what the parameters imply: what another recursion left of them does not belong to these.
    /// </summary>
    public void ImplyStatistics() => _core?.State.ImplyStatistics(_core.Model);

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write((int)StateVersion.Current);
        writer.Write(Dimension);
        writer.WriteMinibatch(_pending);
        _intake.Save(writer);
        _calibration.Save(writer);
        writer.Write(_dropped);
        writer.Write(_core is not null);
        _core?.Save(writer);
        if (_features is { HasMemory: true }) _features.Save(writer);
        _gate?.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote with the same options into a new learner, in this release or one before.</summary>
    /// <exception cref="InvalidDataException">The state is not of these options or is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        try
        {
            int version = reader.ReadInt32(), dimension = reader.ReadInt32();
            if (!Enum.IsDefined((StateVersion)version))
                throw new InvalidDataException(
                    $"The state has version {version}; this program reads "
                        + $"{string.Join(" and ", Enum.GetValues<StateVersion>().Select(known => (int)known).Distinct())}.");
            if (dimension != Dimension)
                throw new InvalidDataException($"The state is of {dimension} features; the configuration has {Dimension}.");
            _pending.Clear();
            if (version == (int)StateVersion.Release010) FirstState.ReadMinibatch(reader, _pending);
            else reader.ReadMinibatch(_pending);
            _intake.Load(reader);
            _intake.Check(_pending);
            _calibration.Load(reader, (StateVersion)version);
            _dropped = version >= (int)StateVersion.Patterns ? reader.ReadInt64() : 0;
            if (_dropped < 0) throw new InvalidDataException($"{_dropped} records were left out; expected at least 0.");
            bool hasCore = reader.ReadBoolean();
            _labels.IsFixed |= hasCore && _labels.AreClasses;
            if (!hasCore) _core = null;
            else if (version == (int)StateVersion.Release010) _core = FirstState.ReadCore(reader, _model, _plan, _options, _threads);
            else _core = LearnerCore.Load(reader, Model, _plan, _options, _threads, (StateVersion)version);
            if (_core is { } core && core.Cut.Looked > _pending.Count)
                throw new InvalidDataException($"The state knows {core.Cut.Looked} rows that wait; it has {_pending.Count}.");
            if (_features is { HasMemory: true }) _features.Load(reader);
            // Only of a stream that was gated; another gate than this state's learner had begins anew.
            if (reader.BaseStream is { CanSeek: true } rest && rest.Position < rest.Length)
                (_gate ?? new LearnGate(Dimension, _options)).Load(reader);
            if (reader.BaseStream is { CanSeek: true } stream && stream.Position != stream.Length)
                throw new InvalidDataException(
                    $"The state goes on for {stream.Length - stream.Position} bytes after its end: it is of another model.");
        }
        catch (Exception e) when (e is IOException or ArgumentException or ArithmeticException or FormatException
            or InvalidOperationException or IndexOutOfRangeException or KeyNotFoundException or NullReferenceException)
        {
            // What is read is hostile: whatever cannot be worked with is damage, and not a fault of the program.
            throw new InvalidDataException($"The state is damaged: {e.Message}", e);
        }
    }
}
