using System.Text.Json;
using StreamEm.Core.Alarms;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Scores;

/// <summary>The scored stream of a pipeline over records in memory: minibatches of 32 after a buffer of 96.</summary>
public sealed class ScoreStreamTests : IDisposable
{
    private const int Buffer = 96, Minibatch = 32;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Drained_EveryRecordAfterTheBuffer_HasALineUnderTheVersionBeforeIt()
    {
        IReadOnlyList<double[]?> items = Pipelines.Clouds(330, badEvery: 33);
        await using ModelPipeline pipeline = Pipelines.Create(
            _directory, Scored(new ScoreSelection { Include = FieldSelection.All }), position => new MemorySource(items, position));
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Equal(ModelState.Finished, (await Eventually.Within(pipeline.Completion)).State);

        int[] accepted = [.. Enumerable.Range(0, items.Count).Where(at => items[at] is not null)];
        JsonElement[] lines = Read(_directory["out/scores.ndjson"]);
        Assert.Equal(accepted[Buffer..], lines.Select(line => line.GetProperty("record").GetInt32()));
        Assert.Equal(accepted[Buffer..], lines.Select(line => line.GetProperty("offset").GetInt32()));
        Assert.All(lines, line => Assert.Equal("memory", line.GetProperty("partition").GetString()));
        Assert.Equal(
            Enumerable.Range(0, accepted.Length - Buffer).Select(at => 3 + at / Minibatch),
            lines.Select(line => line.GetProperty("version").GetInt32()));
        Assert.All(lines, line => Assert.Equal(items[line.GetProperty("record").GetInt32()]![0],
            line.GetProperty("fields").GetProperty("x").GetDouble()));
        Assert.Equal(Buffer, pipeline.Metrics.Unscored);
        Assert.Equal(lines.Length, pipeline.Metrics.Delivered[$"file:{_directory["out/scores.ndjson"]}"]);
        Assert.Equal(lines.Count(line => line.GetProperty("anomaly_score").ValueKind == JsonValueKind.Number),
            pipeline.Metrics.Scores.Count);
    }

    [Fact]
    public async Task Filters_TakeWhatTheySay()
    {
        IReadOnlyList<double[]?> items = [.. Pipelines.Clouds(2000), [500, -500], .. Pipelines.Clouds(200, seed: 2)];
        ModelOptions options = Scored(new ScoreSelection()) with { Alarms = new AlarmOptions { Threshold = 1e-3 } };
        FileScoreOptions File(string name, ScoreSelection selection) => new() { Path = _directory[name], Selection = selection };
        await Pipelines.Drain(_directory, options with
        {
            Scores =
            [
                .. options.Scores, File("above", new ScoreSelection { Above = 0.9 }), File("sample", new ScoreSelection { Sample = 0.1 }),
                File("alarms", new ScoreSelection { AlarmsOnly = true }),
            ],
        }, items);

        JsonElement[] all = Read(_directory["out/scores.ndjson"]);
        Assert.Equal(
            all.Where(line => line.GetProperty("anomaly_score").ValueKind == JsonValueKind.Number
                && line.GetProperty("anomaly_score").GetDouble() > 0.9).Select(line => line.GetRawText()),
            Read(_directory["above"]).Select(line => line.GetRawText()));
        // 2105 records with probability .1: 210 +- 14, and 5 of those more.
        Assert.InRange(Read(_directory["sample"]).Length, 210 - 70, 210 + 70);
        Assert.Equal(
            all.Where(line => line.TryGetProperty("alarm_event", out JsonElement what) && what.GetString() == "raised")
                .Select(line => line.GetProperty("record").GetInt32()),
            Read(_directory["alarms"]).Select(line => line.GetProperty("record").GetInt32()));
        Assert.Contains(Read(_directory["alarms"]), line => line.GetProperty("record").GetInt32() == 2000);
        Assert.True(all.Single(line => line.GetProperty("record").GetInt32() == 2000).GetProperty("alarm").GetBoolean());
    }

    [Fact]
    public async Task Killed_Anywhere_WritesTheBytesOfARunNeverStopped()
    {
        IReadOnlyList<double[]?> items = [.. Pipelines.Clouds(1000, badEvery: 33), [500, -500], .. Pipelines.Clouds(400, seed: 2)];
        using var whole = new TemporaryDirectory();
        await Pipelines.Drain(whole, Scored(new ScoreSelection { Include = FieldSelection.All }, whole), items);
        byte[] expected = await File.ReadAllBytesAsync(whole["out/scores.ndjson"]);

        foreach (int end in (int[])[150, 411, 412, 700, 1005])
        {
            await LeaveAsKilledAfter(end, items);
            PipelineEnd ended = await Pipelines.Drain(_directory, Scored(new ScoreSelection { Include = FieldSelection.All }), items);
            Assert.True(ended.State == ModelState.Finished, ended.Failure);
            Assert.Equal(expected, await File.ReadAllBytesAsync(_directory["out/scores.ndjson"]));
            Directory.Delete(_directory["state"], recursive: true);
            Directory.Delete(_directory["out"], recursive: true);
        }
    }

    /// <summary>
    /// A kill leaves the files as they are: lines that were written since the checkpoint too, and perhaps a part of one. They are noted
    /// while the pipeline runs, and put back, the scores into the very file, once it has stopped.
    /// </summary>
    private async Task LeaveAsKilledAfter(int end, IReadOnlyList<double[]?> items)
    {
        byte[] scores;
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Scored(new ScoreSelection { Include = FieldSelection.All }),
            position => new MemorySource([.. items.Take(end)], position, endless: true) { MostPerBatch = 50 }))
        {
            await pipeline.StartAsync(CancellationToken.None);
            int records = items.Take(end).Count(item => item is not null);
            await Eventually.True(() => Lines(_directory["out/scores.ndjson"]) == records - Buffer, "all is written");
            KilledState.Copy(_directory["state"], _directory["kept"]);
            scores = Bytes(_directory["out/scores.ndjson"]);
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        KilledState.PutBack(_directory["kept"], _directory["state"]);
        await using FileStream left = new(_directory["out/scores.ndjson"], FileMode.Open, FileAccess.Write);
        left.SetLength(0);
        await left.WriteAsync(scores);
        await left.WriteAsync("{\"model\":\"cl"u8.ToArray());
    }

    [Fact]
    public async Task Restarted_OnAFileOfAnother_AppendsAndCutsNothing()
    {
        IReadOnlyList<double[]?> items = Pipelines.Clouds(400);
        await Pipelines.Drain(_directory, Scored(new ScoreSelection()), [.. items.Take(300)]);
        string own = await File.ReadAllTextAsync(_directory["out/scores.ndjson"]);
        string other = string.Concat(Enumerable.Repeat("{\"model\":\"other\",\"record\":1}\n", own.Length / 10));
        await File.WriteAllTextAsync(_directory["out/scores.ndjson"], other);

        await Pipelines.Drain(_directory, Scored(new ScoreSelection()), items);

        Assert.StartsWith(other, await File.ReadAllTextAsync(_directory["out/scores.ndjson"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_OnAFileOfAnotherKind_LeavesItAsItIs()
    {
        Directory.CreateDirectory(_directory["out"]);
        await File.WriteAllTextAsync(_directory["out/scores.ndjson"], "a letter\n");
        await using ModelPipeline pipeline =
            Pipelines.Create(_directory, Scored(new ScoreSelection()), position => new MemorySource(Pipelines.Clouds(100), position));

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => pipeline.StartAsync(CancellationToken.None));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Equal("a letter\n", await File.ReadAllTextAsync(_directory["out/scores.ndjson"]));
    }

    [Fact]
    public async Task Sink_ThatFails_EndsItsModel()
    {
        var sink = new MemorySink { Failure = new CommandException(ExitCode.Unavailable, "nobody is there") };

        await using ModelPipeline pipeline = Pipelines.Create(_directory, Scored(new ScoreSelection()),
            position => new MemorySource(Pipelines.Clouds(400), position, endless: true), scoreSink: _ => sink);
        await pipeline.StartAsync(CancellationToken.None);
        PipelineEnd end = await Eventually.Within(pipeline.Completion);

        Assert.Equal((ModelState.Failed, ExitCode.Unavailable, "nobody is there"), (end.State, end.Code, end.Failure));
    }

    [Fact]
    public async Task Sink_ThatTakesNothing_HoldsUpNeitherLearningNorAStop_AndGetsAllAtTheNextStart()
    {
        IReadOnlyList<double[]?> items = Pipelines.Clouds(600);
        var held = new MemorySink();
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Scored(new ScoreSelection()),
            position => new MemorySource([.. items.Take(300)], position, endless: true), scoreSink: _ => held))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.True(() => pipeline.Metrics.Records == 300, "all is learned from");
            pipeline.RequestStop();
            Assert.Equal(ModelState.Stopped, (await Eventually.Within(pipeline.Completion)).State);
        }

        Assert.Empty(held.Lines);
        MemorySink open = new MemorySink().Open();
        await using ModelPipeline again = Pipelines.Create(_directory, Scored(new ScoreSelection()),
            position => new MemorySource(items, position), scoreSink: _ => open);
        await again.StartAsync(CancellationToken.None);
        Assert.Equal(ModelState.Finished, (await Eventually.Within(again.Completion)).State);

        Assert.Equal(Enumerable.Range(Buffer, 600 - Buffer), open.Lines.Select(Number));
        Assert.NotNull(open.Start!.Since);
    }

    [Fact]
    public async Task Source_ThatCannotBeReadAgain_ShowsNoLineBeforeACheckpointHoldsItsRecord()
    {
        const int Many = 20_000;
        MemorySink sink = new MemorySink().Open();
        ModelOptions options = Scored(new ScoreSelection()) with
        {
            Checkpoint = new Worker.Checkpoints.CheckpointOptions { EveryUpdates = 1000, Every = TimeSpan.FromHours(1) },
        };
        await using ModelPipeline pipeline = Pipelines.Create(_directory, options,
            position => new MemorySource(Pipelines.Clouds(Many), position, isReplayable: false, endless: true), scoreSink: _ => sink);
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.True(() => pipeline.Metrics.Records == Many, "all is learned from");
        int before = sink.Lines.Count;
        pipeline.RequestCheckpoint();
        await Eventually.True(() => sink.Lines.Count == Many - Buffer, "all is shown");

        // The first version has a checkpoint of its own; the batch it came with may be whole in it.
        Assert.NotEqual(Many - Buffer, before);
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
    }

    private ModelOptions Scored(ScoreSelection selection, TemporaryDirectory? directory = null)
    {
        directory ??= _directory;
        return Pipelines.Model(directory) with
        {
            Scores = [new FileScoreOptions { Path = directory["out/scores.ndjson"], Selection = selection }],
            Alarms = new AlarmOptions(),
        };
    }

    private static JsonElement[] Read(string path) =>
        [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

    private static int Number(string line) => JsonDocument.Parse(line).RootElement.GetProperty("record").GetInt32();

    private static int Lines(string path) => Bytes(path).Count(c => c == (byte)'\n');

    private static byte[] Bytes(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
