using System.Security.Cryptography;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// Notices that a configuration is another one: <c>--watch</c>. Looks at what the files hold, not at events of the file system, which a
/// volume that swaps links (as Kubernetes does) or a network file system does not tell. A change counts once two looks in a row see the
/// same, so that no file is taken while it is being written.
/// </summary>
/// <param name="files">The files.</param>
/// <param name="time">The clock.</param>
/// <param name="changed">Called for every change.</param>
internal sealed class ConfigurationWatch(IReadOnlyList<string> files, TimeProvider time, Action changed)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private string _known = ContentOf(files), _last = "";

    /// <summary>Looks every second until <paramref name="stop"/>.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false)) Look();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The worker is stopping and says so itself.
        }
    }

    /// <summary>Looks once.</summary>
    public void Look()
    {
        string content = ContentOf(files);
        if (content != _known && content == _last)
        {
            _known = content;
            changed();
        }

        _last = content;
    }

    /// <summary>A hash of what the files hold; what cannot be read counts as a content of its own.</summary>
    private static string ContentOf(IReadOnlyList<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files)
        {
            try
            {
                // A configuration is small; what is not is refused when it is read.
                hash.AppendData(File.ReadAllBytes(file));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                hash.AppendData("unreadable"u8);
            }

            hash.AppendData([0]);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
