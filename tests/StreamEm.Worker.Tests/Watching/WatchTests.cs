using System.Text;
using StreamEm.Worker.Api;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Api;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;
using StreamEm.Worker.Watching;

namespace StreamEm.Worker.Tests.Watching;

/// <summary><c>streamem watch</c> tells what a real worker does, and goes on when it comes back.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task Watch_InAPipe_WritesALineForEachChange()
    {
        await using ApiFixture api = await ApiFixture.Start();
        await using var watch = new Watch(api.Client.BaseAddress!);

        await watch.Shows("clouds learning version=10 records=320 ");
        Publish(api, 11);
        await watch.Shows("clouds learning version=11 ");
        string line = watch.Lines.First(line => line.Contains("version=11 ", StringComparison.Ordinal));

        Assert.Matches("^[0-9-]{10}T[0-9:]{8}Z clouds ", line);
        Assert.Contains(" mean_log_likelihood=-", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', line);
        Assert.Equal(ExitCode.Ok, await watch.End());
    }

    [Fact]
    public async Task Watch_WorkerThatGoesAndComesBack_IsFollowedAgain()
    {
        using var directory = new TemporaryDirectory();
        ApiFixture api = await ApiFixture.Start(330, new HttpOptions(), directory);
        Uri address = api.Client.BaseAddress!;
        await using var watch = new Watch(address);
        await watch.Shows("clouds learning version=10 ");

        await api.DisposeAsync();
        await watch.Shows("not reachable, trying again: ");
        await using ApiFixture again = await ApiFixture.Start(650, new HttpOptions(), directory, address.Authority);
        await watch.Shows("reachable again");
        await watch.Shows("clouds learning version=20 records=640 ");

        Assert.Equal(ExitCode.Ok, await watch.End());
    }

    [Fact]
    public async Task Watch_WorkerWithAToken_IsFollowedWithIt()
    {
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions { AuthToken = "secret" });
        string address = api.Client.BaseAddress!.ToString();
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["token"], "wrong\n");
        await using var watch = new Watch(api.Client.BaseAddress!, "secret");

        await watch.Shows("clouds learning version=10 ");

        CommandRun denied = await CommandRun.Of(Verbs.CreateRoot(), "watch", address, "--token-file", directory["token"]);
        Assert.Equal(ExitCode.Denied, denied.ExitCode);
        Assert.Contains("--token-file", denied.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", ExitCode.Unavailable, "cannot be reached")]
    [InlineData("127.0.0.1:1", ExitCode.Unavailable, "http://127.0.0.1:1/ cannot be reached")]
    [InlineData("ftp://worker", ExitCode.Usage, "'ftp://worker' is no address")]
    [InlineData("http://", ExitCode.Usage, "'http://' is no address")]
    public async Task Watch_WhatIsNoWorker_EndsWithAReason(string url, int code, string message)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), "watch", url);

        Assert.Equal((code, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static void Publish(ApiFixture api, long version) =>
        api.Pipeline.Feed.Publish(new SnapshotDocument(api.Pipeline.Feed.Latest!.Snapshot with { Version = version }));

    /// <summary>A watch that runs.</summary>
    private sealed class Watch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly WorkerFeed _feed;
        private readonly LineWriter _output = new();
        private readonly Task<int> _running;

        public Watch(Uri address, string? token = null)
        {
            _feed = new WorkerFeed(address, token, TimeProvider.System);
            _running = WatchCommand.FollowAsync(_feed, _output, TimeProvider.System, _stop.Token);
        }

        public IReadOnlyList<string> Lines => _output.Lines;

        public Task Shows(string part) =>
            Eventually.True(() => _running.IsFaulted || Lines.Any(line => line.Contains(part, StringComparison.Ordinal)), part);

        public async Task<int> End()
        {
            await _stop.CancelAsync();
            return await Eventually.Within(_running);
        }

        public async ValueTask DisposeAsync()
        {
            await End();
            _feed.Dispose();
            _stop.Dispose();
        }
    }

    private sealed class LineWriter : TextWriter
    {
        private readonly List<string> _lines = [];

        public override Encoding Encoding => Encoding.UTF8;

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines) return [.. _lines];
            }
        }

        public override Task WriteLineAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
        {
            lock (_lines) _lines.Add(buffer.ToString());
            return Task.CompletedTask;
        }
    }
}
