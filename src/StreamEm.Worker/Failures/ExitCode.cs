namespace StreamEm.Worker.Failures;

/// <summary>What the process returns, after BSD's sysexits.</summary>
public static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Ok = 0;

    /// <summary>The answer is no: <c>healthcheck</c> found the worker not alive.</summary>
    public const int Unhealthy = 1;

    /// <summary>A test of <c>streamem test</c> did not find what it expects.</summary>
    public const int TestsFailed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>Data or a checkpoint is corrupt.</summary>
    public const int DataCorrupt = 65;

    /// <summary>An input is missing.</summary>
    public const int InputMissing = 66;

    /// <summary>A broker did not answer before its deadline.</summary>
    public const int Unavailable = 69;

    /// <summary>A fault in the program itself.</summary>
    public const int Internal = 70;

    /// <summary>The state directory is locked or cannot be written.</summary>
    public const int CannotCreate = 73;

    /// <summary>Reading or writing failed.</summary>
    public const int InputOutput = 74;

    /// <summary>Ownership was lost or a shutdown deadline passed: start again.</summary>
    public const int TryAgain = 75;

    /// <summary>Access was denied.</summary>
    public const int Denied = 77;

    /// <summary>The configuration is wrong.</summary>
    public const int Configuration = 78;

    /// <summary>The user pressed Ctrl-C in a command that had not finished: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    /// <summary>Every code with what it means to whoever reads it, in their order.</summary>
    internal static IReadOnlyList<(int Code, string Meaning)> Meanings { get; } =
    [
        (Ok, "stopped in order, or all was done"), (Unhealthy, "healthcheck: the worker is not alive; test: a test failed"),
        (Usage, "the command line is wrong"), (DataCorrupt, "data or a state is damaged, or too many records were rejected"),
        (InputMissing, "an input is missing"), (Unavailable, "brokers out of reach"), (Internal, "a fault in the program"),
        (CannotCreate, "a state directory, file or topic belongs to another or cannot be written"),
        (InputOutput, "reading or writing failed"), (TryAgain, "the stop took too long, or the id was taken over"),
        (Denied, "access was denied"), (Configuration, "the configuration is wrong"), (Interrupted, "interrupted"),
    ];
}
