using System.Globalization;
using Confluent.Kafka.Admin;
using PuppeteerSharp;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>Takes the pictures of the documentation, when asked to by <c>./build.sh screenshots</c>.</summary>
public sealed class ScreenshotTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static string Root => Environment.GetEnvironmentVariable("STREAMEM_CHECKOUT")
        ?? throw new InvalidOperationException("STREAMEM_CHECKOUT is not set.");

    public void Dispose() => _directory.Dispose();

    [Fact(Explicit = true)]
    public async Task Pictures_OfTheDocumentation_AreTaken()
    {
        string root = Root;
        await using var worker = new RunningWorker();
        await worker.StartAsync(Configuration(root));
        await worker.VersionOf("earthquakes", 33);
        await worker.VersionOf("routes", 60);
        await worker.VersionOf("flights", 190);
        Uri at = worker.Address;

        await Take(at, "ui/#/model/earthquakes", 1280, 1560, "light", Path.Combine(root, "docs/images/dashboard-light.png"));
        await Take(at, "ui/#/model/routes", 1280, 1300, "dark", Path.Combine(root, "docs/images/dashboard-dark.png"), "parameters");
        await Take(at, "ui/#/model/earthquakes", 390, 1500, "light", Path.Combine(root, "docs/images/dashboard-phone.png"));
        await Take(
            at, "ui/#/model/flights", 1280, 760, "light", Path.Combine(root, "docs/images/dashboard-intervals.png"), "parameters");
        await Take(at, "ui/#/model/earthquakes", 1280, 900, "light", Path.Combine(root, "docs/images/dashboard-what-if.png"), "what-if",
            async page =>
            {
                await page.TypeAsync("#what-if input[name=components]", "3");
                await page.TypeAsync("#what-if input[name=alarm_threshold]", "0.02");
                await page.ClickAsync("#what-if button[type=submit]");
                await page.WaitForFunctionAsync(
                    "() => /^Replayed /.test(document.querySelector('#what-if [role=status]').textContent)");
            });
    }

    [Fact(Explicit = true)]
    public async Task PictureOfWorkers_ThatLearnAModelTogether_IsTaken()
    {
        const int Partitions = 6, Rows = 40_000;
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        await broker.Admin.CreateTopicsAsync([new TopicSpecification { Name = "sensors", NumPartitions = Partitions }]);
        using var fleet = new ScaleOutFleet(Shared(broker));
        fleet.Start("one", "two", "three");
        await fleet.HasReducer();
        var random = new Random(1);
        for (int partition = 0; partition < Partitions; partition++)
            broker.Produce("sensors", partition, Enumerable.Range(0, Rows + 500 * partition).Select(_ => Row(random)));
        await using (var watch = new ModelWatch(fleet.Model)) await watch.Until(Partitions * Rows);

        await Take(await fleet["one"].Address(), "ui/#/model/boiler", 1280, 352, "light",
            Path.Combine(Root, "docs/images/dashboard-workers.png"), "workers");
    }

    private static string Row(Random random)
    {
        int state = random.Next(3);
        (double temperature, double pressure) = (60 + 8 * state + random.NextDouble(), 1.5 + 0.2 * state + 0.1 * random.NextDouble());
        return string.Create(CultureInfo.InvariantCulture, $"{{\"temperature\":{temperature:F2},\"pressure\":{pressure:F3}}}");
    }

    private async Task Take(Uri worker, string path, int width, int height, string colours, string file, string? section = null,
        Func<IPage, Task>? prepare = null)
    {
        IPage page = await browser.Open(width, height);
        await page.EmulateMediaFeaturesAsync([new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = colours }]);
        await page.GoToAsync(new Uri(worker, path).ToString());
        // The second poll tells speeds, the second look has everything drawn.
        await page.WaitForFunctionAsync("""
            () => new Promise(resolve => setTimeout(() => resolve(true), 6000))
            """);
        if (prepare is not null) await prepare(page);
        if (section is not null)
            await page.EvaluateFunctionAsync("id => document.getElementById(id).scrollIntoView({ behavior: 'instant' })", section);
        await page.ScreenshotAsync(file);
        await page.BrowserContext.CloseAsync();
    }

    private static string Shared(KafkaBroker broker) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: boiler
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [sensors] } }
            features: [temperature, pressure]
            model: { type: gaussian_mixture, components: 3 }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: 512 }
            scale_out:
              statistics_topic: boiler-statistics
              model_topic: boiler-model
        """;

    private string Configuration(string root) => $$"""
        http: { address: "127.0.0.1:0" }
        state_directory: "{{_directory["state"]}}"
        models:
          - id: earthquakes
            source: { file: { path: ["{{root}}/samples/earthquakes_week.csv"], follow: true } }
            features: [lon, lat, mag]
            model: { type: gaussian_mixture, components: 6, reg_covar: 1.0e-4 }
            learning: { minibatch: { size: 50 }, initialization: { buffer: 500 } }
            alarms: { threshold: 0.005, rest: 50 }
            checkpoint: { every: 200ms, every_updates: 1 }
            rejected: { file: "{{_directory["earthquakes.ndjson"]}}" }
          - id: routes
            source: { file: { path: ["{{root}}/samples/flights_20k.csv"] } }
            features: [origin, destination]
            model: { type: categorical_mixture, components: 5, max_levels: 64 }
            learning: { minibatch: { size: 256 } }
            checkpoint: { every: 200ms, every_updates: 1 }
            rejected: { file: "{{_directory["routes.ndjson"]}}", stop_above_ratio: 1 }
          - id: flights
            source: { file: { path: ["{{root}}/samples/flights_20k.csv"] } }
            features: [delay, distance]
            model: { type: gaussian_mixture, components: 3, covariance_type: diag }
            learning: { intervals: true, minibatch: { size: 100 } }
            rejected: { file: "{{_directory["flights.ndjson"]}}" }
          - id: delays
            source: { file: { path: ["{{root}}/samples/flights_20k.csv"] } }
            features: [distance]
            target: delay
            model: { type: bayesian_linear_regression }
            learning: { minibatch: { size: 500 } }
            rejected: { file: "{{_directory["delays.ndjson"]}}" }
          - id: new-sensor
            source: { file: { path: ["{{root}}/samples/nile.csv"], follow: true } }
            features: [flow]
            model: { type: gaussian_mixture, components: 3 }
            learning: { initialization: { buffer: 500, max_wait: null } }
            rejected: { file: "{{_directory["new.ndjson"]}}" }
        """;
}
