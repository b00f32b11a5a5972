using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Keeps single records from blinding a model, and the first ones from deciding for ever: holds back what is too far from every component,
/// and notices when that keeps coming. What then happens is decided between minibatches, from the records alone. Part of the state.
/// </summary>
internal sealed class StreamGuard
{
    /// <summary>By how much the bound widens with every change that is only a part of the stream, and how wide it may begin.</summary>
    private const double Widening = 10, WidestFirst = 1e9;

    private readonly int _dimension;
    private readonly InfluenceBound _bound;
    private readonly ChangeWatch _watch = new();
    private readonly SleepingFeatures _sleepers;
    private readonly HeldRows _heldRows;
    private double[] _constants = [];
    private double _tied;

    /// <summary>A guard of parameters that were given: nothing sleeps.</summary>
    public StreamGuard(int dimension) =>
        (_dimension, _bound, _sleepers, _heldRows) =
            (dimension, new InfluenceBound(dimension), new SleepingFeatures(dimension), new HeldRows(dimension));

    /// <summary>A guard of parameters from the first records.</summary>
    public StreamGuard(FirstRecords first)
    {
        _dimension = first.Constants.Length;
        _bound = new InfluenceBound(_dimension);
        _heldRows = new HeldRows(_dimension);
        _sleepers = new SleepingFeatures(first.IsAsleep, first.Constants, first.Tiny);
        if (first.IsBlank) _constants = first.Constants;
    }

    /// <summary>Whether parameters are to be initialised anew from the records that come.</summary>
    public bool AwaitsAnew { get; private set; }

    /// <summary>Whether most of the last minibatch was held back.</summary>
    public bool IsBlinded { get; private set; }

    /// <summary>Whether the first records were all the same, so that the components are too.</summary>
    public bool IsBlank => _constants.Length > 0;

    /// <summary>Whether nothing is known of a feature's scale.</summary>
    public bool IsAsleep(int feature) => _sleepers.IsAsleep(feature);

    /// <summary>The features that vary by too little for a variance.</summary>
    public IEnumerable<int> TooSmall => Enumerable.Range(0, _dimension).Where(_sleepers.IsTooSmall);

    /// <summary>The values that are no measurements, and are never learned from.</summary>
    public IReadOnlyList<TiedValue> Ties => _heldRows.Ties;

    /// <summary>The share of the stream of a cluster that no component can be spared for; 0 when there is none.</summary>
    public double WaitingShare => _heldRows.WaitingShare;

    /// <summary>Begins a minibatch (user units, levels as codes).</summary>
    /// <param name="minibatch">The rows.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="worth">Observations that a component stands for.</param>
    /// <param name="unit">What weights are divided by.</param>
    public InfluenceBound Begin(Minibatch minibatch, int count, double worth, double unit)
    {
        _bound.Begin(count, worth);
        _tied = _heldRows.HoldTies(minibatch, count, _bound, unit);
        if (_sleepers.Any) _sleepers.Look(minibatch, count, _bound, unit);
        return _bound;
    }

    /// <summary>The bound as it is, for rows that nothing is learned from.</summary>
    /// <param name="count">How many.</param>
    /// <param name="worth">Observations that a component stands for.</param>
    public InfluenceBound Measure(int count, double worth)
    {
        _bound.Begin(count, worth);
        return _bound;
    }

    /// <summary>Widens the bound where it holds back as much of the first records as a stream may not be kept from learning.</summary>
    /// <param name="evidence">What they said under the bound as it is.</param>
    /// <returns>Whether it is wider now.</returns>
    public bool TryReach(Evidence evidence)
    {
        if (!(evidence.Held > 0) || evidence.Held < ChangeWatch.AwayShare * (evidence.Weight + evidence.Held)
            || _bound.Reach >= WidestFirst) return false;
        _bound.Reach *= Widening;
        return true;
    }

    /// <summary>Takes what a minibatch said.</summary>
    /// <param name="minibatch">The rows, user units.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="evidence">What they said.</param>
    /// <param name="mayStartAnew">Whether parameters may be initialised anew.</param>
    /// <param name="before">Rows of the stream before these.</param>
    public Change Take(Minibatch minibatch, int count, Evidence evidence, bool mayStartAnew, long before)
    {
        if (evidence.Held > 0) _heldRows.Take(minibatch, count, _bound, before);
        double total = evidence.Weight + evidence.Held;
        IsBlinded = evidence.Held > 0.5 * total;
        bool isHasty = IsBlank && mayStartAnew;
        if (isHasty)
        {
            (double weight, double others) = Others(minibatch, count);
            (total, evidence) = (Math.Max(total, weight), evidence with { Held = Math.Max(evidence.Held, others) });
        }
        Change change = _watch.Take(count, total, evidence, _tied, isHasty);
        if (_watch.IsQuiet) _sleepers.Forget();
        return change;
    }

    /// <summary>The space in which the features are awake that made the change; null when it is of others.</summary>
    public FeatureSpace? Awaken(FeatureSpace space, LearnerEvents happened, long update)
    {
        if (IsBlank) return null;
        var awake = new List<int>();
        FeatureSpace? result = _sleepers.Awaken(space, _watch, awake);
        if (result is null) return null;
        foreach (int d in awake) happened.Add(LearnerEventKind.FeatureAwake, update, space.Features[d].Name);
        _watch.EndRun();
        return result;
    }

    /// <summary>
    /// A cluster among the rows held back, when enough of them have come or they are a change that is only a part of the stream; null for
    /// none.
    /// </summary>
    /// <param name="change">The change.</param>
    /// <param name="model">The model.</param>
    /// <param name="space">The features.</param>
    /// <param name="parameters">Theta.</param>
    /// <param name="worth">Observations that a component stands for.</param>
    public HeldCluster? Cluster(Change change, ComponentModel model, FeatureSpace space, double[] parameters, double worth)
    {
        if (IsBlank || change is Change.Most or Change.Another || (change != Change.Part && !_heldRows.IsDue)) return null;
        return _heldRows.Look(new Standpoint(model, space, parameters, worth, _bound), change == Change.Part);
    }

    /// <summary>A cluster is learned from now on, or has to wait for a component.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="isLearned">Whether it has a component.</param>
    public void Answer(HeldCluster cluster, bool isLearned)
    {
        if (!isLearned)
        {
            _heldRows.Wait(cluster);
            return;
        }
        _watch.EndRun();
        _heldRows.Forget();
    }

    /// <summary>Answers a change of features that are awake.</summary>
    /// <param name="change">The change.</param>
    /// <param name="mayStartAnew">Whether parameters may be initialised anew.</param>
    /// <param name="state">Where the model stands: with a new level the step size begins again.</param>
    /// <param name="happened">Told.</param>
    public void Answer(Change change, bool mayStartAnew, StepwiseState state, LearnerEvents happened)
    {
        if (change == Change.Settled)
        {
            _bound.Reach = 1;
            _heldRows.MeasureTies(false);
            return;
        }
        bool isOfTies = _heldRows.Ties.Count > 0 && !_watch.AreTiesFew;
        _heldRows.Forget();
        _watch.EndRun();
        _sleepers.Forget();
        if (isOfTies)
        {
            // What was thought to stand for nothing is a part of the stream: it is looked at once more as what it is.
            _heldRows.MeasureTies(true);
            if (change == Change.Part) return;
        }
        if (mayStartAnew && (IsBlank || change == Change.Another))
        {
            AwaitsAnew = true;
            return;
        }
        _bound.Reach *= Widening;
        if (change != Change.Part) state.BeginAgain();
        happened.Add(LearnerEventKind.ChangeLearned, state.Updates);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(AwaitsAnew);
        writer.Write(IsBlinded);
        writer.Write(_bound.Reach);
        writer.WriteDoubles(_constants);
        _watch.Save(writer);
        _sleepers.Save(writer);
        _heldRows.Save(writer);
    }

    public void Load(BinaryReader reader, StateVersion version)
    {
        (AwaitsAnew, IsBlinded, _bound.Reach) = (reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadDouble());
        _constants = reader.ReadDoubles();
        if (!(_bound.Reach >= 1) || (_constants.Length != 0 && _constants.Length != _sleepers.Dimension))
            throw new InvalidDataException("The state is damaged: what holds records back is not of these features.");
        _watch.Load(reader, version);
        _sleepers.Load(reader);
        if (version >= StateVersion.Held) _heldRows.Load(reader);
    }

    /// <summary>Throws unless what is held is of these features.</summary>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    public void Check(FeatureSpace space) => _heldRows.Check(space);

    /// <summary>Takes over what another guard of the same features knows.</summary>
    public void CopyFrom(StreamGuard other)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        Load(reader, StateVersion.Current);
    }

    /// <summary>Weight of the rows, and of those among them that are other than the first records.</summary>
    private (double Total, double Others) Others(Minibatch rows, int count)
    {
        double total = 0, others = 0;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = rows.Row(row);
            bool isOther = false;
            for (int d = 0; d < values.Length && !isOther; d++)
                isOther = double.IsNaN(values[d]) ? !double.IsNaN(_constants[d]) : FirstRecords.IsOff(values[d], _constants[d]);
            total += rows.Weight(row);
            if (isOther) others += rows.Weight(row);
        }
        return (total, others);
    }
}
