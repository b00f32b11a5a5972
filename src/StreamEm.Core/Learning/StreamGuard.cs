using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Keeps single records from blinding a model, and the first ones from deciding for ever: holds back what is too far from every component,
/// and notices when that keeps coming. What then happens is decided between minibatches, from the records alone. Part of the state.
/// </summary>
internal sealed class StreamGuard
{
    /// <summary>By how much the bound widens with every change that is only a part of the stream.</summary>
    private const double Widening = 10;

    private readonly InfluenceBound _bound;
    private readonly ChangeWatch _watch = new();
    private readonly SleepingFeatures _sleepers;
    private double[] _constants = [];

    /// <summary>A guard of parameters that were given: nothing sleeps.</summary>
    public StreamGuard(int dimension) => (_bound, _sleepers) = (new InfluenceBound(dimension), new SleepingFeatures(dimension));

    /// <summary>A guard of parameters from the first records.</summary>
    public StreamGuard(FirstRecords first)
    {
        _bound = new InfluenceBound(first.Constants.Length);
        _sleepers = new SleepingFeatures(first.IsAsleep, first.Constants);
        if (first.IsBlank) _constants = first.Constants;
    }

    /// <summary>Whether parameters are to be initialised anew from the records that come.</summary>
    public bool AwaitsAnew { get; private set; }

    /// <summary>Whether most of the last minibatch was held back.</summary>
    public bool IsBlinded { get; private set; }

    /// <summary>Whether the first records were all the same, so that the components are too.</summary>
    private bool IsBlank => _constants.Length > 0;

    /// <summary>Whether nothing is known of a feature's scale.</summary>
    public bool IsAsleep(int feature) => _sleepers.IsAsleep(feature);

    /// <summary>Begins a minibatch (user units, levels as codes).</summary>
    /// <param name="minibatch">The rows.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="worth">Observations that a component stands for.</param>
    /// <param name="unit">What weights are divided by.</param>
    public InfluenceBound Begin(Minibatch minibatch, int count, double worth, double unit)
    {
        _bound.Begin(count, worth);
        if (_sleepers.Any) _sleepers.Look(minibatch, count, _bound, unit);
        return _bound;
    }

    /// <summary>Takes what a minibatch said.</summary>
    /// <param name="minibatch">The rows, user units.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="evidence">What they said.</param>
    /// <param name="mayStartAnew">Whether parameters may be initialised anew.</param>
    /// <param name="unit">What the weights of the evidence are in, against those of the rows.</param>
    public Change Take(Minibatch minibatch, int count, Evidence evidence, bool mayStartAnew, double unit)
    {
        double total = evidence.Weight + evidence.Held, held = evidence.Held;
        IsBlinded = held > 0.5 * total;
        bool isHasty = IsBlank && mayStartAnew;
        if (isHasty)
        {
            (double weight, double others) = Others(minibatch, count);
            (total, held) = (Math.Max(total, weight / unit), Math.Max(held, others / unit));
        }
        Change change = _watch.Take(count, total, held, evidence.Far, isHasty);
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

    /// <summary>Answers a change of features that are awake.</summary>
    public void Answer(Change change, bool mayStartAnew, LearnerEvents happened, long update)
    {
        if (change == Change.Settled)
        {
            _bound.Reach = 1;
            return;
        }
        _watch.EndRun();
        _sleepers.Forget();
        if (mayStartAnew && (IsBlank || change == Change.Most))
        {
            AwaitsAnew = true;
            return;
        }
        _bound.Reach *= Widening;
        happened.Add(LearnerEventKind.ChangeLearned, update);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(AwaitsAnew);
        writer.Write(IsBlinded);
        writer.Write(_bound.Reach);
        writer.WriteDoubles(_constants);
        _watch.Save(writer);
        _sleepers.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        (AwaitsAnew, IsBlinded, _bound.Reach) = (reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadDouble());
        _constants = reader.ReadDoubles();
        if (!(_bound.Reach >= 1) || (_constants.Length != 0 && _constants.Length != _sleepers.Dimension))
            throw new InvalidDataException("The state is damaged: what holds records back is not of these features.");
        _watch.Load(reader);
        _sleepers.Load(reader);
    }

    /// <summary>Takes over what another guard of the same features knows.</summary>
    public void CopyFrom(StreamGuard other)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        Load(reader);
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
