namespace StreamEm.Worker.Pipeline;

/// <summary>What another value of a key means for a state that has parameters.</summary>
internal enum ChangeEffect
{
    /// <summary>It says how the first parameters are found, which are there already.</summary>
    None,

    /// <summary>It counts from the next update on.</summary>
    NextUpdate,

    /// <summary>Components come or go; the others keep what they have learned.</summary>
    Components,

    /// <summary>The parameters mean something else: they cannot be gone on with.</summary>
    Reset,
}

/// <summary>A key whose value is not the one that a state was made with.</summary>
/// <param name="Path">The key: <c>learning.step_size.kappa</c>.</param>
/// <param name="Old">Its value in the state, as text; null where it was not there.</param>
/// <param name="New">Its value now; null where it is not there any more.</param>
/// <param name="Effect">What it means.</param>
internal sealed record ConfigurationChange(string Path, string? Old, string? New, ChangeEffect Effect)
{
    private const string Nothing = "(not set)";

    /// <inheritdoc/>
    public override string ToString() => $"{Path}: {Old ?? Nothing} -> {New ?? Nothing}";
}
