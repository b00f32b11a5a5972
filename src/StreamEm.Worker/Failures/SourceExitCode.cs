using StreamEm.Sources;

namespace StreamEm.Worker.Failures;

/// <summary>What the process returns when a source cannot go on.</summary>
internal static class SourceExitCode
{
    /// <summary>The exit code of a source's failure.</summary>
    public static int Of(SourceFailure failure) => failure switch
    {
        SourceFailure.Missing => ExitCode.InputMissing,
        SourceFailure.Changed => ExitCode.DataCorrupt,
        SourceFailure.Io => ExitCode.InputOutput,
        SourceFailure.Unavailable => ExitCode.Unavailable,
        SourceFailure.Denied => ExitCode.Denied,
        SourceFailure.Configuration => ExitCode.Configuration,
        _ => ExitCode.Internal,
    };
}
