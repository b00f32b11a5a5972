using System.Globalization;

namespace StreamEm.Core.Learning;

/// <summary>How a learner goes back to what it had learned earlier.</summary>
public sealed partial class Learner
{
    /// <summary>
    /// What an earlier state of this stream had learned, going on where this learner stands: with its pending rows, its counts, what it
    /// remembers of keys and the names of its labels. Nothing of the past is written anew: the earlier parameters are a version of their
    /// own, one after the present, and the step size, the records they are worth and the calibration of anomaly scores go on from where
    /// they stood.
    /// </summary>
    /// <param name="earlier">A learner of the same options at the earlier state, or begun from its snapshot; not used any more.</param>
    /// <returns>The learner to go on with; this one is not used any more.</returns>
    /// <exception cref="ArgumentException">One of the two has no parameters, the earlier one is not earlier, or what is pending cannot be
    /// told in its levels.</exception>
    public Learner GoBackTo(Learner earlier)
    {
        if (_core is null || earlier._core is null || Updates == 0)
            throw new ArgumentException("there are no parameters to go back from or to", nameof(earlier));
        if (earlier.Updates > Updates)
            throw new ArgumentException($"version {earlier.Updates} is after version {Updates}", nameof(earlier));
        earlier._core.GoOnFrom(_core);
        earlier._pending.Clear();
        earlier.TakePending(this);
        try
        {
            earlier._intake.Check(earlier._pending);
        }
        catch (InvalidDataException failure)
        {
            throw new ArgumentException($"the records pending do not fit it: {failure.Message}", nameof(earlier), failure);
        }

        earlier._dropped = _dropped;
        earlier._labels.IsFixed = _labels.IsFixed;
        earlier._latest = null;
        earlier.BeforeUpdate = BeforeUpdate;
        return earlier;
    }
}

/// <summary>How a core goes on from an earlier one.</summary>
internal sealed partial class LearnerCore
{
    /// <summary>
    /// Takes the place of a later core of the same model: counts and events are that one's, the parameters and what belongs to them stay.
    /// </summary>
    /// <param name="later">The core whose place is taken.</param>
    public void GoOnFrom(LearnerCore later)
    {
        long version = State.Updates, moved = State.GoOnFrom(later.State);
        Health.GoOnFrom(later.Health, moved);
        Health.Events.Follow(later.Ids.Texts, Ids.Texts, State.Updates);
        Ids = Ids.WithoutReuseOf(later.Ids);
        if (later.Growing is not null) Growing?.NeverReuse(later.Growing);
        Happened.CopyFrom(later.Happened);
        Happened.Add(LearnerEventKind.Reverted, State.Updates, version.ToString(CultureInfo.InvariantCulture));
        Cut.CopyFrom(later.Cut);
    }
}
