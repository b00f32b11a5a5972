using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary><c>validate --connect --data</c>: what is outside is tried, what a run takes is measured, and nothing is left behind.</summary>
public sealed partial class RehearsalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public RehearsalTests()
    {
        var text = new StringBuilder("x,y,kind\n");
        foreach (double[]? row in Pipelines.Clouds(3000)) text.Append(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R},good\n");
        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Connect_WhatIsThere_IsFoundAndNothingIsLeft()
    {
        CommandRun run = await Validate($"file: {{ path: ['{_directory["data.csv"]}'], follow: true }}", "", "--connect");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("ok      clouds: source: of the first 1024 records 1024 can be used\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("ok      state_directory: ", run.Output, StringComparison.Ordinal);
        Assert.Equal(["data.csv", "streamem.yaml"], Directory.GetFileSystemEntries(_directory[""]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Connect_WhatIsNotThere_IsToldWithItsExitCode()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        CommandRun run = await Validate($"file: {{ path: ['{_directory["nothing.csv"]}'] }}",
            "scores: [ webhook: { url: 'http://127.0.0.1:1/hook' } ]", "--connect", "-s", $"http.address=127.0.0.1:{port}");

        Assert.Equal(ExitCode.Unavailable, run.ExitCode);
        Assert.Contains("FAILED  http.address: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("FAILED  clouds: source: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("nothing.csv", run.Output, StringComparison.Ordinal);
        Assert.Contains("FAILED  clouds: scores: ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_RecordsThatCannotBeUsed_AreToldWithTheFirstReason()
    {
        File.WriteAllText(_directory["bad.csv"], "x,y,kind\nhot,1,good\n1,2,bad\n1,2,good\n");
        CommandRun run =
            await Validate($"file: {{ path: ['{_directory["bad.csv"]}'] }}", "where: kind == 'good'", "--connect");

        Assert.Contains("of the first 3 records 1 can be used, 1 passed over (where), 1 not: column 'x' holds a text", run.Output,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stdin: {}", true)]
    [InlineData("file: { path: [DATA] }", false)]
    public async Task Data_OfAnySource_IsRehearsedAndMeasured(string source, bool isNamed)
    {
        string data = _directory["data.csv"];
        CommandRun run = await Validate(source.Replace("DATA", $"'{data}'", StringComparison.Ordinal),
            $"scores: [ file: {{ path: '{_directory["scores.ndjson"]}' }} ]", isNamed ? ["--data", data] : ["--data"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(First(), run.Output);
        Assert.Matches("checkpoints +[0-9.]+ kB each", run.Output);
        Assert.Matches("versions +[0-9.]+ kB each", run.Output);
        Assert.Matches("scores +[0-9]+ MB for a million records", run.Output);
        Assert.Matches("memory +[0-9.]+ [MG]B at most", run.Output);
        Assert.False(File.Exists(_directory["scores.ndjson"]));
        Assert.False(Directory.Exists(_directory["state"]));
    }

    [Fact]
    public async Task Data_FewerRecordsThanTheBuffer_SaysHowManyThereWere()
    {
        string text = string.Concat(File.ReadLines(_directory["data.csv"]).Take(41).Select(line => line + "\n"));
        File.WriteAllText(_directory["few.csv"], text);
        CommandRun run = await Validate("stdin: {}", "", "--data", _directory["few.csv"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(" s, found in all 40 records; a run takes 300, or learning.initialization.max_wait", run.Output,
            StringComparison.Ordinal);
    }

    private Task<CommandRun> Validate(string source, string more, params string[] arguments)
    {
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: "127.0.0.1:0" }
            state_directory: '{{_directory["state"]}}'
            models:
              - id: clouds
                source: { {{source}} }
                features: [x, y]
                model: { type: gaussian_mixture, components: 2 }
                learning: { minibatch: { size: 100 }, initialization: { buffer: 300 } }
            {{(more.Length == 0 ? "" : $"    {more}")}}
            """);
        return CommandRun.Of(Verbs.CreateRoot(), ["validate", "-c", _directory["streamem.yaml"], .. arguments]);
    }

    [GeneratedRegex("first version +after [0-9.]+ s, found in the first 300 records", RegexOptions.None, 1000)]
    private static partial Regex First();
}
