using StreamEm.Sources;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Pipeline;

/// <summary>How a pipeline ended.</summary>
/// <param name="State"><see cref="ModelState.Finished"/>, <see cref="ModelState.Stopped"/> or <see cref="ModelState.Failed"/>.</param>
/// <param name="Code">One of <see cref="ExitCode"/>.</param>
/// <param name="Failure">What went wrong, for the user.</param>
/// <param name="Cause">The exception behind it.</param>
public sealed record PipelineEnd(ModelState State, int Code = ExitCode.Ok, string? Failure = null, Exception? Cause = null)
{
    /// <summary>The end of a pipeline that met a failure: a fault of the program where it is none that is foreseen.</summary>
    public static PipelineEnd OfFailure(Exception failure) => failure switch
    {
        CommandException known => new PipelineEnd(ModelState.Failed, known.ExitCode, known.Message, known),
        SourceException source => OfSource(source),
        IOException or UnauthorizedAccessException => new PipelineEnd(ModelState.Failed, ExitCode.InputOutput, failure.Message, failure),
        _ => new PipelineEnd(ModelState.Failed, ExitCode.Internal, $"internal error: {failure.GetType().FullName}: {failure.Message}",
            failure),
    };

    /// <summary>The end of a pipeline whose source cannot go on.</summary>
    public static PipelineEnd OfSource(Exception failure) => failure is SourceException source
        ? new PipelineEnd(ModelState.Failed, SourceExitCode.Of(source.Failure), source.Message, source)
        : new PipelineEnd(ModelState.Failed, ExitCode.Internal, $"The source failed: {failure.GetType().FullName}: {failure.Message}",
            failure);
}
