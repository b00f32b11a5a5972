using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Data for a command that reads them more than once. What comes through standard input (-), a FIFO or <c>&lt;(...)</c> is first written to
/// a folder that only this user may read, as far as it goes, and removed with this.
/// </summary>
internal sealed class SpooledInputs : IDisposable
{
    private readonly DirectoryInfo? _folder;

    private SpooledInputs(string[] paths, DirectoryInfo? folder) => (Paths, _folder) = (paths, folder);

    /// <summary>Files and globs in the order they were named.</summary>
    public string[] Paths { get; }

    /// <summary>Takes what comes through pipes to its end.</summary>
    /// <param name="named">Files, globs, FIFOs and -.</param>
    /// <param name="cancellationToken">Stops waiting for more.</param>
    /// <exception cref="CommandException">It cannot be read, or not be kept (74).</exception>
    public static async Task<SpooledInputs> OfAsync(IReadOnlyList<string> named, CancellationToken cancellationToken)
    {
        string[] paths = [.. named];
        DirectoryInfo? folder = null;
        try
        {
            for (int at = 0; at < paths.Length; at++)
            {
                using PipedInput? pipe = await PipedInput.OpenAsync(paths[at], cancellationToken).ConfigureAwait(false);
                if (pipe is null) continue;
                folder ??= Directory.CreateTempSubdirectory("streamem-");
                // The name tells how it is written, and what a model of it is called.
                string ending = pipe.Format == RecordFormat.Ndjson ? "ndjson" : "csv";
                string name = paths[at] == PipedInput.Standard ? "stdin" : "data";
                paths[at] = Path.Combine(folder.CreateSubdirectory($"{at}").FullName, $"{name}.{ending}");
                await using FileStream file = new(paths[at], FileMode.CreateNew, FileAccess.Write);
                await pipe.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
            }

            return new SpooledInputs(paths, folder);
        }
        catch (Exception failure)
        {
            folder?.Delete(recursive: true);
            if (failure is IOException or UnauthorizedAccessException)
                throw new CommandException(ExitCode.InputOutput,
                    $"What came through a pipe could not be kept in {Path.GetTempPath()}: {failure.Message}", failure);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _folder?.Delete(recursive: true);
}
