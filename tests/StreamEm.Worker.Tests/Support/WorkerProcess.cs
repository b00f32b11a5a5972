using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Support;

/// <summary>The real executable, as built beside the tests.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();

    private WorkerProcess(string workingDirectory, string[] arguments, params (string Name, string Value)[] environment)
    {
        string executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "streamem.exe" : "streamem");
        // Who runs in the background has SIGINT, and perhaps SIGHUP, ignored, and so would all it starts.
        string[] listening = OperatingSystem.IsLinux() ? ["/usr/bin/env", "--default-signal=HUP,INT,TERM", executable] : [executable];
        var start = new ProcessStartInfo(listening[0], [.. listening[1..], .. arguments])
        { WorkingDirectory = workingDirectory, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    public string Errors => string.Join('\n', _errors);

    public string Output => string.Join('\n', _output);

    public static WorkerProcess Start(string workingDirectory, params string[] arguments) => new(workingDirectory, arguments);

    /// <summary>The same on a processor with another width of vectors.</summary>
    public static WorkerProcess StartWith(string kernels, string workingDirectory, params string[] arguments) =>
        new(workingDirectory, arguments, ("STREAMEM_KERNELS", kernels));

    /// <summary>The same with variables of the environment.</summary>
    public static WorkerProcess StartIn((string Name, string Value)[] environment, string workingDirectory, params string[] arguments) =>
        new(workingDirectory, arguments, environment);

    public static async Task<(int Code, string Output, string Errors)> Run(string workingDirectory, params string[] arguments)
    {
        using WorkerProcess process = Start(workingDirectory, arguments);
        int code = await process.Exit();
        return (code, process.Output, process.Errors);
    }

    /// <summary>The exit code, once all output has been read.</summary>
    public async Task<int> Exit()
    {
        using var deadline = new CancellationTokenSource(LongestRun);
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    /// <summary>Waits for an event in the log.</summary>
    public async Task<JsonElement> Event(string name) => (JsonElement)await Eventually.Get<object>(() =>
    {
        object? found = Events(name).Select(line => (object)line).FirstOrDefault();
        return found is null && HasExited
            ? throw new InvalidOperationException($"The process ended without event '{name}':\n{Output}\n{Errors}")
            : Task.FromResult(found);
    }, $"event {name}");

    /// <summary>The events of a name that the log has so far.</summary>
    public IReadOnlyList<JsonElement> Events(string name) =>
        [.. _output.Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("event").GetString() == name)];

    public async Task<Uri> Address() => new((await Event("http_listening")).GetProperty("address").GetString()!);

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>Any signal, by its name.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }
}
