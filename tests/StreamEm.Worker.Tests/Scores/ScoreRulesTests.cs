using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.Scores;

public sealed class ScoreRulesTests
{
    [Theory]
    [InlineData("scores: [ { file: { path: s, abvoe: 0.9 } } ]", "did you mean 'above'")]
    [InlineData("scores: [ { fiel: { path: s } } ]", "did you mean 'file'")]
    [InlineData("scores: [ { file: { path: s, include: [temprature] } } ]", "did you mean 'temperature'")]
    [InlineData("scores: [ { file: { path: s, include: some } } ]", "expected none, all, or a list of fields")]
    [InlineData("scores: [ { file: { path: s, above: 1 } } ]", "above")]
    [InlineData("scores: [ { stdout: { alarms_only: true } } ]", "add 'alarms: {}'")]
    [InlineData("scores: [ { stdout: {} }, { stdout: {} } ]", "to standard output twice")]
    [InlineData("scores: [ { webhook: { url: 'ftp://host/' } } ]", "expected an address such as https://host/path")]
    [InlineData("scores: [ { webhook: { url: 'https://me:secret@host/' } } ]", "without user and password")]
    [InlineData("alarms: { treshold: 0.01 }", "did you mean 'threshold'")]
    [InlineData("alarms: { min_gap: 1m }", "name the field of their time with 'timestamp'")]
    [InlineData("alarms: { clear: 0.001 }", "below alarms.threshold")]
    [InlineData("alarms: { min_deviation: { presure: 1 } }", "did you mean 'pressure'")]
    [InlineData("alarms: { direction: sideways }", "direction")]
    [InlineData("per_key: true", "name the field of the key with 'key'")]
    [InlineData("key: device\n    per_key: true", "set model.components to {max: 8}")]
    [InlineData("key: device\n    per_key: true\n    alarms: { false_discovery_rate: 0.05 }", "use alarms.threshold with per_key")]
    [InlineData("feedback: { memory: 0 }", "memory")]
    [InlineData("publish: [ { file: { path: s } } ]\n    scores: [ { file: { path: s } } ]", "also written at")]
    public void Validate_AMistake_SaysWhatIsMeant(string keys, string expected) =>
        Assert.Contains(ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\n    {keys}"),
            problem => problem.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Validate_AScoreFileThatIsRead_IsRefused()
    {
        string yaml = $"{ConfigFile.Minimal.Replace("stdin: {}", "file: { path: ['./*.ndjson'] }", StringComparison.Ordinal)}\n"
            + "    scores: [ { file: { path: scores.ndjson } } ]";
        Assert.Contains(ConfigFile.ProblemsOf(yaml), problem => problem.Contains("which is a source of model", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_EveryKey_IsRead()
    {
        using var file = new ConfigFile($"{ConfigFile.Minimal}\n" + """
                timestamp: t
                scores:
                  - file: { path: s, include: all, above: 0.99, sample: 0.5, alarms_only: true }
                  - stdout:
                  - kafka: { brokers: [localhost:9092], topic: scored, include: [pressure], unavailable_after: null }
                  - webhook: { url: https://host/path, secret: hush, timeout: 3s, batch_records: 7, unavailable_after: 1h }
                alarms: { threshold: 0.001, clear: 0.1, rest: 5, min_gap: 1m, min_deviation: { pressure: 2 }, direction: up, max_keys: 9 }
            """);
        ModelOptions model = file.Load().Options!.Models[0];

        Assert.Equal(new ScoreSelection { Include = FieldSelection.All, Above = 0.99, Sample = 0.5, AlarmsOnly = true },
            model.Scores[0].Selection);
        Assert.IsType<StdoutScoreOptions>(model.Scores[1]);
        Assert.Equal(["pressure"], Assert.IsType<KafkaScoreOptions>(model.Scores[2]).Selection.Include.Names);
        var webhook = Assert.IsType<WebhookScoreOptions>(model.Scores[3]);
        Assert.Equal(("hush", TimeSpan.FromSeconds(3), 7, TimeSpan.FromHours(1)),
            (webhook.Secret!, webhook.Timeout, webhook.BatchRecords, webhook.UnavailableAfter));
        Assert.Equal((0.001, 0.1, 5, TimeSpan.FromMinutes(1), 2.0, 9), (model.Alarms!.Threshold, model.Alarms.Clear, model.Alarms.Rest,
            model.Alarms.MinGap, model.Alarms.MinDeviation["pressure"], model.Alarms.MaxKeys));
        Assert.DoesNotContain(model.Values, pair => pair.Value.Contains("hush", StringComparison.Ordinal));
    }
}
