using StreamEm.Worker.Api;
using StreamEm.Worker.Display;
using StreamEm.Worker.Watching;

namespace StreamEm.Worker.Tests.Watching;

public sealed class WatchViewTests
{
    private static readonly Uri Address = new("http://127.0.0.1:8080");
    private static readonly DateTimeOffset Start = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Lines_OfAModelThatLearns_TellItAll()
    {
        WatchedModel model = Model();

        Assert.Equal(
            [
                "http://127.0.0.1:8080  1 model",
                "",
                "boiler  learning  version 12  1,200 records  50/s  7 behind  3 alarms, 1 active",
                "  log-likelihood  -2         ▁▅█",
                "  weights, %      25.0 75.0",
                "  5 records rejected",
                "  a warning of  two lines",
            ],
            Texts(new WatchView(80, isUnicode: true), null, model));
    }

    [Fact]
    public void Lines_OnANarrowTerminal_AreCutAndNotWrapped()
    {
        string[] lines = Texts(new WatchView(24, isUnicode: false), "Connection refused (127.0.0.1:8080)", Model());

        Assert.All(lines, line => Assert.InRange(line.Length, 0, 24));
        Assert.Equal("not reachable, trying ag", lines[1]);
    }

    [Fact]
    public void Lines_OfAModelThatWarmsUp_SayHowFarItIs()
    {
        var model = new WatchedModel("m");
        model.Take(
            Summary("warming_up") with
            {
                Version = 0,
                Records = 0,
                MeanLogLikelihood = null,
                Progress = new WarmUp(300, 1536),
                Alarms = null,
                Warnings = [],
                RecordsRejected = new Dictionary<string, long>(),
                SourceLag = null
            }, Start);

        Assert.Equal(["m  warming_up  version 0  0 records", "  the first parameters come with 1,536 records, 300 are here"],
            Texts(new WatchView(80, isUnicode: true), null, model)[2..]);
    }

    [Fact]
    public void Line_OfAChange_IsWhatProgramsRead() => Assert.Equal(
        "2026-11-20T08:00:09Z boiler learning version=12 records=1200 records_per_second=50 mean_log_likelihood=-2 alarms=3 "
            + "alarms_active=1",
        WatchView.Line(Model(), Start.AddSeconds(9)));

    [Fact]
    public void Take_OfAnotherRun_ForgetsTheLikelihoodsOfTheFormer()
    {
        WatchedModel model = Model();
        model.Take(new WatchedVersion("other", 1, 100, -9, []));

        Assert.Equal([-9.0], model.Likelihoods);
        Assert.Equal((1, 100), (model.Version, model.Records));
    }

    [Theory]
    [InlineData(new double[0], 5, "")]
    [InlineData(new[] { 1.0, 1, 1 }, 5, "▅▅▅")]
    [InlineData(new[] { 0.0, 1, 2, 3, 4, 5, 6, 7 }, 20, "▁▂▃▄▅▆▇█")]
    [InlineData(new[] { 9.0, 0, 7, double.NaN, 3.5 }, 4, "▁█ ▅")]
    public void Sparkline_GoesFromTheLowestToTheHighest(double[] values, int width, string line) =>
        Assert.Equal(line, Sparkline.Of(values, width));

    private static string[] Texts(WatchView view, string? problem, WatchedModel model) =>
        [.. view.Lines(Address, problem, [model]).Select(line => string.Concat(line.Select(piece => piece.Text)))];

    private static WatchedModel Model()
    {
        var model = new WatchedModel("boiler");
        model.Take(Summary("learning") with { Records = 1100 }, Start);
        for (int version = 10; version <= 12; version++)
            model.Take(new WatchedVersion("run", version, 100 * version, version - 14, [0.25, 0.75]));
        model.Take(Summary("learning"), Start.AddSeconds(2));
        return model;
    }

    private static ModelSummary Summary(string status) => new(
        "boiler", "gaussian_mixture", status, 12, null, 12, 1200, 0, 0, 10, new Dictionary<string, long> { ["not_a_number"] = 5 }, null,
        new Dictionary<string, long>(), null, 7, -2, null, null, null, "run", null, null, new AlarmSummary(3, 2, 1), null, null,
        ["a warning of\n two lines"], [], null);
}
