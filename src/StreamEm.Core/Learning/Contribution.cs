using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// What one minibatch says under some version of the parameters: averages, evidence, and what calibrates scores. A learner makes it of its
/// pending records (<see cref="Learner.Contribute"/>), and another, which has not seen them, folds it (<see cref="Learner.Fold"/>).
/// Immutable.
/// </summary>
public sealed class Contribution
{
    private const int Form = 1;

    internal Contribution(double[] averages, Evidence evidence, byte[] calibration) =>
        (Averages, Evidence, Calibration) = (averages, evidence, calibration);

    /// <summary>Records of the minibatch.</summary>
    public int Records { get; internal init; }

    /// <summary>Of these, records not learned from: without weight or value, or impossible.</summary>
    public long Unlearned { get; internal init; }

    internal double[] Averages { get; }

    /// <summary>With the log-likelihood in the user's units.</summary>
    internal Evidence Evidence { get; }

    /// <summary>A saved calibration of the minibatch alone.</summary>
    internal byte[] Calibration { get; }

    /// <summary>Sum of the weights in the unit of all minibatches, and whether the records have weights of their own.</summary>
    internal double Weight { get; init; }

    /// <inheritdoc cref="Weight"/>
    internal bool IsWeighted { get; init; }

    /// <summary>What the minibatch's own weights are in.</summary>
    internal double Unit { get; init; }

    /// <summary>The observations it is worth.</summary>
    internal double Worth { get; init; }

    internal long Impossible { get; init; }

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(Form);
        writer.WriteDoubles(Averages);
        foreach (double value in (ReadOnlySpan<double>)[
            Evidence.Weight, Evidence.LogLikelihood, Evidence.Entropy, Evidence.Divergence, Weight, Unit, Worth]) writer.Write(value);
        writer.Write(IsWeighted);
        writer.Write(Records);
        writer.Write(Unlearned);
        writer.Write(Impossible);
        writer.WriteArray<byte>(Calibration);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static Contribution Load(BinaryReader reader)
    {
        if (reader.ReadInt32() is var form && form != Form)
            throw new InvalidDataException($"A contribution has form {form}; this program reads {Form}.");
        double[] averages = reader.ReadDoubles();
        double weight = reader.ReadDouble(), logLikelihood = reader.ReadDouble(), entropy = reader.ReadDouble(),
            divergence = reader.ReadDouble(), total = reader.ReadDouble(), unit = reader.ReadDouble(), worth = reader.ReadDouble();
        bool isWeighted = reader.ReadBoolean();
        int records = reader.ReadInt32();
        long unlearned = reader.ReadInt64(), impossible = reader.ReadInt64();
        byte[] calibration = reader.ReadArray<byte>();
        bool isSound = weight >= 0 && double.IsFinite(weight) && total >= 0 && double.IsFinite(total) && unit > 0 && double.IsFinite(unit)
            && worth >= 0 && double.IsFinite(worth) && records > 0 && unlearned >= 0 && unlearned <= records && impossible >= 0
            && !double.IsInfinity(logLikelihood) && (weight == 0 || averages.All(double.IsFinite));
        if (!isSound) throw new InvalidDataException("A contribution has a count, a weight or a statistic that cannot be.");
        var evidence = new Evidence(weight, logLikelihood) { Entropy = entropy, Divergence = divergence };
        return new Contribution(averages, evidence, calibration)
        {
            Records = records,
            Unlearned = unlearned,
            Impossible = impossible,
            Weight = total,
            IsWeighted = isWeighted,
            Unit = unit,
            Worth = worth,
        };
    }
}
