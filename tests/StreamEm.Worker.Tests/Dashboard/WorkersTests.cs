using PuppeteerSharp;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>The workers that learn a model together, in a real browser.</summary>
public sealed class WorkersTests(DashboardWorker worker, Browser browser, KafkaBroker broker)
    : DashboardPages(worker, browser), IClassFixture<DashboardWorker>, IClassFixture<Browser>, IDisposable
{
    private const int Rows = 6400;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Workers_OfAModelThatSeveralLearn_AreShownWithTheirPartitions()
    {
        broker.NeedsRealBroker("describes no groups");
        IPage page = await Open();
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        await using var shared = new RunningWorker();
        await shared.StartAsync(
            $"state_directory: \"{_directory["state"]}\"\n{ScaleOutFleet.Clouds(broker, topic)}");
        await page.GoToAsync(new Uri(shared.Address, "ui/#/model/clouds").ToString());

        await Until(
            page, "document.querySelector('#workers p')?.textContent.includes('; 0 records are not in the model yet. Minibatches')");

        Assert.StartsWith($"1 worker of group {topic}", await Text(page, "#workers p"), StringComparison.Ordinal);
        string text = await Text(page, "#workers");
        Assert.Contains($"{Environment.MachineName}-", text, StringComparison.Ordinal);
        Assert.Contains("(this one)", text, StringComparison.Ordinal);
        for (int number = 0; number < KafkaBroker.MockPartitions; number++)
            Assert.Contains($"{topic}/{number}", text, StringComparison.Ordinal);
        await ExpectAccessible(page);
        await ExpectHealthy(page);
    }

    [Fact]
    public async Task Workers_OfAModelOfOneWorker_AreNotShown()
    {
        IPage page = await OpenWithToken("ui/#/model/categories");

        await Until(page, "isDrawn(document.querySelector('[data-block=\"weights\"]'))");

        Assert.True(await page.EvaluateExpressionAsync<bool>("document.querySelector('#workers').hidden"));
    }
}
