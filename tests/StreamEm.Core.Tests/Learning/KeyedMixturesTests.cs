using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Mixtures of many keys on one machine, against one machine for each.</summary>
public sealed class KeyedMixturesTests
{
    private const int Keys = 5;

    [Theory]
    [InlineData(LearnMode.Bounded, 1)]
    [InlineData(LearnMode.Bounded, 3)]
    [InlineData(LearnMode.Gated, 1)]
    [InlineData(LearnMode.Frozen, 2)]
    public void Take_OfKeysThatTakeTurns_SaysWhatEachAloneWouldSay(LearnMode learn, int dimension)
    {
        LearningOptions learning = Learning(learn);
        var keyed = new KeyedMixtures(Options(), RecordSchema.OfNumbers(dimension), learning, new States());
        GrowingMixture[] alone = [.. Enumerable.Range(0, Keys).Select(_ => Alone(dimension, learning))];
        Minibatch[] first = [.. alone.Select(_ => new Minibatch(dimension))];
        var random = new Random(11);
        int scored = 0;
        for (int at = 0; at < 12_000; at++)
        {
            int key = random.Next(Keys);
            double[] row = Row(random, key, dimension, at);
            KeyedScore said = keyed.Take($"k{key}", row, learns: true);
            (double p, double novelty) = Step(alone[key], first[key], row);
            Assert.Equal((p, novelty), (said.PValue, said.NoveltyPValue));
            if (!double.IsNaN(p)) scored++;
        }
        Assert.True(scored > 10_000);
    }

    [Fact]
    public void State_OfOneFeatureAndEightComponents_IsLessThanFourKilobytes()
    {
        var states = new States();
        var keyed = new KeyedMixtures(Options(), RecordSchema.OfNumbers(1), Learning(LearnMode.Bounded), states);
        var random = new Random(5);
        int largest = 0;
        for (int at = 0; at < 100_000; at++)
        {
            // Every component there can be, faults in quarantine, and scores in every bin.
            double tail = Math.Exp(6 * random.NextDouble()) * (random.Next(2) == 0 ? -1 : 1);
            keyed.Take("k", [10 * random.Next(12) + random.NextDouble() + (random.Next(50) == 0 ? tail : 0)], learns: true);
            if (at % 1000 != 0) continue;
            keyed.Flush();
            largest = Math.Max(largest, states.Read("k").Length);
        }
        Assert.InRange(largest, 500, 4 * 1024);
    }

    [Fact]
    public void Take_InSteadyState_AllocatesNothing()
    {
        var keyed = new KeyedMixtures(Options(), RecordSchema.OfNumbers(1), Learning(LearnMode.Bounded), new States());
        var random = new Random(6);
        string[] keys = ["a", "b", "c"];
        double[] row = new double[1];
        void Feed(int count)
        {
            for (int at = 0; at < count; at++)
            {
                row[0] = random.NextDouble() * (at % 3 + 1);
                keyed.Take(keys[at % 3], row, learns: true);
            }
        }
        Feed(30_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Feed(3000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3000);
    }

    [Fact]
    public void Read_OfBytesThatAreDamaged_IsRefusedOrHarmless()
    {
        var states = new States();
        var keyed = new KeyedMixtures(Options(), RecordSchema.OfNumbers(2), Learning(LearnMode.Bounded), states);
        var random = new Random(7);
        for (int at = 0; at < 900; at++) keyed.Take("k", Row(random, 0, 2, at), learns: true);
        keyed.Judge("k", [500, 500], isNormal: false);
        keyed.Flush();
        byte[] whole = states.Read("k").ToArray();
        for (int length = 1; length < whole.Length; length += 3)
        {
            states.Set("k", whole[..length]);
            Assert.Throws<InvalidDataException>(
                () => new KeyedMixtures(Options(), RecordSchema.OfNumbers(2), Learning(LearnMode.Bounded), states).Describe("k"));
        }
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 + random.Next(255));
            states.Set("k", damaged);
            try
            {
                new KeyedMixtures(Options(), RecordSchema.OfNumbers(2), Learning(LearnMode.Bounded), states).Describe("k");
            }
            catch (InvalidDataException)
            {
                // Refused; what is only another number may pass.
            }
        }
    }

    [Fact]
    public void Describe_SaysWhereAKeyStands_InTheUsersUnits()
    {
        var keyed = new KeyedMixtures(Options(), RecordSchema.OfNumbers(1), Learning(LearnMode.Bounded), new States());
        var random = new Random(8);
        Assert.Null(keyed.Describe("k"));
        void Feed(int count)
        {
            for (int at = 0; at < count; at++) keyed.Take("k", [1000 + 5 * (random.NextDouble() + random.NextDouble() - 1)], learns: true);
        }
        Feed(99);
        Assert.Equal(("warming_up", 99), (keyed.Describe("k")!.Status, (int)keyed.Describe("k")!.Records));
        Feed(1);
        Assert.Equal("calibrating", keyed.Describe("k")!.Status);
        Feed(900);

        KeySummary summary = keyed.Describe("k")!;

        Assert.Equal(("learning", 1000), (summary.Status, (int)summary.Records));
        Assert.Equal(1000, summary.Components.Sum(component => component.Weight * component.Mean[0]), 0.5);
        Assert.All(summary.Components, component => Assert.InRange(component.StandardDeviation[0], 0.01, 5));
    }

    private static (double PValue, double Novelty) Step(GrowingMixture alone, Minibatch first, double[] row)
    {
        if (alone.Records > 0)
        {
            GrowingScore score = alone.Step(row);
            return (score.PValue, score.NoveltyPValue);
        }
        first.Add(row);
        if (first.Count < GrowingMixture.FirstRows) return (double.NaN, double.NaN);
        alone.Start(first);
        for (int at = 0; at < first.Count; at++) alone.Step(first.Row(at));
        return (double.NaN, double.NaN);
    }

    private static double[] Row(Random random, int key, int dimension, int at) =>
        [.. Enumerable.Range(0, dimension).Select(d => random.Next(40) == 0 && dimension > 1 ? double.NaN
            : 100 * key + (key + 1) * random.NextDouble() + (key == 2 && at > 9000 ? 50 : 0) + (random.Next(300) == 0 ? 30 : 0))];

    private static LearningOptions Learning(LearnMode learn) =>
        new() { Learn = learn, FreezeAfter = learn == LearnMode.Frozen ? 500 : null };

    private static GrowingMixture Alone(int dimension, LearningOptions learning) =>
        new(dimension, Options().Growth!, LearnerCore.GuardOf(learning));

    private static LatentModelOptions Options() => Gaussians.Mixture(8) with { Growing = new GrowthOptions() };

    private sealed class States : KeyStates
    {
        private readonly Dictionary<string, (byte[] Bytes, int Length)> _of = new(StringComparer.Ordinal);

        public void Set(string key, byte[] state) => _of[key] = (state, state.Length);

        public override ReadOnlySpan<byte> Read(string key) =>
            _of.TryGetValue(key, out (byte[] Bytes, int Length) state) ? state.Bytes.AsSpan(0, state.Length) : default;

        public override void Write(string key, ReadOnlySpan<byte> state)
        {
            byte[] bytes = _of.TryGetValue(key, out (byte[] Bytes, int Length) known) && known.Bytes.Length >= state.Length
                ? known.Bytes
                : new byte[state.Length + 256];
            state.CopyTo(bytes);
            _of[key] = (bytes, state.Length);
        }
    }
}
