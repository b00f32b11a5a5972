namespace StreamEm.Worker.Failures;

/// <summary>A command cannot do what it was asked to; the message (what, found, expected, what to do) goes to stderr as it is.</summary>
/// <param name="exitCode">One of <see cref="Failures.ExitCode"/>.</param>
/// <param name="message">For the user, without a prefix; may have several lines.</param>
/// <param name="inner">The cause, shown with <c>--log.level debug</c>.</param>
public sealed class CommandException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What the process returns.</summary>
    public int ExitCode { get; } = exitCode;
}
