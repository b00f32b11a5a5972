using System.Globalization;
using System.Text.Json;

namespace StreamEm.ContainerTests.Image;

/// <summary>What deploy/Dockerfile promises, seen in containers that run.</summary>
public sealed class ImageTests(BuiltImage image, ITestOutputHelper output) : IClassFixture<BuiltImage>, IAsyncLifetime
{
    private const int Half = 20_000, Minibatch = 32;

    private const string Yaml = "/etc/streamem/streamem.yaml";

    /// <summary>What the image is to be at most, with its base; and without, as the base is another's.</summary>
    private const double LargestMegabytes = 75, LargestOwnMegabytes = 20;

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _volumes = [];

    public ValueTask InitializeAsync()
    {
        image.Need();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        foreach (string volume in _volumes) await Docker.Run("volume", "rm", "--force", volume);
    }

    [Fact]
    public async Task Image_Inspected_SaysWhatItIs()
    {
        using var document = JsonDocument.Parse((await Docker.Run("image", "inspect", "--format", "{{json .Config}}", image.Name)).Text);
        JsonElement configuration = document.RootElement, labels = configuration.GetProperty("Labels");
        Assert.True(int.Parse(configuration.GetProperty("User").GetString()!, CultureInfo.InvariantCulture) > 0, "it runs as root");
        string version = (await Docker.Run("run", "--rm", "--network", "none", image.Name, "version")).Text;
        Assert.StartsWith($"streamem {Label("version")} (", version, StringComparison.Ordinal);
        Assert.Equal(("StreamEM", "Apache-2.0"), (Label("title"), Label("licenses")));
        Assert.All(["description", "revision", "base.name"], name => Assert.NotEmpty(Label(name)));
        Assert.True(configuration.GetProperty("Volumes").TryGetProperty("/var/lib/streamem", out _), "the state has no volume");
        Assert.Equal("SIGTERM", configuration.GetProperty("StopSignal").GetString());

        string Label(string name) => labels.GetProperty($"org.opencontainers.image.{name}").GetString()!;
    }

    [Fact]
    public async Task Image_AskedForAShell_HasNone()
    {
        foreach (string shell in (string[])["sh", "bash", "dash", "ash", "busybox"])
        {
            Docker.Answer answer = await Docker.Run("run", "--rm", "--network", "none", "--entrypoint", shell, image.Name, "-c", "exit 0");
            Assert.True(answer.Code == 127, $"{shell}: exit code {answer.Code}");
        }
    }

    [Fact]
    public void Image_Compressed_IsSmall()
    {
        Assert.SkipWhen(image.Megabytes is null, "The image was not built here.");
        output.WriteLine(image.SizeLine!);
        (double all, double own) = image.Megabytes!.Value;
        Assert.True(own <= LargestOwnMegabytes && all <= LargestMegabytes, image.SizeLine);
    }

    [Fact]
    public async Task Image_AskedForATopic_FindsTheNativeClientAndNoBroker()
    {
        Docker.Answer answer = await Docker.Run(
            "run", "--rm", "--read-only", "--network", "none", image.Name, "inspect", "kafka://127.0.0.1:1/none", "--timeout", "1s");
        Assert.Equal(69, answer.Code);
        Assert.Contains("cannot be reached", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Container_OnAReadOnlyFileSystem_IsHealthyAsAUserWithoutPrivileges()
    {
        await WriteAsync(Half);
        await using RunningContainer container = await RunningContainer.Start(image.Name, _folder.Path, Volume());

        await container.Learned(Half - Minibatch);
        await container.Healthy();

        Assert.Equal(["1654"], (await container.Users()).Distinct());
        Docker.Answer asked = await container.Execute("/app/streamem", "healthcheck", "-c", Yaml);
        Assert.Equal(0, asked.Code);
        // What the engine made to mount on, no more.
        Assert.All(await container.Changes(),
            path => Assert.Contains($"{path}/", "/etc/streamem/ /var/lib/streamem/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Container_Stopped_EndsInTimeAndAnotherGoesOnToTheSameVersions()
    {
        string volume = Volume();
        await WriteAsync(Half);
        await using (RunningContainer first = await RunningContainer.Start(image.Name, _folder.Path, volume))
        {
            await first.Learned(Half - Minibatch);
            await first.Stop();
            Assert.Equal(0, await first.ExitCode());
        }

        await WriteAsync(2 * Half);
        await using RunningContainer second = await RunningContainer.Start(image.Name, _folder.Path, volume, "run", "--once", "-c", Yaml);
        Assert.Equal(0, await second.Ended());
        await using RunningContainer whole = await RunningContainer.Start(image.Name, _folder.Path, Volume(), "run", "--once", "-c", Yaml);
        Assert.Equal(0, await whole.Ended());

        var versions = await whole.Published();
        Assert.Equal(2 * Half, versions[^1].Records);
        Assert.Equal(versions, await second.Published());
    }

    private string Volume()
    {
        _volumes.Add($"streamem-test-{Guid.NewGuid():N}");
        return _volumes[^1];
    }

    private async Task WriteAsync(int rows)
    {
        var random = new Random(12345);
        await File.WriteAllLinesAsync(Path.Combine(_folder.Path, "data.csv"), Enumerable.Range(0, rows)
            .Select(_ => (At: 5 * random.Next(3), A: random.NextDouble(), B: random.NextDouble()))
            .Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.At + row.A:F6},{row.At + row.B:F6}")).Prepend("a,b"));
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "streamem.yaml"), $$"""
            state_directory: /var/lib/streamem/state
            models:
              - id: clouds
                source: { file: { path: [/etc/streamem/data.csv], format: csv, follow: true } }
                features: [a, b]
                model: { type: gaussian_mixture, components: 3 }
                learning: { minibatch: { size: {{Minibatch}}, max_wait: null }, initialization: { buffer: 256, n_init: 1, max_wait: null } }
                publish: [ { file: { path: /var/lib/streamem/snapshots.ndjson } } ]
            """);
    }
}
