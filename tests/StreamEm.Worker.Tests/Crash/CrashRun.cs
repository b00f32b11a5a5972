using System.Globalization;
using System.Text;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>A directory with data and configuration for the real executable: three features, some of them missing, some records bad.</summary>
internal sealed class CrashRun : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public CrashRun(int rows, bool follow = false)
    {
        File.WriteAllText(_directory["data.csv"], Data(rows));
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: state
            models:
              - id: clouds
                source: { file: { path: [data.csv], format: csv, follow: {{(follow ? "true" : "false")}} } }
                features: [a, b, c]
                model: { type: gaussian_mixture, components: 3 }
                learning:
                  minibatch: { size: 32 }
                  initialization: { buffer: 256, n_init: 1 }
                checkpoint: { every_updates: 7, every: 1s }
                publish:
                  - file: { path: out/snapshots.ndjson }
                rejected: { file: out/rejected.ndjson }
            """);
    }

    public string Path => _directory.Path;

    public string Snapshots => _directory["out/snapshots.ndjson"];

    public string Rejected => _directory["out/rejected.ndjson"];

    public string State => _directory["state/clouds"];

    public WorkerProcess Start(params string[] arguments) => WorkerProcess.Start(Path, ["run", "-c", "streamem.yaml", .. arguments]);

    /// <summary>Runs to the end of the data.</summary>
    public async Task Finish()
    {
        (int code, string output, string errors) = await WorkerProcess.Run(Path, "run", "-c", "streamem.yaml", "--once");
        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
    }

    /// <summary>Bytes of whole published lines so far.</summary>
    public long PublishedBytes() => File.Exists(Snapshots) ? new FileInfo(Snapshots).Length : 0;

    public void Dispose() => _directory.Dispose();

    private static string Data(int rows)
    {
        var random = new Random(12345);
        var text = new StringBuilder("a,b,c\n");
        for (int row = 0; row < rows; row++)
        {
            double centre = 5 * random.Next(3);
            string Field() => random.Next(50) == 0 ? "" : (centre + random.NextDouble() + random.NextDouble()).ToString("F6", CultureInfo.InvariantCulture);
            if (random.Next(100) == 0) text.Append("bad,1,2\n");
            else text.Append(CultureInfo.InvariantCulture, $"{Field()},{Field()},{Field()}\n");
        }

        return text.ToString();
    }
}
