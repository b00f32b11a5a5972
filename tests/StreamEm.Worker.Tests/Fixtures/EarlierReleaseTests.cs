using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Fixtures;

/// <summary>
/// What an earlier release wrote is read forever. Not compared is what is defined otherwise since: the calibration of anomaly scores, and
/// with it the scores of records with values missing; what weighted records are worth, and with it the last minibatch, which is cut short.
/// Each folder holds data, a configuration, the state after part-1.csv, the versions that
/// release published after part-2.csv, and the scores of part-2.csv under the last of them. Numbers agree to 1e-9, not to the byte: kernels
/// differ between processors.
/// </summary>
public sealed class EarlierReleaseTests : IDisposable
{
    private const double Tolerance = 1e-9;
    private const int VersionsBefore = 6, Versions = 11;

    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string> Models => ["full", "tied", "diag", "spherical", "warming"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_OnTheState_GoesOnToTheVersionsOfThatRelease()
    {
        Copy("0.1.0");
        Dictionary<string, string> runs = Models.ToDictionary(model => model.Data,
            model => Lines($"versions/{model.Data}.ndjson")[0].GetProperty("model").GetProperty("run_id").GetString()!,
            StringComparer.Ordinal);

        (int code, string output, string errors) = await WorkerProcess.Run(_directory.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
        foreach ((string model, string run) in runs)
        {
            Assert.Contains(output.Split('\n'),
                line => line.Contains("\"event\":\"run_resumed\"", StringComparison.Ordinal)
                    && line.Contains(run, StringComparison.Ordinal));
            Dictionary<long, JsonElement> before = Lines($"versions/{model}.ndjson")
                .ToDictionary(line => line.GetProperty("version").GetInt64());
            JsonElement[] now = Lines($"out/{model}.ndjson");
            int first = model == "warming" ? 1 : VersionsBefore + 1;
            Assert.Equal(Enumerable.Range(first, Versions - first + 1).Select(version => (long)version),
                now.Select(line => line.GetProperty("version").GetInt64()).Where(version => version >= first));
            foreach (JsonElement line in now)
            {
                JsonElement old = before[line.GetProperty("version").GetInt64()];
                // A model that was still filling its buffer starts as this release does, which weighs the buffer's records.
                bool isOther = model == "warming" || line.GetProperty("version").GetInt64() == Versions;
                foreach (string part in (string[])[
                    .. isOther ? (string[])[] : ["parameters"], "standardization", "source", "component_ids", "labels", "signature"])
                    if (old.TryGetProperty(part, out JsonElement value)) AssertSame(value, line.GetProperty(part), $"{model}.{part}");
                foreach (string number in (string[])[
                    .. isOther ? (string[])[] : ["step_size", "mean_log_likelihood"], "records", "updates", "status"])
                    AssertSame(old.GetProperty("training").GetProperty(number), line.GetProperty("training").GetProperty(number),
                        $"{model}.{number}");
                Assert.Equal(run, line.GetProperty("model").GetProperty("run_id").GetString());
            }
        }
    }

    [Fact]
    public async Task Score_UnderTheLastVersion_GivesTheScoresOfThatRelease()
    {
        Copy("0.1.0");
        await File.WriteAllTextAsync(_directory["last.json"], File.ReadLines(_directory["versions/full.ndjson"]).Last());

        (int code, string output, string errors) = await WorkerProcess.Run(_directory.Path, "score", "last.json", "part-2.csv");

        Assert.True(code == 0, errors);
        JsonElement[] before = Lines("scores-full.ndjson"),
            now = [.. output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(300, now.Length);
        Assert.Equal(before.Length, now.Length);
        string[] records = [.. File.ReadLines(_directory["part-2.csv"]).Skip(1)];
        for (int row = 0; row < now.Length; row++)
            foreach (JsonProperty value in before[row].EnumerateObject())
                if (value.Name != "anomaly_score" || !records[row].Split(',').Take(3).Contains(""))
                    AssertSame(value.Value, now[row].GetProperty(value.Name), $"record {row}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Inspect_ItsSnapshotsAndCheckpoints_ShowsThem(string model)
    {
        Copy("0.1.0");
        JsonElement last = Lines($"versions/{model}.ndjson")[^1];
        Assert.Equal("1.0", last.GetProperty("format_version").GetString());

        (int code, string shown, string errors) = await WorkerProcess.Run(_directory.Path, "inspect", $"versions/{model}.ndjson");
        (int checkpointCode, string checkpoint, _) =
            await WorkerProcess.Run(_directory.Path, "inspect", Directory.GetFiles(_directory[$"state/{model}"], "*.sem").Single());

        Assert.True(code == 0, errors);
        string run = last.GetProperty("model").GetProperty("run_id").GetString()!;
        foreach (string expected in (string[])[
            $"{model}: gaussian_mixture (components 3", run, "700 records in 11 updates", "part-2.csv at 8997", "c0", "c1", "c2"])
            Assert.Contains(expected, shown, StringComparison.Ordinal);
        Assert.Equal(0, checkpointCode);
        // The one that was still filling its buffer has no version whose run could be told.
        if (model != "warming") Assert.Contains(run, checkpoint, StringComparison.Ordinal);
        Assert.Contains("part-1.csv", checkpoint, StringComparison.Ordinal);
    }

    /// <summary>
    /// Compares JSON: numbers to the tolerance, relative to the larger, everything else exactly; what is new is passed over.
    /// </summary>
    internal static void AssertSame(JsonElement before, JsonElement now, string path)
    {
        Assert.True(before.ValueKind == now.ValueKind, $"{path} was {before.GetRawText()} and is {now.GetRawText()}");
        switch (before.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in before.EnumerateObject())
                    AssertSame(property.Value, now.GetProperty(property.Name), $"{path}.{property.Name}");
                break;
            case JsonValueKind.Array:
                Assert.Equal(before.GetArrayLength(), now.GetArrayLength());
                for (int at = 0; at < before.GetArrayLength(); at++) AssertSame(before[at], now[at], $"{path}[{at}]");
                break;
            case JsonValueKind.Number:
                double expected = before.GetDouble(), found = now.GetDouble();
                // A responsibility of 1e-300 has few digits that mean anything: densities agree to the tolerance, and so do their
                // logarithms.
                bool isSame = Math.Abs(found - expected) <= Tolerance * Math.Max(Math.Abs(expected), Math.Abs(found))
                    || (Math.Abs(expected) < Tolerance && Math.Abs(found) < Tolerance);
                Assert.True(isSame, $"{path} was {before.GetRawText()} and is {now.GetRawText()}");
                break;
            default:
                Assert.Equal(before.GetRawText(), now.GetRawText());
                break;
        }
    }

    private JsonElement[] Lines(string file) => [.. File.ReadLines(_directory[file]).Select(line => JsonDocument.Parse(line).RootElement)];

    private void Copy(string release)
    {
        string from = Path.Combine(AppContext.BaseDirectory, "Fixtures", release);
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string to = _directory[Path.GetRelativePath(from, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
    }
}
