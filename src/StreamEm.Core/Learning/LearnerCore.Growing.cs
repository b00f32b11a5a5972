using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>
/// What a learner has whose mixture grows: in place of the recursion a <see cref="GrowingMixture"/>, which a version shows as an ordinary
/// mixture of as many components as there are.
/// </summary>
internal sealed partial class LearnerCore
{
    private LatentModelOptions? _shownOptions;
    private LatentModel? _shown;
    private FeatureSpace? _shownSpace;

    /// <summary>The mixture that grows; null where the number of components is given.</summary>
    public GrowingMixture? Growing { get; private set; }

    /// <summary>Learns from a minibatch, record by record.</summary>
    /// <param name="minibatch">Rows in the user's units.</param>
    /// <param name="count">How many of them.</param>
    public void Grow(Minibatch minibatch, int count)
    {
        GrowingMixture growing = Growing!;
        growing.ClearEvents();
        double sum = 0, entropy = 0;
        int scored = 0;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = minibatch.Row(row);
            GrowingScore score = growing.Step(values, learns: minibatch.Weight(row) > 0);
            double logDensity = score.LogDensity;
            if (!double.IsFinite(logDensity)) continue;
            entropy += score.Entropy;
            for (int d = 0; d < values.Length; d++)
                if (!double.IsNaN(values[d])) logDensity -= Space.LogScale[d];
            sum += logDensity;
            scored++;
        }
        _meanLogLikelihood = scored > 0 ? sum / scored : double.NaN;
        State.Updates++;
        Health.Say(new Evidence(scored, sum) { Entropy = entropy });
        Health.Likelihood.Take(_meanLogLikelihood, scored, State.Updates);
        if (Health.HasDrifted(_meanLogLikelihood)) Happened.Add(LearnerEventKind.Drifted, State.Updates);
        State.Rows += count;
        State.Unlearned = State.Rows - growing.Records + growing.Unlearned;
        State.Bounded = growing.Gated;
        State.LastStepSize = Math.Min(1, (double)count / growing.Records);
        State.EffectiveRows = Math.Max(1, growing.Components.Weights.AsSpan(0, growing.Components.Count).ToArray().Sum());
        Space = SpaceOf(Space, growing);
        TellGrowth(growing);
    }

    /// <summary>Takes a person's word for a record; returns how many components are other than they were.</summary>
    public int Judge(ReadOnlySpan<double> row, bool isNormal)
    {
        GrowingMixture growing = Growing!;
        growing.ClearEvents();
        int moved = growing.Judge(row, isNormal);
        TellGrowth(growing);
        return moved;
    }

    private void TellGrowth(GrowingMixture growing)
    {
        foreach (GrowthEvent item in growing.Events)
        {
            if (item.Kind == GrowthEventKind.NewNormal) Happened.Add(LearnerEventKind.NewNormal, State.Updates);
            else if (item.Kind == GrowthEventKind.Released) Happened.Add(LearnerEventKind.Released, State.Updates);
            else if (item.Kind == GrowthEventKind.Born) Health.Events.Add(ComponentEventKind.Born, IdOf(item.Component), State.Updates);
            else Health.Events.Add(ComponentEventKind.Died, IdOf(item.Other >= 0 ? item.Other : item.Component), State.Updates);
        }
    }

    /// <summary>A mixture without components, with locations and scales from the buffer.</summary>
    private static LearnerCore InitializeGrowing(
        LatentModelOptions modelOptions, GrowthOptions growth, FeatureSpace plan, LearningOptions options, Minibatch buffer, int threads)
    {
        var growing = new GrowingMixture(plan.Dimension, growth, GuardOf(options));
        growing.Start(buffer);
        LearnerCore core = StartGrowing(modelOptions, SpaceOf(plan, growing), options, growing, threads);
        core._absentFeatures = FeatureStatistics.AbsentFeatures(buffer);
        core._bufferedRecords = buffer.Count;
        return core;
    }

    private static LearnerCore StartGrowing(
        LatentModelOptions modelOptions, FeatureSpace space, LearningOptions options, GrowingMixture growing, int threads)
    {
        LatentModel model = modelOptions.WithComponents(1).Create(space);
        double[] neutral = new double[model.ParameterLayout.Length];
        model.Neutral(neutral);
        return new LearnerCore(modelOptions, options, model, space, new StepwiseState(model, neutral, 1), threads) { Growing = growing };
    }

    internal static GrowthGuard GuardOf(LearningOptions options) => new()
    {
        Quarantines = options.Learn == LearnMode.Bounded,
        LearnAbove = options.Learn == LearnMode.Gated ? options.LearnAbove : 0,
        ConfirmAfter = options.ConfirmAfter,
        FreezeAfter = options.Learn == LearnMode.Frozen ? options.FreezeAfter ?? GrowingMixture.FirstRows : null,
        Standardizes = options.Standardize,
    };

    private static FeatureSpace SpaceOf(FeatureSpace space, GrowingMixture growing) =>
        space.Location.SequenceEqual(growing.Scale.Location) && space.Scale.SequenceEqual(growing.Scale.Scale)
            ? space
            : space.WithScales(growing.Scale.Location, growing.Scale.Scale);

    private LearnedModel DescribeGrowing(RecordSchema schema, LabelNames labels, RecordIntake intake)
    {
        GrowingComponents components = Growing!.Components;
        int count = components.Count;
        if (_shown is null || _shownSpace != Space || ((ComponentModel)_shown).Components != Math.Max(1, count))
        {
            _shownOptions = _modelOptions.WithComponents(Math.Max(1, count));
            (_shown, _shownSpace) = (_shownOptions.Create(Space), Space);
        }
        double[] inside = new double[_shown.ParameterLayout.Length], parameters = new double[inside.Length];
        _shown.Neutral(inside);
        if (count > 0) Fill(components, _shown.ParameterLayout, inside);
        _shown.ToUserUnits(inside, Space, parameters);
        return new LearnedModel
        {
            Options = _shownOptions!,
            Schema = schema,
            Version = State.Updates,
            Space = Space,
            Model = _shown,
            Parameters = parameters,
            ComponentIds = count == 0 ? Ids.Texts : [.. components.Numbers.Take(count).Select(IdOf)],
            ComponentStatus = count == 0
                ? ["no_evidence"]
                : [.. components.IsQuarantined.Take(count).Select(held => held ? DetectionJson.Quarantined : "ok")],
            Training = Report(labels, intake),
            Calibration = Growing.Calibrate(),
            Detection = count == 0 ? null : Growing.Rule(),
            GrowthEvents = [.. Growing.Events],
            Events = Health.Events.All,
        };
    }

    private static void Fill(GrowingComponents components, VectorLayout layout, double[] inside)
    {
        Span<double> weights = layout["weights"].Of(inside.AsSpan()), means = layout["means"].Of(inside.AsSpan());
        double total = 0;
        for (int k = 0; k < weights.Length; k++) total += components.Weights[k];
        for (int k = 0; k < weights.Length; k++)
        {
            weights[k] = components.Weights[k] / total;
            components.Mean(k).CopyTo(means[(k * means.Length / weights.Length)..]);
        }
        components.CopyCovariances(layout["covariances"].Of(inside.AsSpan()));
    }

    private static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"c{number}");
}
