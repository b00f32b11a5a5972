using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>How it is kept, and taken over by one with other options.</summary>
internal sealed partial class LearnerCore
{
    /// <summary>
    /// The same with other options of the model: components come or go (<see cref="ComponentChange"/>); what is remembered of keys is kept
    /// where it means the same.
    /// </summary>
    /// <param name="modelOptions">The model's options; but for the number of components they leave its shape as it is.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="sources">For every component, those it comes from.</param>
    /// <param name="threads">Threads for one minibatch.</param>
    /// <exception cref="ArgumentException">The model is of another shape.</exception>
    public LearnerCore ChangeModel(LatentModelOptions modelOptions, LearningOptions options, out int[][] sources, int threads)
    {
        if (Growing is not null || modelOptions.Growth is not null)
            throw new ArgumentException("a mixture that grows goes on only as it is configured; its components come and go by themselves");
        LatentModel target = modelOptions.Create(Space);
        var change = new ModelChange(_model, State, Ids);
        if (target is ComponentModel components && _model is ComponentModel)
            change.GoTo(components.Components, _modelOptions, modelOptions, Space);
        sources = change.Sources;
        var core = new LearnerCore(modelOptions, options, target, Space, change.StateFor(target), threads)
        {
            Ids = change.Ids,
            _meanLogLikelihood = _meanLogLikelihood,
            _impossible = _impossible,
            _absentFeatures = _absentFeatures,
            _bufferedRecords = _bufferedRecords,
        };
        if (Guard is not null && core.Guard is not null) core.Guard.CopyFrom(Guard);
        core.Happened.CopyFrom(Happened);
        core.Health.Events.CopyFrom(Health.Events);
        core.Health.Events.Follow(Ids.Texts, core.Ids.Texts, State.Updates + 1);
        if (!change.HasComponentsChanged) core.Cut.CopyFrom(Cut);
        return core;
    }

    public void Save(BinaryWriter writer)
    {
        FeatureSpaceState.Save(Space, writer);
        State.Save(writer);
        writer.Write(_meanLogLikelihood);
        writer.Write(_impossible);
        writer.Write(_bufferedRecords);
        writer.WriteArray<int>(_absentFeatures);
        Watch.Save(writer);
        Cut.Save(writer);
        writer.Write(Guard is not null);
        Guard?.Save(writer);
        Happened.Save(writer);
        Ids.Save(writer);
        Growing?.Save(writer);
        Health.Save(writer);
        writer.Write(Origin is not null);
        Origin?.Save(writer);
        writer.Write(Intervals is not null);
        Intervals?.Save(writer);
    }

    public static LearnerCore Load(
        BinaryReader reader, LatentModelOptions modelOptions, FeatureSpace plan, LearningOptions options, int threads, StateVersion version)
    {
        FeatureSpace space = FeatureSpaceState.Load(plan, reader);
        bool hasGuard = version >= StateVersion.Patterns;
        GrowthOptions? growth = modelOptions.Growth;
        LatentModel model = (growth is null ? modelOptions : modelOptions.WithComponents(1)).Create(space);
        StepwiseState state = StepwiseState.Load(reader, model, hasGuard);
        var core = new LearnerCore(modelOptions, options, model, space, state, threads);
        core.LoadReport(reader);
        core.Watch.Load(reader);
        core.Cut.Load(reader);
        if (hasGuard && reader.ReadBoolean()) (core.Guard ?? new StreamGuard(space.Dimension)).Load(reader, version);
        if (hasGuard) core.Happened.Load(reader);
        if (hasGuard) core.Ids = ComponentNumbers.Load(reader, core.Ids.Count);
        if (growth is not null)
        {
            core.Growing = new GrowingMixture(space.Dimension, growth, GuardOf(options));
            core.Growing.Load(reader, version);
            core.Space = SpaceOf(space, core.Growing);
        }
        if (version >= StateVersion.Health) core.Health.Load(reader, model.ParameterLayout, version);
        if (version >= StateVersion.Origin && reader.ReadBoolean()) core.Origin = LearningOrigin.Load(reader, state);
        if (version >= StateVersion.Intervals && reader.ReadBoolean()) (core.Intervals ?? new IntervalWatch(model)).Load(reader);
        core.Check();
        return core;
    }

    /// <summary>Throws unless this can be learned on from and shown; see <see cref="StateCheck"/>.</summary>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    internal void Check()
    {
        if (_impossible < 0 || _bufferedRecords < 0) throw new InvalidDataException("The state is damaged: a count is below 0.");
        Guard?.Check(Space);
        StateCheck.Run(_model, Space, State, _options.Recursion);
    }

    /// <summary>Reads what is reported beside the state itself.</summary>
    internal void LoadReport(BinaryReader reader)
    {
        _meanLogLikelihood = reader.ReadDouble();
        _impossible = reader.ReadInt64();
        _bufferedRecords = reader.ReadInt32();
        _absentFeatures = reader.ReadArray<int>();
        if (_absentFeatures.Any(feature => (uint)feature >= (uint)Space.Dimension))
            throw new InvalidDataException($"The state names an absent feature beyond the {Space.Dimension} there are.");
    }
}
