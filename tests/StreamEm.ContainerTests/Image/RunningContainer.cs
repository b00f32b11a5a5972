using System.Globalization;
using System.Text.Json;

namespace StreamEm.ContainerTests.Image;

/// <summary>
/// A container as it should be run: nothing of its file system can be written but the volume, no privilege can be had, and it has no
/// network but its own loopback.
/// </summary>
internal sealed class RunningContainer : IAsyncDisposable
{
    private readonly string _id;

    private RunningContainer(string id) => _id = id;

    /// <summary>Starts a worker on a folder's <c>streamem.yaml</c> and <c>data.csv</c>, and a volume.</summary>
    public static async Task<RunningContainer> Start(string image, string folder, string volume, params string[] command) =>
        new((await Docker.Run([
            "run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none",
            "--health-interval", "1s", "--volume", $"{folder}:/etc/streamem:ro", "--volume", $"{volume}:/var/lib/streamem", image,
            .. command,
        ])).Text);

    public async Task<string> Inspect(string field) => (await Docker.Run("inspect", "--format", $"{{{{{field}}}}}", _id)).Text;

    public async Task<int> ExitCode() => int.Parse(await Inspect(".State.ExitCode"), CultureInfo.InvariantCulture);

    /// <summary>The users its processes run as, seen from outside.</summary>
    public async Task<string[]> Users() =>
        [.. (await Docker.Run("top", _id, "-o", "uid,pid")).Text.Split('\n').Skip(1).Select(line => line.Trim().Split(' ')[0])];

    /// <summary>The paths of all that differs from the image outside the volume.</summary>
    public async Task<string[]> Changes() =>
        [.. (await Docker.Run("diff", _id)).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[2..])];

    public Task<Docker.Answer> Execute(params string[] command) => Docker.Run(["exec", _id, .. command]);

    /// <summary>Waits until it says that it is in good health.</summary>
    public async Task Healthy() =>
        await Until(async () => await Inspect(".State.Health.Status") == "healthy", "the container to be healthy");

    /// <summary>Waits until a version with so many records was published.</summary>
    public async Task Learned(int records) => await Until(
        async () => await Published() is [.., { } last] && last.Records >= records, $"{records} records to be learned");

    /// <summary>Waits for its end, which it finds by itself.</summary>
    public async Task<int> Ended() => int.Parse((await Docker.Run("wait", _id)).Text, CultureInfo.InvariantCulture);

    /// <summary>Sends SIGTERM, and SIGKILL when 20 s were not enough (the exit code is then 137).</summary>
    public async Task Stop() => _ = (await Docker.Run("stop", "--time", "20", _id)).Text;

    /// <summary>All versions that it published to a file of the volume, but for their times.</summary>
    public async Task<IReadOnlyList<(long Records, string Content)>> Published()
    {
        using var folder = new TemporaryFolder();
        Docker.Answer copied = await Docker.Run("cp", $"{_id}:/var/lib/streamem/snapshots.ndjson", folder.Path);
        if (copied.Code != 0) return [];
        string text = await File.ReadAllTextAsync(Path.Combine(folder.Path, "snapshots.ndjson"));
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Version)];
    }

    public async ValueTask DisposeAsync() => await Docker.Run("rm", "--force", _id);

    private static (long, string) Version(string line)
    {
        JsonElement snapshot = JsonDocument.Parse(line).RootElement;
        JsonElement training = snapshot.GetProperty("training");
        return (training.GetProperty("records").GetInt64(), string.Join('\n', snapshot.GetProperty("version").GetRawText(),
            snapshot.GetProperty("parameters").GetRawText(), training.GetRawText(), snapshot.GetProperty("source").GetRawText()));
    }

    private async Task Until(Func<Task<bool>> condition, string what)
    {
        try
        {
            await Eventually.Get(async () => await condition() || await Inspect(".State.Running") != "true" ? "yes" : null, what);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{await Log()}", late);
        }

        Assert.True(await condition(), $"The container ended before {what}:\n{await Log()}");
    }

    private async Task<string> Log()
    {
        Docker.Answer log = await Docker.Run("logs", _id);
        return log.Output + log.Errors + await Inspect("json .State");
    }
}
