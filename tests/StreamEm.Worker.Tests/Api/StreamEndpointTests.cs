using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Snapshots;

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
        using StreamReader stream = await Open(api, lastSeen: 10);

        Publish(api, 11);
        Assert.Equal(11, await NextVersion(stream));
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

    private static async Task<StreamReader> Open(ApiFixture api, long? lastSeen)
    {
        HttpRequestMessage request = api.Request(HttpMethod.Get, "/v1/models/clouds/stream");
        if (lastSeen is { } version) request.Headers.Add("Last-Event-ID", version.ToString(CultureInfo.InvariantCulture));
        HttpResponseMessage answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
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
