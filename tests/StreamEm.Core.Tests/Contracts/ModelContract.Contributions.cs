using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What several workers learn together, of every model that has statistics of a fixed length.</summary>
public abstract partial class ModelContract
{
    private const int ContributedRows = 640, ContributedSize = 100;

    /// <summary>
    /// Each minibatch contributed under the newest parameters and folded at once, by a worker that remembers nothing but the states of keys
    /// which it is given. Where the E-step draws, its chance is of keys, and that of one worker alone of their slots.
    /// </summary>
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void Contributions_FoldedAtOnce_AreLearningAlone(Recursion recursion)
    {
        LearningOptions options = Contributing(recursion);
        if (Learner.RefusalToScaleOut(Options(3, 2), options) is not null || !IsExact) return;
        Minibatch records = Records(Rows(2, ContributedRows, 41, 0.1));
        var alone = new Learner(Options(3, 2), Schema(2), options);
        Learner folds = Begun(options, records);
        Streams.Feed(alone, records, 0, records.Count);
        while (alone.TryUpdate(flush: true)) { }
        var states = new KeptStates();
        for (int first = 0; first < records.Count; first += ContributedSize)
            folds.Fold(Contributed(folds, options, records, first, states));

        Assert.Equal(Streams.Snapshot(alone).Parameters, Streams.Snapshot(folds).Parameters);
        Assert.Equal((alone.Records, alone.Unlearned, alone.Updates), (folds.Records, folds.Unlearned, folds.Updates));
        Assert.Equal(RemembersKeys, states.Kept.Count > 0);
    }

    /// <summary>A function of parameters, records and states, whoever makes it and whatever he made before.</summary>
    [Fact]
    public void Contributions_OfTheSameRecordsAndStates_AreTheSameToTheByte()
    {
        LearningOptions options = Contributing(Recursion.Statistics);
        if (Learner.RefusalToScaleOut(Options(3, 2), options) is not null) return;
        Minibatch records = Records(Rows(2, ContributedRows, 42, 0.1));
        Learner begun = Begun(options, records), busy = Copy(begun, options);
        var states = new KeptStates();
        Contributed(begun, options, records, 0, states);
        KeptStates same = new() { Kept = new(states.Kept) }, others = new();
        busy.Add(records, 300, ContributedSize);
        busy.Contribute(others);
        busy.Add(records, 100, ContributedSize);

        byte[] made = Saved(Contributed(begun, options, records, 100, states)), again = Saved(busy.Contribute(same));

        Assert.Equal(made, again);
        Assert.Equal(states.Kept, same.Kept);
        if (RemembersKeys) Assert.NotEqual(made, Saved(Contributed(begun, options, records, 100, new KeptStates())));
    }

    /// <summary>Whatever bytes a key has: refused with a sentence, or learned from to numbers that are numbers.</summary>
    [Fact]
    public void Contributions_UnderDamagedStates_AreRefusedOrSound()
    {
        LearningOptions options = Contributing(Recursion.Statistics);
        if (!RemembersKeys || Learner.RefusalToScaleOut(Options(3, 2), options) is not null) return;
        Minibatch records = Records(Rows(2, ContributedRows, 43));
        Learner begun = Begun(options, records);
        var states = new KeptStates();
        Contributed(begun, options, records, 0, states);
        (string key, byte[] sound) = states.Kept.First();
        for (ulong seed = 0; seed < 200; seed++)
        {
            var chance = new SplitMix64(seed);
            byte[] damaged = seed < (ulong)sound.Length ? sound[..(int)seed] : [.. sound];
            for (int left = chance.NextInt32(3); left >= 0 && damaged.Length > 0; left--)
                damaged[chance.NextInt32(damaged.Length)] ^= (byte)(1 << chance.NextInt32(8));
            if (chance.NextInt32(4) == 0) damaged = [.. damaged, 0];
            var given = new KeptStates { Kept = new(states.Kept) { [key] = damaged } };
            try
            {
                Contribution made = Contributed(begun, options, records, 100, given);
                using var stream = new MemoryStream(Saved(made));
                Contribution.Load(new BinaryReader(stream));
            }
            catch (InvalidDataException failure)
            {
                Assert.NotEmpty(failure.Message);
                // Of a minibatch that was refused nothing is known.
                Assert.Equal(damaged, given.Kept[key]);
            }
        }
    }

    private bool RemembersKeys => Create(3, 2).CreateMemory(1) is not null;

    private static LearningOptions Contributing(Recursion recursion) => new()
    {
        Recursion = recursion,
        MinibatchSize = ContributedSize,
        Learn = LearnMode.Always,
        DeadComponents = DeadComponents.Keep,
        Initialization = new() { Buffer = 250, NInit = 1 },
    };

    private Learner Begun(LearningOptions options, Minibatch records)
    {
        var learner = new Learner(Options(3, 2), Schema(2), options);
        learner.Add(records, 0, options.Initialization.Buffer);
        Assert.True(learner.TryBegin(flush: false));
        return learner;
    }

    private Learner Copy(Learner learner, LearningOptions options)
    {
        var copy = new Learner(Options(3, 2), Schema(2), options);
        copy.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        return copy;
    }

    private Contribution Contributed(Learner learner, LearningOptions options, Minibatch records, int first, KeptStates states)
    {
        Learner worker = Copy(learner, options);
        worker.Add(records, first, Math.Min(ContributedSize, records.Count - first));
        return worker.Contribute(states);
    }

    private static byte[] Saved(Contribution contribution)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) contribution.Save(writer);
        return stream.ToArray();
    }
}
