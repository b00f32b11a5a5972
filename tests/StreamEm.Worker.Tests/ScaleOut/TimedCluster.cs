using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What is told of a state in the model topic.</summary>
/// <param name="Position">Where the partitions stand.</param>
/// <param name="Next">The offset of the next message.</param>
/// <param name="Version">The version of its parameters.</param>
/// <param name="Learner">Its parameters, where there are any.</param>
internal sealed record TimedState(SourcePosition Position, long Next, long Version, Learner? Learner = null);

/// <summary>What is learned in a <see cref="TimedCluster"/>.</summary>
internal interface ITimedModel
{
    /// <summary>The version of the parameters.</summary>
    long Version { get; }

    /// <summary>What a range says under a state.</summary>
    StatisticsMessage Contribute(TimedState known, RecordRange range);

    /// <summary>Folds a message.</summary>
    Verdict Take(long offset, StatisticsMessage message);

    /// <summary>The state.</summary>
    TimedState Publish();
}

/// <summary>
/// Workers, each with a partition of its own, and one that folds, on one thread in a time that is only counted: who works how long, and
/// what waits for what, is as in the worker; the costs are given. So a thousand workers are tried in a second, and twice the same.
/// </summary>
internal sealed class TimedCluster
{
    public const int MinibatchSize = 50;

    private readonly ClusterCosts _costs;
    private readonly ITimedModel _model;
    private readonly Random _random;
    private readonly PriorityQueue<Action, (double Time, long Order)> _events = new();
    private readonly List<StatisticsMessage> _log = [];
    private readonly Worker[] _workers;
    private readonly Queue<Worker> _waiting = new();
    private TimedState _visible;
    private readonly double _slowest;
    private double _now, _waited;
    private long _order, _next, _unpublished, _staleness, _folded;
    private bool _isFolding;

    /// <param name="costs">What the parts take.</param>
    /// <param name="workers">How many there are.</param>
    /// <param name="model">What is learned.</param>
    /// <param name="seed">Of chance.</param>
    /// <param name="inFlight">Minibatches of each that may be under way.</param>
    /// <param name="slowest">How many times as long as the others the first worker takes.</param>
    public TimedCluster(ClusterCosts costs, int workers, ITimedModel model, int seed, int inFlight = 2, double slowest = 1)
    {
        (_costs, _model, _random, _slowest) = (costs, model, new Random(seed), slowest);
        _visible = model.Publish();
        _workers = [.. Enumerable.Range(0, workers).Select(number => new Worker(number, inFlight))];
        // Nobody begins at the same moment as another.
        foreach (Worker worker in _workers) At(costs.PerWorker * _random.NextDouble(), () => Begin(worker));
    }

    /// <summary>Messages folded a second, since <see cref="Forget"/>.</summary>
    public double Rate => _folded / (_now - Since);

    /// <summary>The mean of the versions made while a contribution was under way.</summary>
    public double Staleness => (double)_staleness / _folded;

    /// <summary>The most of them.</summary>
    public long LargestStaleness { get; private set; }

    /// <summary>The share of their time that workers waited for room.</summary>
    public double Waiting => _waited / ((_now - Since) * _workers.Length);

    /// <summary>States published a second.</summary>
    public double StatesRate => Published / (_now - Since);

    /// <summary>Messages that did not count in full.</summary>
    public long NotInFull { get; private set; }

    /// <summary>Times that a worker began anew, since a message of its was not counted.</summary>
    public long BegunAnew { get; private set; }

    private double Since { get; set; }

    private long Published { get; set; }

    /// <summary>Counts anew from now on.</summary>
    public void Forget()
    {
        (Since, _folded, _staleness, LargestStaleness, Published, _waited) = (_now, 0, 0, 0, 0, 0);
        foreach (Worker worker in _workers) worker.WaitsSince = Math.Max(worker.WaitsSince, _now);
    }

    /// <summary>Goes on until the model has so many versions.</summary>
    public void RunTo(long version)
    {
        while (_model.Version < version)
        {
            Action next = _events.TryDequeue(out Action? action, out (double Time, long) at) ? action
                : throw new InvalidOperationException("Everybody waits.");
            _now = at.Time;
            next();
        }
    }

    /// <summary>Records of the first worker that are in the model.</summary>
    public long StandsAtSlowest => StandsAt(_workers[0]);

    private long StandsAt(Worker worker) => _visible.Position.Partitions.GetValueOrDefault(worker.Partition)?.Next ?? 0;

    private void At(double time, Action action) => _events.Enqueue(action, (time, _order++));

    /// <summary>A worker cuts its next minibatch, once there is room for it.</summary>
    private void Begin(Worker worker)
    {
        if (worker.InFlight.Look(_visible.Position, _visible.Next, version: 0))
        {
            BegunAnew++;
            worker.InFlight.Clear();
            (worker.Next, worker.IsAgain) = (StandsAt(worker), true);
        }

        if (!worker.InFlight.HasRoom(worker.Partition))
        {
            worker.WaitsSince = _now;
            _waiting.Enqueue(worker);
            return;
        }

        TimedState known = _visible;
        long from = worker.Next;
        var range = new RecordRange(worker.Partition, from, worker.Next = from + MinibatchSize);
        // Records differ, and machines do.
        double minibatch = (worker == _workers[0] ? _slowest : 1) * _costs.Minibatch * (0.9 + 0.2 * _random.NextDouble());
        double taken = minibatch + (known == worker.Known ? 0 : _costs.Restore);
        worker.Known = known;
        At(_now + taken, () =>
        {
            Action<long> written = worker.InFlight.Add(range);
            StatisticsMessage message = _model.Contribute(known, range) with { IsAgain = worker.IsAgain };
            At(_now + _costs.Broker, () =>
            {
                written(_log.Count);
                _log.Add(message);
                if (!_isFolding) Fold();
            });
            Begin(worker);
        });
    }

    /// <summary>The next message, or the state that all of them gave.</summary>
    private void Fold()
    {
        bool isAtHand = _next < _log.Count;
        if (_unpublished >= Reduction.Batch || (_unpublished > 0 && !isAtHand)) Publish();
        else if (isAtHand)
        {
            _isFolding = true;
            StatisticsMessage message = _log[(int)_next];
            double version = (_model.Version + 1) % _costs.SnapshotEvery == 0 ? _costs.Version : 0;
            At(_now + _costs.Fold + version, () =>
            {
                long stale = _model.Version - message.BaseVersion;
                if (_model.Take(_next++, message) != Verdict.Accepted) NotInFull++;
                (_unpublished, _folded, _staleness) = (_unpublished + 1, _folded + 1, _staleness + stale);
                LargestStaleness = Math.Max(LargestStaleness, stale);
                Fold();
            });
        }
        else _isFolding = false;
    }

    /// <summary>The reducer goes on once the broker has the state; workers see it when they have read it.</summary>
    private void Publish()
    {
        _isFolding = true;
        (_unpublished, Published) = (0, Published + 1);
        TimedState state = _model.Publish();
        At(_now + _costs.Publish + _costs.Broker, Fold);
        At(_now + _costs.Publish + _costs.Broker + _costs.Follow, () =>
        {
            _visible = state;
            for (int count = _waiting.Count; count > 0; count--)
            {
                Worker worker = _waiting.Dequeue();
                _waited += _now - worker.WaitsSince;
                Begin(worker);
            }
        });
    }

    private sealed class Worker(int number, int inFlight)
    {
        public string Partition { get; } = $"x/{number:D4}";

        public InFlight InFlight { get; } = new(inFlight);

        public long Next { get; set; }

        public bool IsAgain { get; set; }

        public TimedState? Known { get; set; }

        public double WaitsSince { get; set; }
    }
}
