using System.Text.Json;
using Deque.AxeCore.Commons;
using PuppeteerSharp;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>Pages of the dashboard in a real browser, what is waited for in them and what is expected of all.</summary>
public abstract class DashboardPages(DashboardWorker worker, Browser browser)
{
    private static readonly WaitForFunctionOptions Patience =
        new() { Timeout = (int)Eventually.Deadline.TotalMilliseconds, PollingInterval = 50 };

    /// <summary>What the page complained of.</summary>
    protected List<string> Errors { get; } = [];

    /// <summary>The worker behind it.</summary>
    protected DashboardWorker Worker { get; } = worker;

    protected async Task<IPage> OpenWithToken(string path, int width = 1280, string colours = "light")
    {
        IPage page = await Open(width, colours);
        await page.EvaluateExpressionOnNewDocumentAsync($"sessionStorage.setItem('streamem.token', '{DashboardWorker.Token}')");
        await page.GoToAsync(new Uri(Worker.Address, path).ToString());
        return page;
    }

    protected async Task<IPage> Open(int width = 1280, string colours = "light")
    {
        IPage page = await browser.Open(width);
        // What is scrolled to is there at once, where a click may follow.
        await page.EmulateMediaFeaturesAsync(
        [
            new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = colours },
            new MediaFeatureValue { MediaFeature = MediaFeature.PrefersReducedMotion, Value = "reduce" },
        ]);
        page.Console += (_, said) =>
        {
            if (said.Message.Type is ConsoleType.Error or ConsoleType.Warning) Errors.Add($"{said.Message.Type}: {said.Message.Text}");
        };
        page.PageError += (_, failure) => Errors.Add(failure.Message);
        // A canvas that somebody drew on. A copy is read: the browser complains of one that is drawn on and read time and again.
        await page.EvaluateExpressionOnNewDocumentAsync("""
            window.isDrawn = box => {
              const canvas = box?.querySelector('canvas');
              if (!canvas || canvas.width === 0) return false;
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              return new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer).some(pixel => pixel !== 0);
            };
            """);
        return page;
    }

    protected async Task Until(IPage page, string condition)
    {
        try
        {
            await page.WaitForFunctionAsync($"() => Boolean({condition})", Patience);
        }
        catch (WaitTaskTimeoutException)
        {
            Assert.Fail($"Never: {condition}\nThe console: {string.Join('\n', Errors)}\nThe page: {await Text(page, "body")}");
        }
    }

    protected static Task<string> Text(IPage page, string selector) =>
        page.EvaluateFunctionAsync<string>("selector => document.querySelector(selector).textContent", selector);

    protected static async Task ExpectAccessible(IPage page)
    {
        await page.EvaluateExpressionAsync(new BundledAxeScriptProvider().GetScript());
        JsonElement found = await page.EvaluateFunctionAsync<JsonElement>("""
            async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
              .map(one => `${one.id}: ${one.nodes.map(node => `${node.html} ${node.failureSummary}`).join(' | ')}`)
            """);
        Assert.Empty(found.EnumerateArray().Select(one => one.GetString()));
    }

    /// <summary>The page said nothing to the console, and did nothing that its policy forbids (which is said there).</summary>
    protected async Task ExpectHealthy(IPage page)
    {
        Assert.Empty(Errors);
        await page.BrowserContext.CloseAsync();
    }
}
