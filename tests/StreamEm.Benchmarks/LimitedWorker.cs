using System.Diagnostics;
using System.Globalization;

namespace StreamEm.Benchmarks;

/// <summary>
/// A worker as a process, the executable beside this one, in a control group of its own; all of them on the first core, so that they
/// share caches and clock alike. It sees one core: threads that wait for each other would use up its share by waiting.
/// </summary>
internal sealed class LimitedWorker : IDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client = new();
    private volatile string? _address;
    private volatile string _last = "";

    /// <summary>Starts it, with no limit yet.</summary>
    /// <param name="folder">Where streamem.yaml is, and its state will be.</param>
    /// <param name="number">Its number among those of the folder.</param>
    public LimitedWorker(string folder, int number)
    {
        Quota = CpuQuota.TryCreate($"{number}", out string? problem) ?? throw new InvalidOperationException(problem);
        var start = new ProcessStartInfo("taskset",
        [
            "-c", "0", Path.Combine(AppContext.BaseDirectory, "streamem"), "run", "-c", "streamem.yaml", "-s",
            $"state_directory={Path.Combine(folder, $"{number}")}",
        ])
        { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // All is compiled when it is first called, as after some minutes: what is compiled anew later would come from the share.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Listen(line.Data);
        _process.ErrorDataReceived += (_, line) => Listen(line.Data);
        _process.Start();
        Quota.Take(_process);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its group.</summary>
    public CpuQuota Quota { get; }

    /// <summary>CPU seconds so far.</summary>
    public double Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>A number it says of itself; 0 while it says none. Asking takes from its share.</summary>
    public double Metric(string name)
    {
        Watch(TimeSpan.Zero);
        if (_address is not { } address) return 0;
        string text = _client.GetStringAsync(new Uri($"{address}/metrics")).GetAwaiter().GetResult();
        return text.Split('\n').FirstOrDefault(line => line.StartsWith(name + "{", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[line.LastIndexOf(' ')..], CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>Lets time pass, in which it must not end.</summary>
    public void Watch(TimeSpan time)
    {
        if (_process.WaitForExit(time)) throw new InvalidOperationException($"A worker ended with code {_process.ExitCode}: {_last}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Quota.Limit(share: null);
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _client.Dispose();
        Quota.Dispose();
    }

    private void Listen(string? line)
    {
        const string Key = "\"address\":\"";
        if (line is null) return;
        _last = line;
        if (!line.Contains("http_listening", StringComparison.Ordinal)) return;
        int at = line.IndexOf(Key, StringComparison.Ordinal) + Key.Length;
        _address = line[at..line.IndexOf('"', at)];
    }
}
