using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>
/// What a state that began at given parameters knows of them, so that states that learned apart from the same start can be put together
/// (<see cref="StateMerge"/>): where the recursion began, how much of that is left,
/// <code>
/// s(t) = a s(0) + (1 - a) m        a = product of (1 - gamma_i), m the weighted average of what was learned
/// </code>
/// and the weight of the records in m. In the parameters recursion s is Theta in its coordinates. Part of the state.
/// </summary>
internal sealed class LearningOrigin
{
    private LearningOrigin(Recursion recursion, double[] vector, double[] shares) =>
        (Recursion, Vector, Shares) = (recursion, vector, shares);

    /// <summary>What s is.</summary>
    public Recursion Recursion { get; }

    /// <summary>s(0), or Theta(0) in its coordinates.</summary>
    public double[] Vector { get; }

    /// <summary>The components' shares then [K]; empty without components.</summary>
    public double[] Shares { get; }

    /// <summary>Updates, rows and n_eff then: those of a snapshot, or none.</summary>
    public long Updates { get; private init; }

    /// <inheritdoc cref="Updates"/>
    public long Rows { get; private init; }

    /// <inheritdoc cref="Updates"/>
    public long Unlearned { get; private init; }

    /// <inheritdoc cref="Updates"/>
    public long Bounded { get; private init; }

    /// <inheritdoc cref="Updates"/>
    public double EffectiveRows { get; private init; }

    /// <summary>a: what is left of the start in s(t), in [0, 1].</summary>
    public double Retained { get; private set; } = 1;

    /// <summary>Weight of the records learned from since.</summary>
    public double Learned { get; private set; }

    /// <summary>Why what was learned since is no average of what records said, in words; null when it is.</summary>
    public string? Broken { get; private set; }

    /// <summary>The start of a state that has learned nothing yet.</summary>
    public static LearningOrigin Of(LatentModel model, Recursion recursion, StepwiseState state) =>
        new(recursion, VectorOf(model, recursion, state), [.. state.Shares])
        {
            Updates = state.Updates,
            Rows = state.Rows,
            Unlearned = state.Unlearned,
            Bounded = state.Bounded,
            EffectiveRows = state.EffectiveRows,
        };

    /// <summary>What the recursion moves: the statistics, or the parameters in their coordinates.</summary>
    public static double[] VectorOf(LatentModel model, Recursion recursion, StepwiseState state)
    {
        if (recursion == Recursion.Statistics) return [.. state.Statistics];
        double[] vector = [.. state.Parameters];
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
            if (block.Coordinates == Coordinates.Logarithm)
                foreach (ref double value in block.Of(vector.AsSpan())) value = ScalarMath.Log(value);
        return vector;
    }

    /// <summary>Whether another state began at the same.</summary>
    public bool IsSameStart(LearningOrigin other) =>
        (Recursion, Updates, Rows, EffectiveRows) == (other.Recursion, other.Updates, other.Rows, other.EffectiveRows)
        && Vector.AsSpan().SequenceEqual(other.Vector)
        && Shares.AsSpan().SequenceEqual(other.Shares);

    /// <summary>The same start, with more learned since.</summary>
    /// <param name="retained">What is left of it.</param>
    /// <param name="learned">Weight of the records learned from since.</param>
    public LearningOrigin With(double retained, double learned) => new(Recursion, Vector, Shares)
    {
        Updates = Updates,
        Rows = Rows,
        Unlearned = Unlearned,
        Bounded = Bounded,
        EffectiveRows = EffectiveRows,
        Retained = retained,
        Learned = learned,
        Broken = Broken,
    };

    /// <summary>Takes an update.</summary>
    /// <param name="gamma">Its step size.</param>
    /// <param name="weight">Weight of the records learned from.</param>
    public void Take(double gamma, double weight) => (Retained, Learned) = (Retained * (1 - gamma), Learned + weight);

    /// <summary>Notes that what comes is no average of what records say.</summary>
    /// <param name="why">What happened, in words.</param>
    public void Break(string why) => Broken ??= why;

    public void Save(BinaryWriter writer)
    {
        writer.Write((byte)Recursion);
        writer.WriteDoubles(Vector);
        writer.WriteDoubles(Shares);
        foreach (long count in (ReadOnlySpan<long>)[Updates, Rows, Unlearned, Bounded]) writer.Write(count);
        foreach (double value in (ReadOnlySpan<double>)[EffectiveRows, Retained, Learned]) writer.Write(value);
        writer.Write(Broken ?? "");
    }

    /// <summary>Reads what <see cref="Save"/> wrote for the same model and recursion.</summary>
    /// <exception cref="InvalidDataException">It is none of them.</exception>
    public static LearningOrigin Load(BinaryReader reader, StepwiseState state)
    {
        var origin = new LearningOrigin((Recursion)reader.ReadByte(), reader.ReadDoubles(), reader.ReadDoubles())
        {
            Updates = reader.ReadInt64(),
            Rows = reader.ReadInt64(),
            Unlearned = reader.ReadInt64(),
            Bounded = reader.ReadInt64(),
            EffectiveRows = reader.ReadDouble(),
            Retained = reader.ReadDouble(),
            Learned = reader.ReadDouble(),
        };
        string broken = reader.ReadString();
        if (broken.Length > 0) origin.Break(broken);
        bool isSound = Enum.IsDefined(origin.Recursion) && origin.Vector.All(double.IsFinite) && origin.Shares.Length == state.Shares.Length
            && origin.Updates >= 0 && origin.Updates <= state.Updates && origin.Rows >= 0 && origin.Rows <= state.Rows
            && origin.Unlearned >= 0 && origin.Bounded >= 0 && origin.EffectiveRows > 0
            && origin.Retained is >= 0 and <= 1 && origin.Learned >= 0 && double.IsFinite(origin.Learned);
        return isSound ? origin : throw new InvalidDataException("The state is damaged: what it says of its start cannot be.");
    }
}
