using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Fixtures;

/// <summary>
/// States in forms before the one that is written now: a mixture that grows, one that is gated, and a hidden Markov model, each after
/// part-1.csv; the program that wrote them went on with part-2.csv to these last versions and first scores. Numbers agree to 1e-9.
/// </summary>
public sealed class EarlierStatesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("state-7")]
    [InlineData("state-8")]
    public async Task Run_OnAStateOfAnEarlierForm_GoesOnAsTheProgramThatWroteIt(string folder)
    {
        Copy(folder);

        (int code, string output, string errors) = await WorkerProcess.Run(_directory.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
        foreach (string model in (string[])["grown", "fixed", "chain"])
        {
            Dictionary<long, JsonElement> now = Lines($"out/{model}.ndjson").ToDictionary(line => Number(line, "version"));
            foreach (JsonElement before in Lines($"versions/{model}.ndjson"))
            {
                JsonElement same = now[Number(before, "version")];
                string path = string.Create(CultureInfo.InvariantCulture, $"{model} {Number(before, "version")}");
                EarlierReleaseTests.AssertSame(before.GetProperty("parameters"), same.GetProperty("parameters"), path);
                foreach (string number in (string[])["records", "updates", "mean_log_likelihood", "status"])
                    EarlierReleaseTests.AssertSame(
                        before.GetProperty("training").GetProperty(number), same.GetProperty("training").GetProperty(number), path);
            }
        }

        foreach (string model in (string[])["grown", "fixed"])
        {
            JsonElement[] before = Lines($"versions/{model}-scores.ndjson"), now = Lines($"out/{model}-scores.ndjson");
            Assert.NotEmpty(before);
            Assert.Equal(300, now.Length);
            for (int line = 0; line < before.Length; line++)
                EarlierReleaseTests.AssertSame(
                    before[line], now[line], string.Create(CultureInfo.InvariantCulture, $"{model} line {line}"));
        }
    }

    private static long Number(JsonElement line, string name) => line.GetProperty(name).GetInt64();

    private JsonElement[] Lines(string file) => [.. File.ReadLines(_directory[file]).Select(line => JsonDocument.Parse(line).RootElement)];

    private void Copy(string folder)
    {
        string from = Path.Combine(AppContext.BaseDirectory, "Fixtures", folder);
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string to = _directory[Path.GetRelativePath(from, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
    }
}
