using System.Globalization;
using System.Text;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>
/// A directory with data and configuration for the real executable: three features, some of them missing, some records bad.
/// </summary>
internal sealed class CrashRun : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public CrashRun(int rows, bool follow = false)
        : this(
            Data(rows), follow, """
            features: [a, b, c]
            model: { type: gaussian_mixture, components: 3 }
            learning: { minibatch: { size: 32, max_wait: null }, initialization: { buffer: 256, n_init: 1, max_wait: null } }
            """)
    {
    }

    private CrashRun(string data, bool follow, string model)
    {
        File.WriteAllText(_directory["data.csv"], data);
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: state
            models:
              - id: clouds
                source: { file: { path: [data.csv], format: csv, follow: {{(follow ? "true" : "false")}} } }
            {{string.Join('\n', model.Split('\n').Select(line => "    " + line))}}
                checkpoint: { every_updates: 7, every: 1s }
                publish:
                  - file: { path: out/snapshots.ndjson }
                scores:
                  - file: { path: out/scores.ndjson, include: all }
                  - file: { path: out/alarms.ndjson, alarms_only: true }
                alarms: { rest: 20 }
                rejected: { file: out/rejected.ndjson }
            """);
    }

    public string Path => _directory.Path;

    public string Snapshots => _directory["out/snapshots.ndjson"];

    public string Rejected => _directory["out/rejected.ndjson"];

    public string Scores => _directory["out/scores.ndjson"];

    public string Alarms => _directory["out/alarms.ndjson"];

    public string State => _directory["state/clouds"];

    /// <summary>Sequences of so many keys through a hidden Markov model that remembers some of them, and learns a lag behind.</summary>
    public static CrashRun OfSequences(int rows, int keys, int maxKeys, int lag = 0) => new(
        SequenceData(rows, keys), follow: false, $$"""
        features: [a, b]
        key: device
        model: { type: hidden_markov, states: 3, max_keys: {{maxKeys}}, sequences: { lag: {{lag}} } }
        learning: { minibatch: { size: 512 }, initialization: { buffer: 1024, n_init: 1 } }
        """);

    /// <summary>The same data through a mixture that grows.</summary>
    public static CrashRun OfGrowth(int rows) => new(
        Data(rows), follow: false, """
        features: [a, b, c]
        model: { type: gaussian_mixture, components: { max: 8 } }
        learning: { minibatch: { size: 200, max_wait: null } }
        """);

    public WorkerProcess Start(params string[] arguments) => WorkerProcess.Start(Path, ["run", "-c", "streamem.yaml", .. arguments]);

    /// <summary>Runs with a width of vectors: portable, avx2 or avx512.</summary>
    public WorkerProcess StartWith(string kernels) =>
        WorkerProcess.StartWith(kernels, Path, "run", "-c", "streamem.yaml", "--once");

    /// <summary>Runs to the end of the data.</summary>
    public async Task Finish()
    {
        (int code, string output, string errors) = await WorkerProcess.Run(Path, "run", "-c", "streamem.yaml", "--once");
        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
    }

    /// <summary>Bytes of whole published lines so far.</summary>
    public long PublishedBytes() => File.Exists(Snapshots) ? new FileInfo(Snapshots).Length : 0;

    /// <summary>
    /// Kills a run. A third of the kills comes at any time from the start of the process on, the others a moment after so much was
    /// published.
    /// </summary>
    public async Task KillSomewhere(WorkerProcess process, Random random, long share)
    {
        if (random.Next(3) > 0)
        {
            long target = PublishedBytes() + (long)(random.NextDouble() * share);
            await Eventually.True(() => PublishedBytes() > target || process.HasExited, "more to be published");
        }
        else
        {
            await Task.Delay(random.Next(300));
        }

        await Task.Delay(random.Next(10));
        process.Kill();
    }

    public void Dispose() => _directory.Dispose();

    private static string SequenceData(int rows, int keys)
    {
        var random = new Random(54321);
        int[] states = new int[keys];
        var text = new StringBuilder("device,a,b\n");
        for (int row = 0; row < rows; row++)
        {
            int key = random.Next(keys);
            if (random.Next(10) == 0) states[key] = random.Next(3);
            string Field() => random.Next(50) == 0
                ? ""
                : (5 * states[key] + random.NextDouble() + random.NextDouble()).ToString("F4", CultureInfo.InvariantCulture);
            if (random.Next(1000) == 0) text.Append("device0,bad,1\n");
            else text.Append(CultureInfo.InvariantCulture, $"device{key},{Field()},{Field()}\n");
        }

        return text.ToString();
    }

    private static string Data(int rows)
    {
        var random = new Random(12345);
        var text = new StringBuilder("a,b,c\n");
        for (int row = 0; row < rows; row++)
        {
            double centre = 5 * random.Next(3);
            string Field() => random.Next(50) == 0
                ? ""
                : (centre + random.NextDouble() + random.NextDouble()).ToString("F6", CultureInfo.InvariantCulture);
            if (random.Next(100) == 0) text.Append("bad,1,2\n");
            else text.Append(CultureInfo.InvariantCulture, $"{Field()},{Field()},{Field()}\n");
        }

        return text.ToString();
    }
}
