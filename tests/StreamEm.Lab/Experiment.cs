namespace StreamEm.Lab;

/// <summary>What running a claim says of it.</summary>
internal enum Verdict
{
    /// <summary>It holds here.</summary>
    Holds,

    /// <summary>It holds under a condition that it leaves out, or in a part of what it says.</summary>
    HoldsInPart,

    /// <summary>It does not hold here.</summary>
    DoesNotHold,
}

/// <summary>A claim that textbooks make of EM, as something that can be run: on the engine itself, from a seed, to a sentence that is true
/// or not.</summary>
internal abstract class Experiment
{
    /// <summary>The name of its page.</summary>
    public abstract string Name { get; }

    /// <summary>The heading of its page.</summary>
    public abstract string Title { get; }

    /// <summary>What is claimed.</summary>
    public abstract string Claim { get; }

    /// <summary>Who claims it, where.</summary>
    public abstract string Source { get; }

    /// <summary>What is done to find out.</summary>
    public abstract string Setting { get; }

    /// <summary>What becomes of the claim, if the finding is as it was.</summary>
    public virtual Verdict Verdict => Verdict.Holds;

    /// <summary>Where all its chance begins.</summary>
    public virtual ulong Seed => 1;

    /// <summary>Whether it takes more than a few seconds.</summary>
    public virtual bool IsLong => false;

    /// <summary>Whether what it finds depends on the machine's speed, so that its page is another each time.</summary>
    public virtual bool IsTimed => false;

    /// <summary>Runs it.</summary>
    public abstract Finding Run();
}

/// <summary>What an experiment found.</summary>
/// <param name="Holds">Whether the sentence is true.</param>
/// <param name="Sentence">What was found, with its numbers.</param>
/// <param name="Figure">The SVG picture.</param>
/// <param name="Caption">What the picture shows.</param>
/// <param name="Numbers">The table of it; null without.</param>
internal sealed record Finding(bool Holds, string Sentence, string Figure, string Caption, NumberTable? Numbers = null);

/// <summary>A table of a page.</summary>
/// <param name="Columns">Its heads.</param>
/// <param name="Rows">Its cells, as they are shown.</param>
internal sealed record NumberTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);
