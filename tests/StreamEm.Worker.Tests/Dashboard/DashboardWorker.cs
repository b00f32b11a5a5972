using System.Globalization;
using System.Text;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>
/// A worker with models of many kinds, in this process: what the dashboard has to show. It can be stopped and started again on the same
/// port, and its streams go on when <see cref="AppendClouds"/> writes more.
/// </summary>
public sealed class DashboardWorker : IAsyncLifetime
{
    /// <summary>A feature whose name is an attack, were it ever put into a page as anything but text.</summary>
    public const string Hostile = "<img src=x onerror=document.title='hacked'>";

    public const string Token = "s3cret";

    private readonly TemporaryDirectory _directory = new();
    private readonly Random _random = new(5);
    private readonly RunningWorker _worker = new();
    private int _clouds;

    /// <summary>Where it listens.</summary>
    public Uri Address => _worker.Address;

    /// <summary>A client with the token.</summary>
    public HttpClient Client => _worker.Client;

    public async ValueTask InitializeAsync()
    {
        WriteData();
        Client.DefaultRequestHeaders.Add("Authorization", $"Bearer {Token}");
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>Starts it, on the port it had.</summary>
    public Task StartAsync() => _worker.StartAsync(Configuration());

    /// <summary>Stops it; nobody listens on its port then.</summary>
    public Task StopAsync() => _worker.StopAsync();

    /// <summary>The version that a model has when it is at least this one.</summary>
    public Task<long> VersionOf(string id, long atLeast) => _worker.VersionOf(id, atLeast);

    /// <summary>Writes more records of three clouds; the last is far from all.</summary>
    public void AppendClouds(int records)
    {
        var text = new StringBuilder();
        for (int record = 0; record < records; record++)
        {
            int cloud = _random.Next(3);
            bool isFar = record == records - 1;
            text.Append(CultureInfo.InvariantCulture, $"pump{_clouds % 4},{(isFar ? 60 : 8 * cloud) + Normal():F4},")
                .Append(CultureInfo.InvariantCulture, $"{(isFar ? -50 : (cloud == 1 ? 9 : 0)) + Normal():F4},{Normal():F4}\n");
            _clouds++;
        }

        File.AppendAllText(_directory["clouds.csv"], text.ToString());
    }

    private void WriteData()
    {
        File.WriteAllText(_directory["clouds.csv"], $"pump,temperature,pressure,\"{Hostile}\"\n");
        AppendClouds(600);
        File.WriteAllText(_directory["few.csv"], "a,b\n" + string.Concat(Enumerable.Range(0, 40).Select(row => $"{row},{row % 7}\n")));
        Write("levels.csv", "colour,size", 400, row => row % 2 == 0 ? $"{Pick("red", "green")},small" : $"blue,{Pick("large", "huge")}");
        Write("counts.csv", "calls,faults", 400, row => $"{(row % 2 == 0 ? _random.Next(4) : 8 + _random.Next(9))},{_random.Next(3)}");
        Write("walk.csv", "unit,level", 600, row => FormattableString.Invariant($"u{row % 3},{(row / 60 % 2 == 0 ? 0 : 5) + Normal():F3}"));
        Write("wide.csv", string.Join(',', WideFeatures()), 400,
            row => string.Join(',', WideFeatures().Select((_, d) => FormattableString.Invariant($"{(row % 2) * d + Normal():F3}"))));
        Write("line.csv", "speed,load,delay", 400, row =>
        {
            double speed = Normal(), load = Normal();
            return FormattableString.Invariant($"{speed:F3},{load:F3},{3 + 2 * speed - load + 0.3 * Normal():F3}");
        });
        Write("faults.csv", "site,noise,alarm", 400, row => $"{Pick("east", "west")},{(row % 3 == 0 ? "loud,yes" : "quiet,no")}");
        string[] first = ["pump", "valve", "pressure", "leak"], second = ["invoice", "payment", "bank", "due"];
        File.WriteAllLines(_directory["texts.ndjson"], Enumerable.Range(0, 300).Select(row =>
            $$"""{"text": "{{string.Join(' ', Enumerable.Range(0, 12).Select(_ => Pick(row % 2 == 0 ? first : second)))}}"}"""));
    }

    private void Write(string file, string header, int rows, Func<int, string> row) =>
        File.WriteAllLines(_directory[file], Enumerable.Range(0, rows).Select(row).Prepend(header));

    private static IEnumerable<string> WideFeatures() => Enumerable.Range(1, 20).Select(d => string.Create(
        CultureInfo.InvariantCulture, $"sensor_with_a_name_that_goes_on_and_on_{d}"));

    private string Configuration() => $$"""
        http: { address: "127.0.0.1:{{Address.Port}}", auth_token: {{Token}} }
        state_directory: "{{_directory["state"]}}"
        models:
        {{Model("clouds", "clouds.csv", $"temperature, pressure, \"{Hostile}\"", "{ type: gaussian_mixture, components: 3 }", 50, """
            key: pump
            alarms: { threshold: 0.01 }

        """, follow: true)}}
        {{Model("warming", "few.csv", "a, b", "{ type: gaussian_mixture, components: 2 }", 50, "", buffer: 1000, follow: true)}}
        {{Model("broken", "nothing-here.csv", "a, b", "{ type: gaussian_mixture, components: 2 }", 50, "")}}
        {{Model("categories", "levels.csv", "colour, size", "{ type: categorical_mixture, components: 2 }", 50, "")}}
        {{Model("counts", "counts.csv", "calls, faults", "{ type: poisson_mixture, components: 2 }", 50, "")}}
        {{Model("walk", "walk.csv", "level", "{ type: hidden_markov, states: 2, emission: { gaussian: {} } }", 60, "    key: unit\n")}}
        {{Model("wide", "wide.csv", string.Join(", ", WideFeatures()), "{ type: factor_analysis, factors: 2 }", 50, "")}}
        {{Model("line", "line.csv", "speed, load", "{ type: bayesian_linear_regression }", 50, "    target: delay\n")}}
        {{Model("faults", "faults.csv", "site, noise, alarm",
            "{ type: bayesian_network, nodes: { cause: { levels: 2, parents: [site] }, noise: { parents: [cause] }, "
                + "alarm: { parents: [cause, site] } } }",
            50, "")}}
        {{Model("topics", "texts.ndjson", "text", "{ type: latent_dirichlet_allocation, topics: 2 }", 50, "")}}
          - id: waiting
            source: { http: {} }
            features: [a, b]
            model: { type: gaussian_mixture, components: 2 }
            rejected: { file: "{{_directory["waiting.rejected.ndjson"]}}" }
        """;

    private string Model(
        string id, string file, string features, string model, int minibatch, string more, int buffer = 150, bool follow = false) => $$"""
          - id: {{id}}
            source:
              file:
                path: ["{{_directory[file]}}"]
                format: {{(file.EndsWith(".ndjson", StringComparison.Ordinal) ? "ndjson" : "csv")}}
                follow: {{(follow ? "true" : "false")}}
            features: [{{features}}]
        {{more}}    model: {{model}}
            learning:
              minibatch: { size: {{minibatch}} }
              initialization: { buffer: {{buffer}}, n_init: 1, max_wait: null }
            checkpoint: { every: 200ms, every_updates: 1 }
            rejected: { file: "{{_directory[$"{id}.rejected.ndjson"]}}" }
        """;

    private string Pick(params string[] from) => from[_random.Next(from.Length)];

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
