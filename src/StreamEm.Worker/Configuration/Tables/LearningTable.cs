using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Schedules;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>learning</c>.</summary>
internal static class LearningTable
{
    private static readonly Table<StepSizeOptions> StepSize = new(
        () => new StepSizeOptions(),
        new ValueField<StepSizeOptions>(new Setting<StepSizeOptions, double>(
            "kappa", new NumberKind(Interval.OpenClosed(0.5, 1)), o => o.Kappa, (o, v) => o with { Kappa = v },
            "Exponent of the step size (t + t0)^-kappa: small forgets fast, 1 averages all.")),
        new ValueField<StepSizeOptions>(new Setting<StepSizeOptions, double>(
            "t0", new NumberKind(Interval.AtLeast(0)), o => o.T0, (o, v) => o with { T0 = v }, "Delay of the step size, in updates.")),
        new ValueField<StepSizeOptions>(new Setting<StepSizeOptions, double>(
            "floor", new NumberKind(Interval.ClosedOpen(0, 1)), o => o.Floor, (o, v) => o with { Floor = v },
            "Smallest step size: the memory of a model that follows drift is 1 / floor minibatches.")));

    private static readonly Table<DriftOptions> Drift = new(
        () => new DriftOptions(),
        new ValueField<DriftOptions>(new Setting<DriftOptions, double>(
            "run_length", new NumberKind(Interval.AtLeast(10)), o => o.RunLength, (o, v) => o with { RunLength = v },
            "Updates to a false alarm on a stream that does not change, on average and at least.")),
        new ValueField<DriftOptions>(new Setting<DriftOptions, DriftPolicy>(
            "then", new ChoiceKind<DriftPolicy>(), o => o.Then, (o, v) => o with { Then = v },
            "What is done: nothing but telling it; the step size is that of the first updates again; the lightest component starts "
                + "anew.")));

    /// <summary><c>learning</c>; two of its keys belong to the worker and not to the learner.</summary>
    public static readonly Field<ModelOptions> Field = new GroupField<ModelOptions>(
        "learning",
        "How the model learns from its stream.",
        Of("recursion", new ChoiceKind<Recursion>(), o => o.Recursion, (o, v) => o with { Recursion = v },
            "What is interpolated from minibatch to minibatch: sufficient statistics, or parameters as they are shown (biased where "
                + "minibatches are small)."),
        Of("responsibilities", new ResponsibilitiesKind(), o => o.Responsibilities, (o, v) => o with { Responsibilities = v },
            "How records are shared out to components: soft, hard, annealed or sparse."),
        new SectionField<ModelOptions, StepSizeOptions>(
            "step_size", "The step size schedule.", StepSize, o => o.Learning.StepSize,
            (o, v) => o with { Learning = o.Learning with { StepSize = v } }),
        new GroupField<ModelOptions>(
            "minibatch",
            "What one update uses.",
            Of("size", new IntegerKind(1, 10_000_000), o => o.MinibatchSize, (o, v) => o with { MinibatchSize = v }, "Records per update."),
            new ValueField<ModelOptions>(new Setting<ModelOptions, TimeSpan?>(
                "max_wait", new NullableKind<TimeSpan>(new DurationKind()), o => o.MinibatchMaxWait,
                (o, v) => o with { MinibatchMaxWait = v },
                "A minibatch is cut short after this long; null waits for ever."))),
        new GroupField<ModelOptions>(
            "initialization",
            "How the first parameters are found.",
            Initial("method", new ChoiceKind<InitializationMethod>(), o => o.Method, (o, v) => o with { Method = v },
                "How centres are chosen among the buffered records."),
            Initial("buffer", new IntegerKind(1, 100_000_000), o => o.Buffer, (o, v) => o with { Buffer = v },
                "Records buffered at the start of the stream; learned from afterwards."),
            Initial("n_init", new IntegerKind(1, 1000), o => o.NInit, (o, v) => o with { NInit = v },
                "Restarts, ranked by log-likelihood on a held-out part of the buffer."),
            Initial("seed", new SeedKind(), o => o.Seed, (o, v) => o with { Seed = v }, "Seed of all chance."),
            new ValueField<ModelOptions>(new Setting<ModelOptions, TimeSpan?>(
                "max_wait", new NullableKind<TimeSpan>(new DurationKind()), o => o.InitializationMaxWait,
                (o, v) => o with { InitializationMaxWait = v },
                "The first parameters are found after this long in what there is; null waits until the buffer is full.")),
            new ValueField<ModelOptions>(new Setting<ModelOptions, string?>(
                "from", new OptionalTextKind("the path of a snapshot, a kafka:// or http:// address, or null"), o => o.InitializeFrom,
                (o, v) => o with { InitializeFrom = v },
                "A snapshot to go on from, or a file of parameters to start exactly at, without a buffer.")),
            new SecretField<ModelOptions>(
                "from_token", "The bearer token of an http address in from.", o => o.InitializeFromToken,
                (o, v) => o with { InitializeFromToken = v }),
            new SecretFileField<ModelOptions>(
                "from_token_file", "A file that holds it.", o => o.InitializeFromToken, (o, v) => o with { InitializeFromToken = v })),
        Of("standardize", new BooleanKind(), o => o.Standardize, (o, v) => o with { Standardize = v },
            "Whether features are standardised by location and scale of the buffer."),
        Of("learn", new ChoiceKind<LearnMode>(), o => o.Learn, (o, v) => o with { Learn = v },
            "bounded: what is too far from every component is held back unless it keeps coming; always: plain EM; gated: what is too "
                + "improbable is not learned unless it lasts; frozen: nothing is learned after freeze_after records."),
        Of("learn_above", new NumberKind(Interval.OpenClosed(0, 0.5)), o => o.LearnAbove, (o, v) => o with { LearnAbove = v },
            "gated: a record whose p-value is below it is not learned."),
        Of("confirm_after", new NumberKind(Interval.AtLeast(10)), o => o.ConfirmAfter, (o, v) => o with { ConfirmAfter = v },
            "gated: when more than half of about so many records were not learned, they are a new normal."),
        Of("freeze_after", new NullableKind<int>(new IntegerKind(1)), o => o.FreezeAfter, (o, v) => o with { FreezeAfter = v },
            "frozen: records learned before; null: none beyond those of initialization.from."),
        Of("dead_components", new ChoiceKind<DeadComponents>(), o => o.DeadComponents, (o, v) => o with { DeadComponents = v },
            "What happens to a component that has lost its weight."),
        new OptionalSectionField<ModelOptions, DriftOptions>(
            "drift", "How a log-likelihood that is lower for long is noticed, by a test martingale, and answered; null: it is not.", Drift,
            o => o.Learning.Drift, (o, v) => o with { Learning = o.Learning with { Drift = v } }),
        Of("averaging", new ChoiceKind<Averaging>(), o => o.Averaging, (o, v) => o with { Averaging = v },
            "none; tail: beside the parameters also their average over the last half of the stream, which moves less."),
        Of("intervals", new BooleanKind(), o => o.Intervals, (o, v) => o with { Intervals = v },
            "Whether snapshots say how sure every parameter is: its standard error, and an interval that holds at every look."),
        Of("anomaly_half_life", new NullableKind<double>(new NumberKind(Interval.Above(0))), o => o.AnomalyHalfLife,
            (o, v) => o with { AnomalyHalfLife = v },
            "Half-life of the anomaly score's memory in records; null remembers the whole stream."));

    private static ValueField<ModelOptions> Of<TValue>(
        string key, ValueKind<TValue> kind, Func<LearningOptions, TValue> get, Func<LearningOptions, TValue, LearningOptions> set,
        string description) =>
        new(new Setting<ModelOptions, TValue>(
            key, kind, o => get(o.Learning), (o, v) => o with { Learning = set(o.Learning, v) }, description));

    private static ValueField<ModelOptions> Initial<TValue>(
        string key, ValueKind<TValue> kind, Func<InitializationOptions, TValue> get,
        Func<InitializationOptions, TValue, InitializationOptions> set, string description) =>
        Of(key, kind, o => get(o.Initialization), (o, v) => o with { Initialization = set(o.Initialization, v) }, description);
}
