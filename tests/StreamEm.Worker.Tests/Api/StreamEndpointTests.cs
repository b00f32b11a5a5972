using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Api;

public sealed class StreamEndpointTests
{
    [Fact]
    public async Task Stream_NewReader_GetsTheNewestThenEachThatFollows()
    {
        await using ApiFixture api = await ApiFixture.Start();
        using StreamReader stream = await Open(api, lastSeen: null);

        Assert.Equal(10, await NextVersion(stream));
        Publish(api, 11);
        Assert.Equal(11, await NextVersion(stream));
    }

    [Fact]
    public async Task Stream_ReaderThatHasTheNewest_GetsOnlyWhatFollows()
    {
        await using ApiFixture api = await ApiFixture.Start();
        string run = api.Pipeline.RunId!;
        foreach (string lastSeen in (string[])["10", $"{run}-10"])
        {
            using StreamReader stream = await Open(api, lastSeen);
            long next = api.Pipeline.Feed.Latest!.Version == 10 ? 11 : 10;

            Publish(api, next);
            Assert.Equal(next, await NextVersion(stream));
            Publish(api, 10);
        }
    }

    [Fact]
    public async Task Stream_ReaderWithAVersionOfAnotherRun_GetsTheNewest()
    {
        await using ApiFixture api = await ApiFixture.Start();

        using StreamReader stream = await Open(api, $"{Guid.NewGuid():D}-10");

        Assert.Equal(10, await NextVersion(stream));
    }

    [Fact]
    public async Task Stream_VersionAloneWhereTheRunTookAnothersPlace_IsSentAgain()
    {
        using var directory = new TemporaryDirectory();
        await using (await ApiFixture.Start(330, new HttpOptions(), directory))
        {
            // Learns version 10 and stops.
        }

        var state = new StateDirectory(directory["state"]);
        string before = state.NewestOf("clouds")!.RunId;
        StateChange.Reset(state, "clouds");
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions(), directory);

        using StreamReader stream = await Open(api, "10");

        Assert.Equal(10, await NextVersion(stream));
        Assert.NotEqual(before, api.Pipeline.RunId);
    }

    [Fact]
    public async Task Stream_ReadersThatGoAway_AreNoErrors()
    {
        await using ApiFixture api = await ApiFixture.Start();
        for (int reader = 0; reader < 5; reader++)
        {
            using StreamReader stream = await Open(api, lastSeen: null);
            Assert.Equal(10 + reader, await NextVersion(stream));
            stream.Dispose();
            // One is on its way to a reader that is gone.
            Publish(api, 11 + reader);
        }

        await Eventually.True(() => !api.Pipeline.Feed.HasReaders, "the streams to end");
        Assert.Empty(api.Log.Lines);
    }

    [Fact]
    public async Task Stream_SlowReader_GetsTheNewestInsteadOfAQueue()
    {
        await using ApiFixture api = await ApiFixture.Start();
        var snapshots = api.Pipeline.Feed.Snapshots.NewestAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await snapshots.MoveNextAsync());
        for (int version = 11; version <= 500; version++) Publish(api, version);

        Assert.True(await snapshots.MoveNextAsync());
        Assert.Equal(500, snapshots.Current.Version);
        await snapshots.DisposeAsync();
    }

    private static void Publish(ApiFixture api, long version) =>
        api.Pipeline.Feed.Publish(new SnapshotDocument(api.Pipeline.Feed.Latest!.Snapshot with { Version = version }));

    private static async Task<StreamReader> Open(ApiFixture api, string? lastSeen)
    {
        HttpRequestMessage request = api.Request(HttpMethod.Get, "/v1/models/clouds/stream");
        if (lastSeen is not null) request.Headers.Add("Last-Event-ID", lastSeen);
        HttpResponseMessage answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal([api.Pipeline.RunId], answer.Headers.GetValues("streamem-run-id"));
        return new StreamReader(await answer.Content.ReadAsStreamAsync());
    }

    private static async Task<long> NextVersion(StreamReader stream)
    {
        string line;
        while ((line = await Line(stream)) != "event: snapshot") Assert.True(line.Length == 0 || line[0] == ':', line);
        string id = await Line(stream), data = await Line(stream);
        Assert.Empty(await Line(stream));
        long version = JsonDocument.Parse(data["data: ".Length..]).RootElement.GetProperty("version").GetInt64();
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"id: {version}"), id);
        return version;
    }

    private static async Task<string> Line(StreamReader stream) =>
        await Eventually.Within(stream.ReadLineAsync()) ?? throw new EndOfStreamException();
}
