using PuppeteerSharp;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>The dashboard in a real browser, over a worker whose streams run.</summary>
public sealed class DashboardTests(DashboardWorker worker, Browser browser)
    : DashboardPages(worker, browser), IClassFixture<DashboardWorker>, IClassFixture<Browser>
{
    private const string Live = "document.getElementById('stream-state')?.textContent === 'live'";

    [Fact]
    public async Task Overview_OfManyModels_ShowsEachWithItsStateAndReason()
    {
        IPage page = await OpenWithToken("ui/");
        await Worker.VersionOf("clouds", 1);

        await Until(page, "document.querySelectorAll('tbody tr').length === 11");
        await Until(page, "document.body.textContent.includes('40 of 1,000 records')");
        await Until(page,
            "/learning|finished/.test([...document.querySelectorAll('tr')].find(row => row.textContent.includes('clouds')).textContent)");

        string text = await Text(page, "main");
        Assert.Contains("nothing-here.csv", text, StringComparison.Ordinal);
        Assert.Contains("failed", text, StringComparison.Ordinal);
        Assert.Contains("waiting", text, StringComparison.Ordinal);
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Model_OfComponents_ShowsEveryPanel()
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");

        await Until(page, Live);
        string[] charts =
            ["Test-then-train log-likelihood", "Step size", "Free energy", "Weights of the components", "Recent records"];
        foreach (string chart in charts)
            await Until(page,
                $"(box => box && !box.closest('[hidden]') && isDrawn(box))(document.querySelector('[data-chart=\"{chart}\"]'))");
        foreach (string block in (string[])["weights", "means", "covariances"])
            await Until(page, $"isDrawn(document.querySelector('[data-block=\"{block}\"]'))");
        await Until(page, "document.querySelectorAll('[data-records=strangest] details').length > 0");
        await Until(page, "document.querySelectorAll('[data-records=alarms] details').length > 0");
        await Until(page, "document.querySelector('.graph img')?.naturalWidth > 0");
        await Until(page, "document.querySelectorAll('#versions tbody tr').length > 2");

        await page.ClickAsync("[data-records=strangest] summary");
        string strangest = await Text(page, "[data-records=strangest] details[open]");
        Assert.Contains("contribution, nats", strangest, StringComparison.Ordinal);
        // The name of a feature came into the page as text and nothing else.
        Assert.Contains(DashboardWorker.Hostile, strangest, StringComparison.Ordinal);
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>("document.querySelectorAll('img[onerror], img[src=x]').length"));
        Assert.DoesNotContain("hacked", await page.GetTitleAsync(), StringComparison.Ordinal);
        await ExpectHealthy(page);
    }

    [Theory]
    [InlineData("categories", "probabilities.colour", "probabilities.size", "weights")]
    [InlineData("counts", "rates", "weights")]
    [InlineData("walk", "transmat", "means")]
    [InlineData("wide", "loadings", "noise_variances")]
    [InlineData("line", "coefficients", "coefficient_covariance")]
    [InlineData("faults", "probabilities.cause", "probabilities.alarm")]
    [InlineData("topics", "components")]
    public async Task Model_OfAnyKind_HasAPictureOfItsParameters(string id, params string[] blocks)
    {
        await Worker.VersionOf(id, 3);
        IPage page = await OpenWithToken($"ui/#/model/{id}");

        await Until(page, Live);
        foreach (string block in blocks)
            await Until(page,
                $"(box => box && (isDrawn(box) || box.querySelector('.entries li')))(document.querySelector('[data-block=\"{block}\"]'))");
        await Until(page, "isDrawn(document.querySelector('[data-chart^=\"Test-then-train\"]'))");
        await ExpectHealthy(page);
    }

    [Theory]
    [InlineData("warming", "40 of 1,000 records")]
    [InlineData("waiting", "waiting")]
    [InlineData("broken", "nothing-here.csv")]
    [InlineData("nobody", "There is no model nobody")]
    public async Task Model_WithoutASnapshot_SaysWhy(string id, string reason)
    {
        IPage page = await OpenWithToken($"ui/#/model/{id}");

        await Until(page, $"document.querySelector('main').textContent.includes('{reason}')");
        if (id == "nobody") Errors.RemoveAll(error => error.Contains("404", StringComparison.Ordinal));
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Model_WhileItsStreamRuns_IsRedrawnByItself()
    {
        long before = await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, Live);
        string records = "document.querySelector('[data-chart=\"Recent records\"] > p').textContent";
        await Until(page, $"/^[1-9]/.test({records})");

        Worker.AppendClouds(200);
        long after = await Worker.VersionOf("clouds", before + 4);

        await Until(page, $"[...document.querySelectorAll('.tile')].some(tile => tile.textContent === 'version{after}')");
        await Until(page, $"document.querySelector('[data-chart=\"Step size\"] > p').textContent.includes('after {after} updates')");
        await Until(page, $"document.querySelector('#versions tbody td').textContent === '{after}'");
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Model_AfterTheWorkerWasAway_SaysSoAndGoesOn()
    {
        long before = await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, Live);

        await Worker.StopAsync();
        await Until(page, "document.getElementById('stream-state').textContent === 'reconnecting'");
        await Until(page, "document.getElementById('connection').textContent.includes('not reachable')");
        await Worker.StartAsync();

        await Until(page, Live);
        await Until(page, "document.querySelector('.notice').textContent.includes('connected again')");
        await Until(page, "document.getElementById('connection').textContent.includes('connected again')");
        Worker.AppendClouds(200);
        long after = await Worker.VersionOf("clouds", before + 4);
        await Until(page, $"document.querySelector('[data-chart=\"Step size\"] > p').textContent.includes('after {after} updates')");
        // Whatever was asked of nobody is told by the browser itself.
        Errors.RemoveAll(error => error.Contains("net::ERR_", StringComparison.Ordinal));
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Token_NoneOrWrong_IsAskedForAndTaken()
    {
        IPage page = await Open();
        await page.GoToAsync(new Uri(Worker.Address, "ui/").ToString());
        await Until(page, "document.querySelector('#token-box p')?.textContent === 'This worker wants a token.'");

        await page.TypeAsync("#token", "wrong");
        await page.Keyboard.PressAsync("Enter");
        await Until(page, "document.querySelector('#token-box p')?.textContent === 'The worker does not take this token.'");
        await page.EvaluateExpressionAsync("document.getElementById('token').value = ''");
        await page.TypeAsync("#token", DashboardWorker.Token);
        await page.Keyboard.PressAsync("Enter");

        await Until(page, "document.querySelectorAll('tbody tr').length === 11");
        Errors.RemoveAll(error => error.Contains("401", StringComparison.Ordinal));
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Score_OfARecordThatIsFilledIn_IsWhatTheApiSays()
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, "document.querySelectorAll('#score input').length === 4");

        string[] labels = await page.EvaluateExpressionAsync<string[]>(
            "[...document.querySelectorAll('#score label')].map(label => label.textContent)");
        Assert.Equal(["pump", "temperature", "pressure", DashboardWorker.Hostile], labels);
        await page.EvaluateExpressionAsync(
            "[...document.querySelectorAll('#score input')].forEach((input, at) => input.value = ['pump1', '0.1', '', '0.2'][at])");
        await page.ClickAsync("#score button[type=submit]");

        await Until(page, "document.querySelector('#score tbody')?.textContent.includes('p value')");
        Assert.Contains("component id", await Text(page, "#score tbody"), StringComparison.Ordinal);
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Versions_TwoOfThem_AreCompared()
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, "document.querySelectorAll('#versions select').length === 2");

        await page.EvaluateExpressionAsync(
            "[...document.querySelectorAll('#versions button')].find(button => button.textContent === 'Compare').click()");

        await Until(page, "document.querySelector('#versions').textContent.includes('nats per record (standard error')");
        await Until(page, "document.querySelector('#versions').textContent.includes('root mean square')");
        await ExpectHealthy(page);
    }

    [Theory]
    [InlineData("light", 1280)]
    [InlineData("dark", 1280)]
    [InlineData("light", 380)]
    public async Task Page_InAnyColoursAndWidth_IsAccessibleAndFits(string colours, int width)
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds", width, colours);
        await Until(page, Live);
        await Until(page, "isDrawn(document.querySelector('[data-block=\"covariances\"]'))");
        await Until(page, "document.querySelectorAll('[data-records=alarms] details').length > 0");
        await Until(page, "document.querySelectorAll('#versions select').length === 2");

        await ExpectAccessible(page);
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"));
        await page.GoToAsync(new Uri(Worker.Address, "ui/#/").ToString());
        await Until(page, "document.querySelectorAll('tbody tr').length === 11");
        await ExpectAccessible(page);
        Assert.Equal(0, await page.EvaluateExpressionAsync<int>("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"));
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Colours_Switched_AreKept()
    {
        IPage page = await OpenWithToken("ui/");
        Assert.Equal("light", await page.EvaluateExpressionAsync<string>("document.documentElement.dataset.theme"));

        await page.FocusAsync("#theme");
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Enter");

        Assert.Equal("dark", await page.EvaluateExpressionAsync<string>("document.documentElement.dataset.theme"));
        await page.ReloadAsync();
        Assert.Equal("dark", await page.EvaluateExpressionAsync<string>("document.documentElement.dataset.theme"));
    }
}
