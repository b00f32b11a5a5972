using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Records of many devices in turn, each a sequence without end, of which the model remembers where it stands.</summary>
public sealed class KeyedLearnerTests
{
    private static readonly RecordSchema Schema = new() { Features = ["x"], Key = "device" };
    private static readonly LearningOptions Options = new()
    {
        MinibatchSize = 40,
        Recursion = Recursion.Statistics,
        Standardize = false,
        AnomalyHalfLife = 1e4,
        Initialization = new() { Buffer = 100, NInit = 1 },
    };

    /// <summary>
    /// Density and score of every row, and the mean of every minibatch, as walks kept by hand have them: with a device's last value, or
    /// none where others took its place.
    /// </summary>
    [Theory]
    [InlineData(9, 40)]
    [InlineData(60, 40)]
    [InlineData(41, 40)]
    public void Learn_DevicesInTurn_RemembersEachWhileThereIsRoom(int devices, int slots)
    {
        Minibatch records = Walks(2000, devices, 1);
        var learner = new Learner(RandomWalkOptions.Of(slots), Schema, Options, Given(0.3));
        var walks = new Remembered(slots);
        double expected = double.NaN;
        int evicted = 0;
        learner.BeforeUpdate = (rows, session) =>
        {
            double variance = session.Scorer.Learned.Parameters[0];
            double[] densities = new double[rows.Count], steps = new double[rows.Count];
            session.Score(rows, densities, steps, new double[rows.Count]);
            expected = 0;
            for (int row = 0; row < rows.Count; row++)
            {
                (double density, double step) = walks.Next(rows.Texts!.Find(rows.Key(row))!, rows.Row(row)[0], variance);
                Assert.Equal(density, densities[row], 1e-12 * Math.Max(1, Math.Abs(density)));
                Assert.Equal(step, steps[row], 1e-12);
                expected += density / rows.Count;
            }
            evicted = walks.Evicted;
        };
        for (int row = 0; row < records.Count; row += 40)
        {
            Streams.Feed(learner, records, row, 40);
            Assert.Equal(expected, Streams.Snapshot(learner).Training.MeanLogLikelihood, 1e-11);
        }
        LearnedModel learned = Streams.Snapshot(learner);
        Assert.InRange(learned.Parameters[0], 0.2, 0.3);
        Assert.Equal(devices > slots, evicted > 0);
        if (evicted == 0) Assert.Empty(learned.Training.Warnings);
        else
        {
            ModelWarning warning = Assert.Single(learned.Training.Warnings);
            Assert.Equal(ModelWarningKind.EvictedKeys, warning.Kind);
            Assert.Equal($"{evicted} key(s) were forgotten to make room for others; max_keys is {slots}.", warning.Text);
        }
    }

    /// <summary>While all keys have room, another number of them that is remembered changes nothing.</summary>
    [Theory]
    [InlineData(45)]
    [InlineData(500)]
    public void ChangeModel_OtherMaxKeys_RemembersWhatItHasRoomFor(int slots)
    {
        Minibatch records = Walks(2000, 45, 3);
        var same = new Learner(RandomWalkOptions.Of(60), Schema, Options, Given(0.3));
        var changed = new Learner(RandomWalkOptions.Of(60), Schema, Options, Given(0.3));
        foreach (Learner learner in (Learner[])[same, changed]) Streams.Feed(learner, records, 0, 1000);

        changed = changed.ChangeModel(RandomWalkOptions.Of(slots), Schema, Options);
        foreach (Learner learner in (Learner[])[same, changed]) Streams.Feed(learner, records, 1000, 1000);

        Assert.Equal(Streams.Snapshot(same).Parameters.ToArray(), Streams.Snapshot(changed).Parameters.ToArray());
        Assert.Equal(
            Streams.Snapshot(same).Training.MeanLogLikelihood, Streams.Snapshot(changed).Training.MeanLogLikelihood);
    }

    [Fact]
    public void Learn_FewerKeysThanRowsOfAMinibatch_IsGivenAsMany()
    {
        var learner = new Learner(RandomWalkOptions.Of(3), Schema, Options, Given(0.3));
        Streams.Feed(learner, Walks(400, 40, 2), 0, 400);
        Assert.Empty(Streams.Snapshot(learner).Training.Warnings);
    }

    [Theory]
    [InlineData(60, 40)]
    [InlineData(9, 200)]
    public void SaveAndLoad_AtAnyRecord_ContinuesToTheSameBytes(int devices, int slots)
    {
        Minibatch records = Walks(500, devices, 3);
        Learner Fresh() => new(RandomWalkOptions.Of(slots), Schema, Options);
        byte[] uninterrupted = Streams.State(Streams.Learn(RandomWalkOptions.Of(slots), Options, records, schema: Schema));
        foreach (int stop in (int[])[1, 39, 99, 100, 101, 140, 333, 480])
        {
            Learner first = Fresh(), second = Fresh();
            Streams.Feed(first, records, 0, stop);
            second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
            Assert.Equal(Streams.State(first), Streams.State(second));
            Streams.Feed(second, records, stop, records.Count - stop);
            while (second.TryUpdate(flush: true)) { }
            Assert.Equal(uninterrupted, Streams.State(second));
        }
    }

    [Fact]
    public void Learn_BeforeUpdateOrNot_GivesTheSameBytes()
    {
        Minibatch records = Walks(400, 60, 4);
        Learner watched = new(RandomWalkOptions.Of(40), Schema, Options), plain = new(RandomWalkOptions.Of(40), Schema, Options);
        watched.BeforeUpdate = (rows, session) =>
            session.Score(rows, new double[rows.Count], new double[rows.Count], new double[rows.Count]);
        Streams.Feed(watched, records, 0, 400);
        Streams.Feed(plain, records, 0, 400);
        Assert.Equal(Streams.State(plain), Streams.State(watched));
    }

    [Fact]
    public void Session_BatchAfterBatch_GoesOnWhereAScorerStandsAlone()
    {
        Minibatch records = Walks(300, 7, 5);
        LearnedModel learned = Streams.Snapshot(Streams.Learn(RandomWalkOptions.Of(50), Options, records, schema: Schema));
        var scorer = new Scorer(learned);
        double[] whole = new double[300], parts = new double[300], steps = new double[300];
        scorer.Score(records, whole, steps, new double[300]);
        // Values of a device and their differences, whatever came between.
        Assert.Equal(records.Row(299)[0] - records.Row(Previous(records, 299))[0], steps[299], 1e-12);
        var session = new ScoreSession(scorer);
        for (int first = 0; first < 300; first += 30)
        {
            Minibatch part = new(1);
            part.Append(records, first, 30);
            session.Score(part, parts.AsSpan(first, 30), new double[30], new double[30]);
        }
        Assert.Equal(whole, parts);
        double[] again = new double[30];
        Minibatch alone = new(1);
        alone.Append(records, 270, 30);
        scorer.Score(alone, again, new double[30], new double[30]);
        Assert.NotEqual(whole[270..], again);
        // Fewer slots than keys in a batch: it is cut into parts, and who loses its place begins anew.
        var narrow = new ScoreSession(new Scorer(learned with { Options = RandomWalkOptions.Of(2) }));
        double[] narrowed = new double[300];
        narrow.Score(records, narrowed, new double[300], new double[300]);
        Assert.Contains(Enumerable.Range(0, 300), row => whole[row] != narrowed[row]);
        Assert.All(narrowed, density => Assert.True(double.IsFinite(density)));
    }

    [Fact]
    public void Score_StandardisedModel_GivesStepsInTheUsersUnits()
    {
        Minibatch records = Walks(400, 7, 6), scaled = new(1, texts: records.Texts);
        for (int row = 0; row < 400; row++) scaled.Add([1000 + 50 * records.Row(row)[0]], key: records.Key(row));
        LearnedModel learned =
            Streams.Snapshot(Streams.Learn(RandomWalkOptions.Of(50), Options with { Standardize = true }, scaled, schema: Schema));
        Assert.NotEqual(1, learned.Space.Scale[0]);
        double[] steps = new double[400];
        new Scorer(learned).Score(scaled, new double[400], steps, new double[400]);
        for (int row = 50; row < 400; row++) Assert.Equal(scaled.Row(row)[0] - scaled.Row(Previous(scaled, row))[0], steps[row], 1e-9);
        Assert.InRange(learned.Parameters[0], 0.2 * 2500, 0.3 * 2500);
        Assert.Equal(["log_density", "step", "anomaly_score"], learned.Outputs);
        Assert.Empty(learned.ComponentIds);
    }

    [Fact]
    public void Batch_OverDevices_IsTheMeanOfTheSquaresOfTheirSteps()
    {
        Minibatch records = Walks(1000, 13, 7);
        BatchFit fit = BatchFit.Run(RandomWalkOptions.Of(5), Schema, Options, records, new BatchEmOptions());
        double[] squares = [.. Enumerable.Range(0, 1000).Where(row => Previous(records, row) >= 0)
            .Select(row => Math.Pow(records.Row(row)[0] - records.Row(Previous(records, row))[0], 2))];
        Assert.Equal(1000 - 13, squares.Length);
        Assert.Equal(squares.Average(), fit.Learned.Parameters[0], 1e-12);
    }

    private static InitialParameters Given(double variance) =>
        new(new Dictionary<string, double[]>(StringComparer.Ordinal) { ["variances"] = [variance] });

    private static int Previous(Minibatch records, int row)
    {
        int before = row - 1;
        while (before >= 0 && records.Key(before) != records.Key(row)) before--;
        return before;
    }

    /// <summary>Walks of variance 1/4, devices in random turn.</summary>
    private static Minibatch Walks(int count, int devices, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var texts = new TextTable();
        var records = new Minibatch(1, count, texts);
        double[] at = [.. Enumerable.Range(0, devices).Select(_ => Gaussians.Normal(chance))];
        for (int row = 0; row < count; row++)
        {
            int device = row < devices ? row : chance.NextInt32(devices);
            at[device] += 0.5 * Gaussians.Normal(chance);
            records.Add([at[device]], key: texts.Number($"device {device}"));
        }
        return records;
    }

    /// <summary>The last value of the devices met last.</summary>
    private sealed class Remembered(int slots)
    {
        private readonly List<(string Device, double Value)> _last = [];

        public int Evicted { get; private set; }

        public (double Density, double Step) Next(string device, double value, double variance)
        {
            int at = _last.FindIndex(item => item.Device == device);
            bool begins = at < 0;
            double step = begins ? 0 : value - _last[at].Value, taken = begins ? value : step, spread = begins ? 1 : variance;
            if (!begins) _last.RemoveAt(at);
            else if (_last.Count == slots)
            {
                _last.RemoveAt(0);
                Evicted++;
            }
            _last.Add((device, value));
            return (-0.5 * (Math.Log(2 * Math.PI * spread) + taken * taken / spread), step);
        }
    }
}
