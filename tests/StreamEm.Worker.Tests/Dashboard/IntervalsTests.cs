using PuppeteerSharp;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>How sure parameters are, in a real browser: whiskers on bars, ends under the values of a matrix.</summary>
public sealed class IntervalsTests(DashboardWorker worker, Browser browser)
    : DashboardPages(worker, browser), IClassFixture<DashboardWorker>, IClassFixture<Browser>, IDisposable
{
    /// <summary>Pixels of a block's picture that have the colour of texts, which in its charts only whiskers have.</summary>
    private const string Ink = """
        block => {
          const canvas = document.querySelector(`[data-block="${block}"] canvas`);
          if (!canvas || canvas.width === 0) return -1;
          const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
          let ink = 0;
          for (let at = 0; at < pixels.length; at += 4)
            if (pixels[at] === 0x1c && pixels[at + 1] === 0x25 && pixels[at + 2] === 0x30 && pixels[at + 3] === 255) ink++;
          return ink;
        }
        """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Parameters_WithIntervals_HaveWhiskersAndEnds()
    {
        await using var sure = new RunningWorker();
        await sure.StartAsync(Configuration());
        await sure.VersionOf("sure", 100);
        IPage page = await Open();
        await page.SetViewportAsync(new ViewPortOptions { Width = 1280, Height = 900, DeviceScaleFactor = 2 });
        await page.GoToAsync(new Uri(sure.Address, "ui/#/model/sure").ToString());

        await Until(page, "document.querySelector('[data-block=\"weights\"]')?.textContent.includes('95.0 % at every look: whiskers')");
        await Until(page, $"({Ink})('weights') > 60");
        await Until(page, "isDrawn(document.querySelector('[data-block=\"probabilities.a\"]'))");

        // Those who do not see it are told: c0 0.5 (0.47 to 0.53).
        Assert.Matches("c0 0\\.[0-9]+ \\(0\\.[0-9]+ to 0\\.[0-9]+\\), c1 ", await Text(page, "[data-block=weights] figure p"));
        string matrix = await Text(page, "[data-block=\"probabilities.a\"]");
        Assert.Contains("95.0 % at every look: under the values", matrix, StringComparison.Ordinal);
        await ExpectAccessible(page);
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Parameters_WithoutIntervals_HaveNone()
    {
        await Worker.VersionOf("categories", 3);
        IPage page = await OpenWithToken("ui/#/model/categories");
        await page.SetViewportAsync(new ViewPortOptions { Width = 1280, Height = 900, DeviceScaleFactor = 2 });
        await page.ReloadAsync();

        await Until(page, "isDrawn(document.querySelector('[data-block=\"weights\"]'))");

        Assert.Equal(0, await page.EvaluateFunctionAsync<int>(Ink, "weights"));
        Assert.DoesNotContain("at every look", await Text(page, "[data-block=weights]"), StringComparison.Ordinal);
        await ExpectHealthy(page);
    }

    private string Configuration()
    {
        File.WriteAllLines(_directory["levels.csv"], Enumerable.Range(0, 6000).Select(row =>
        {
            string Level(int salt, string likely, string other) => (row * salt % 10007 % 10 < 8) == (row % 2 == 0) ? likely : other;
            return $"{Level(31, "up", "down")},{Level(57, "left", "right")},{Level(83, "in", "out")}";
        }).Prepend("a,b,c"));
        return $$"""
            http: { address: "127.0.0.1:0" }
            state_directory: "{{_directory["state"]}}"
            models:
              - id: sure
                source: { file: { path: ["{{_directory["levels.csv"]}}"] } }
                features: [a, b, c]
                model: { type: categorical_mixture, components: 2 }
                learning: { intervals: true, minibatch: { size: 50 }, initialization: { buffer: 300 } }
                rejected: { file: "{{_directory["rejected.ndjson"]}}" }
            """;
    }
}
