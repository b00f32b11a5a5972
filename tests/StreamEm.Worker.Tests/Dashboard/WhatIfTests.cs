using PuppeteerSharp;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>Other settings tried on the last records, in a real browser.</summary>
public sealed class WhatIfTests(DashboardWorker worker, Browser browser)
    : DashboardPages(worker, browser), IClassFixture<DashboardWorker>, IClassFixture<Browser>
{
    [Fact]
    public async Task WhatIf_OfOtherSettings_ShowsBothAndWritesTheConfiguration()
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, "document.querySelectorAll('#what-if input[type=checkbox]').length === 3");

        await page.TypeAsync("#what-if input[name=components]", "1");
        await page.TypeAsync("#what-if input[name=alarm_threshold]", "0.1");
        await page.ClickAsync("#what-if button[type=submit]");
        await Until(page, "/^Replayed [0-9,]+ records twice in/.test(document.querySelector('#what-if [role=status]').textContent)");
        await Until(page, "isDrawn(document.querySelector('[data-chart=\"Log-likelihood of both\"]'))");
        await Until(page, "document.querySelector('#what-if').textContent.includes('what if')");
        await page.EvaluateExpressionAsync(
            "[...document.querySelectorAll('#what-if button')].find(button => button.textContent === 'Write this configuration').click()");

        await Until(page, "document.querySelector('#what-if textarea')?.value.includes('components: 1')");
        string written = await page.EvaluateExpressionAsync<string>("document.querySelector('#what-if textarea').value");
        Assert.StartsWith("models:\n  - id: clouds\n", written, StringComparison.Ordinal);
        Assert.Contains("threshold: 0.1", written, StringComparison.Ordinal);
        await ExpectAccessible(page);
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task WhatIf_ThatCannotBe_SaysWhy()
    {
        await Worker.VersionOf("clouds", 8);
        IPage page = await OpenWithToken("ui/#/model/clouds");
        await Until(page, "document.querySelectorAll('#what-if input[type=checkbox]').length === 3");

        await page.ClickAsync("#what-if button[type=submit]");

        await Until(page, "document.querySelector('#what-if .problem')?.textContent.includes('nothing that can be changed')");
        Errors.RemoveAll(error => error.Contains("400", StringComparison.Ordinal));
        await ExpectHealthy(page);
    }
}
