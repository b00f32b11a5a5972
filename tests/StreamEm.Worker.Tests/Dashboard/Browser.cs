using PuppeteerSharp;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>A real Chromium without a window, where one is installed: what <c>STREAMEM_BROWSER</c> names, or one on the PATH.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } path) return;
        _browser = await Puppeteer.LaunchAsync(new LaunchOptions
        {
            ExecutablePath = path,
            Headless = true,
            // As root, as in a container, Chromium's own sandbox does not start.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--lang=en"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
    }

    /// <summary>A page of its own, with nothing stored; the test is skipped where there is no browser.</summary>
    public async Task<IPage> Open(int width = 1280, int height = 900)
    {
        Assert.SkipWhen(_browser is null,
            $"No browser: install chromium, or name one in STREAMEM_BROWSER (looked for {string.Join(", ", Names)}).");
        IBrowserContext context = await _browser!.CreateBrowserContextAsync();
        IPage page = await context.NewPageAsync();
        page.DefaultNavigationTimeout = 2 * (int)Eventually.Deadline.TotalMilliseconds;
        await page.SetViewportAsync(new ViewPortOptions { Width = width, Height = height });
        return page;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("STREAMEM_BROWSER") is { Length: > 0 } named) return named;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
