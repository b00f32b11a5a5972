using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>
/// Workers, a log and reducers on one thread, with every step chosen by a seed: messages that are lost, come twice, late or damaged,
/// workers and reducers that crash, partitions that go from one worker to another that still believes to have them; where asked for, a log
/// that loses its end.
/// </summary>
internal sealed class SimulatedCluster
{
    public const int Partitions = 3, Records = 120, Size = 10;
    private const int Workers = 3, InFlightEach = 2;

    private readonly Random _random;
    private readonly bool _isCut;
    private readonly List<byte[]> _log = [];
    private readonly List<(byte[] Message, Action<long> Written)> _late = [];
    private readonly List<Checkpoint> _states = [];
    private readonly ModelStates _known = new();
    private readonly SimulatedWorker[] _workers;
    private Reduction _reduction;

    public SimulatedCluster(int seed, bool isCut = false)
    {
        (_random, _isCut) = (new Random(seed), isCut);
        _reduction = Reduction.Begin(Options, Start(), next: 0, TimeProvider.System);
        Publish();
        _workers = [.. Enumerable.Range(0, Workers).Select(_ => new SimulatedWorker(_states[0]))];
        Rebalance();
    }

    /// <summary>One component and steps 1 / t: the mean says whether every record counts once, in whatever order.</summary>
    public static ModelOptions Options { get; } = new()
    {
        Id = "clouds",
        Source = new StdinSourceOptions(),
        Schema = new RecordSchema { Features = ["x"] },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 1),
        Learning = new LearningOptions
        {
            MinibatchSize = Size,
            Learn = LearnMode.Always,
            DeadComponents = DeadComponents.Keep,
            StepSize = new() { Kappa = 1, T0 = 0 },
        },
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "statistics", ModelTopic = "model", InFlight = InFlightEach },
        ConfigHash = "sha256:test",
    };

    public Checkpoint Newest => _states[^1];

    public IReadOnlyList<byte[]> Log => _log;

    public Checkpoint First => _states[0];

    /// <summary>The mean of all records.</summary>
    public static double Mean => Enumerable.Range(0, Partitions).Average(p => Enumerable.Range(0, Records).Average(n => ValueOf(p, n)));

    /// <summary>Runs until every record is in the model; faults end after a while.</summary>
    public void Run()
    {
        for (int step = 0; Newest.Position.Partitions.Values.Sum(place => place.Next) < Partitions * Records; step++)
        {
            Assert.True(step < 100_000, "not all records are in the model");
            Step(hasFaults: step < 400);
        }
    }

    private void Step(bool hasFaults)
    {
        SimulatedWorker worker = _workers[_random.Next(Workers)];
        int chance = _random.Next(100);
        if (hasFaults && chance < 4) worker.Begin(Seen(), worker.Partitions);
        else if (hasFaults && chance < 7) Rebalance();
        else if (hasFaults && chance < 10) _reduction = Reduction.Restore(Options, Seen());
        else if (_isCut && hasFaults && chance < 12)
        {
            Cut();
            Fold();
        }
        else if (chance < 40) Fold();
        else if (chance < 50) worker.Look(Newest);
        else if (chance < 55 && _late.Count > 0)
        {
            _log.Add(_late[0].Message);
            _late[0].Written(_log.Count - 1);
            _late.RemoveAt(0);
        }
        else if (worker.TryCut(_random) is var (message, written)) Transmit(message, written, hasFaults);
    }

    /// <summary>A state that a worker may still believe to be the newest.</summary>
    private Checkpoint Seen() => _states[_random.Next(Math.Max(0, _states.Count - 4), _states.Count)];

    /// <summary>Every partition to some worker; those that had it do not hear of it at once.</summary>
    private void Rebalance()
    {
        var partitions = Enumerable.Range(0, Partitions).ToLookup(_ => _random.Next(Workers));
        for (int at = 0; at < Workers; at++)
            if (partitions[at].Any() || _random.Next(2) == 0) _workers[at].Begin(Seen(), [.. partitions[at]]);
    }

    private void Transmit(byte[] message, Action<long> written, bool hasFaults)
    {
        int fault = hasFaults ? _random.Next(20) : 20;
        // Acknowledged and lost: what a torn transaction leaves.
        if (fault == 0) written(_log.Count - 1);
        else if (fault == 1) _late.Add((message, written));
        else
        {
            _log.Add(fault == 2 ? Damaged(message) : message);
            written(_log.Count - 1);
            if (fault == 3) _log.Add(message);
        }
    }

    /// <summary>The log ends before what the model has of it, or is another one.</summary>
    private void Cut()
    {
        int end = _random.Next(3) == 0 ? 0 : _random.Next((int)Math.Min(_reduction.Next, _log.Count) + 1);
        _log.RemoveRange(end, _log.Count - end);
    }

    private void Fold()
    {
        // It hears that another found a cut.
        if (Newest.StatisticsCuts > _reduction.Cuts) _reduction = Reduction.Restore(Options, Newest);
        if (_reduction.Next > _log.Count) _reduction.PassCut(_log.Count);
        int count = _random.Next(1, 4);
        for (; count > 0 && _reduction.Next < _log.Count; count--)
            _reduction.Take(_reduction.Next, _log[(int)_reduction.Next], DateTimeOffset.UnixEpoch);
        if (_reduction.Unpublished > 0) Publish();
    }

    private void Publish()
    {
        Checkpoint state = CheckpointFile.Decode(CheckpointFile.Encode(_reduction.Capture(DateTimeOffset.UnixEpoch)));
        // A reducer that was replaced says nothing new.
        if (_known.Take(CheckpointFile.Encode(state))) _states.Add(state);
    }

    private byte[] Damaged(byte[] message)
    {
        byte[] damaged = [.. message];
        damaged[_random.Next(damaged.Length)] ^= 1;
        return damaged;
    }

    public static double ValueOf(int partition, int record) => 100 * partition + record % 17 + 0.25 * record;

    private static Learner Start() => new(Options.Model, Options.Schema, Options.Learning,
        new InitialParameters(new Dictionary<string, double[]>(StringComparer.Ordinal)
        {
            ["weights"] = [1],
            ["means"] = [5],
            ["covariances"] = [4],
        }));
}

/// <summary>One worker: what it believes to have, to know and to have sent.</summary>
internal sealed class SimulatedWorker(Checkpoint state)
{
    private readonly InFlight _inFlight = new(2);
    private readonly Dictionary<int, long> _next = [];
    private readonly Guid _id = Guid.CreateVersion7();
    private Checkpoint _known = state;

    public int[] Partitions { get; private set; } = [];

    public void Begin(Checkpoint state, int[] partitions)
    {
        (_known, Partitions) = (state, partitions);
        _inFlight.Clear();
        _next.Clear();
        foreach (int partition in partitions) _next[partition] = state.Position.Partitions.GetValueOrDefault(Name(partition))?.Next ?? 0;
    }

    public void Look(Checkpoint state)
    {
        _known = state;
        if (_inFlight.Look(state.Position, state.StatisticsNext ?? 0, state.Updates, state.StatisticsCuts ?? 0)) Begin(state, Partitions);
    }

    public (byte[] Message, Action<long> Written)? TryCut(Random random)
    {
        int[] ready = [.. Partitions.Where(p => _next[p] < SimulatedCluster.Records && _inFlight.HasRoom(Name(p)))];
        if (ready.Length == 0) return null;
        int partition = ready[random.Next(ready.Length)];
        long from = _next[partition], to = Math.Min(from + SimulatedCluster.Size, SimulatedCluster.Records);
        Learner learner = StateRestore.Learner(SimulatedCluster.Options, _known, binding: null);
        var rows = new Minibatch(1);
        for (long record = from; record < to; record++) rows.Add([SimulatedCluster.ValueOf(partition, (int)record)]);
        learner.Add(rows, 0, rows.Count);
        var range = new RecordRange(Name(partition), from, to);
        var message = new StatisticsMessage
        {
            ModelId = _known.ModelId,
            RunId = _known.RunId,
            Worker = _id,
            Sequence = 1,
            BaseVersion = _known.Updates,
            Range = range,
            Begins = from == 0,
            Read = to - from,
            Rejected = [],
            Contribution = learner.Contribute(),
        };
        _next[partition] = to;
        return (message.Encode(), _inFlight.Add(range));
    }

    private static string Name(int partition) => $"x/{partition}";
}
