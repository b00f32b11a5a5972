using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>Signals to the real executable.</summary>
public sealed class SignalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Terminated_WithSlowUploadsOpen_EndsInOrderWithinFiveSeconds()
    {
        await File.WriteAllTextAsync(_directory["streamem.yaml"], """
            http: { address: 127.0.0.1:0 }
            models:
              - { id: pushed, source: { http: {} }, features: [x, y], model: { type: gaussian_mixture, components: 1 } }
            """);
        using WorkerProcess process = WorkerProcess.Start(_directory.Path, "run", "-c", "streamem.yaml");
        Uri address = await process.Address();
        var uploads = new List<TcpClient>();
        try
        {
            for (int i = 0; i < 8; i++)
            {
                var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, address.Port);
                // The body never comes to its end.
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                    "POST /v1/models/pushed/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                        + "Content-Length: 100000\r\n\r\n{\"x\":1,\"y\":2}\n"));
                uploads.Add(client);
            }

            using var http = new HttpClient { BaseAddress = address };
            await Eventually.True(() => http.GetAsync("livez").Result.IsSuccessStatusCode, "the worker to answer");
            var watch = Stopwatch.StartNew();
            process.Terminate();

            Assert.Equal(ExitCode.Ok, await process.Exit());
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
        }
        finally
        {
            uploads.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task HungUp_Worker_KeepsItsStateAndGoesOn()
    {
        using var run = new CrashRun(1000, follow: true);
        using WorkerProcess process = run.Start("-s", "models.0.checkpoint={every_updates: 1000000, every: 24h}");
        await process.Event("model_initialized");
        await Eventually.True(() => Newest(run)?.Updates > 0, "the first version to be kept");
        string before = NewestFile(run);

        process.Signal("HUP");

        await process.Event("hang_up");
        await Eventually.True(() => NewestFile(run) != before, "another checkpoint");
        Assert.False(process.HasExited);
        process.Terminate();
        Assert.Equal(ExitCode.Ok, await process.Exit());
    }

    [Fact]
    public async Task Interrupted_FitOnATerminal_GivesTheCursorBackAndSaves()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script")) Assert.Skip("There is no /usr/bin/script to make a terminal.");
        await File.WriteAllLinesAsync(_directory["data.csv"], Pipelines.Clouds(2000)
            .Select(row => string.Create(CultureInfo.InvariantCulture, $"{row![0]},{row[1]}")).Prepend("x,y"));
        await File.WriteAllTextAsync(_directory["streamem.yaml"], """
            models:
              - { id: m, source: { stdin: {} }, features: [x, y], model: { type: gaussian_mixture, components: 2 } }
            """);
        string executable = Path.Combine(AppContext.BaseDirectory, "streamem");
        var start = new ProcessStartInfo("/usr/bin/script",
            ["-qec", $"exec env --default-signal=INT '{executable}' fit data.csv -c streamem.yaml --passes 100000000 -o fit.json "
                + "--trace trace.ndjson", "log"])
        {
            WorkingDirectory = _directory.Path,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TERM"] = "xterm-256color";
        using Process terminal = Process.Start(start)!;
        Task<string> shown = terminal.StandardOutput.ReadToEndAsync();
        await Eventually.True(() => File.Exists(_directory["trace.ndjson"]) && new FileInfo(_directory["trace.ndjson"]).Length > 0,
            "the fit to have learned something");

        // Ctrl-C, as a keyboard sends it.
        await terminal.StandardInput.WriteAsync('\u0003');
        await terminal.StandardInput.FlushAsync();

        string text = await Eventually.Within(shown);
        await terminal.WaitForExitAsync();
        Assert.Equal(ExitCode.Interrupted, terminal.ExitCode);
        Assert.True(text.LastIndexOf("\u001b[?25h", StringComparison.Ordinal) > text.LastIndexOf("\u001b[?25l", StringComparison.Ordinal),
            "The cursor stays hidden.");
        Assert.Contains("saved in fit.json", text, StringComparison.Ordinal);
        Assert.True(File.Exists(_directory["fit.json"]));
    }

    [Theory]
    [InlineData("0000")]
    [InlineData("0077")]
    public async Task Files_WhateverTheUmask_HaveTheirModes(string umask)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "File modes are of Unix.");
        using var run = new CrashRun(1000);
        await File.AppendAllTextAsync(Path.Combine(run.Path, "data.csv"), "a,b,oops\n");
        string executable = Path.Combine(AppContext.BaseDirectory, "streamem");
        using Process process = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", $"umask {umask}; exec '{executable}' run -c streamem.yaml --once > log"])
        { WorkingDirectory = run.Path })!;
        await process.WaitForExitAsync();

        Assert.Equal(ExitCode.Ok, process.ExitCode);
        Assert.Equal("640", Mode(run.Snapshots));
        Assert.Equal("600", Mode(run.Rejected));
        Assert.Equal("700", Mode(run.State));
        Assert.Equal("700", Mode(Path.GetDirectoryName(run.State)!));
        Assert.All(Directory.GetFiles(Path.GetDirectoryName(run.State)!, "*", SearchOption.AllDirectories),
            file => Assert.Equal("600", Mode(file)));
    }

    private static string Mode(string path) =>
        OperatingSystem.IsWindows() ? "" : Convert.ToString((int)File.GetUnixFileMode(path), 8);

    private static string NewestFile(CrashRun run) => Directory.GetFiles(run.State, "*.sem").Max(StringComparer.Ordinal)!;

    private static Checkpoint? Newest(CrashRun run) =>
        new StateDirectory(Path.GetDirectoryName(run.State)!).NewestOf(Path.GetFileName(run.State));
}
