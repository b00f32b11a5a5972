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
}
