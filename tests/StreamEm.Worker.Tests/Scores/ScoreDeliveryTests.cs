using System.Buffers;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Scores;

public sealed class ScoreDeliveryTests
{
    [Fact]
    public async Task Add_AfterADecision_GoesOutOnlyOnceACheckpointHoldsIt()
    {
        (ScoreDelivery delivery, ScoreLane lane, MemorySink sink) = await Opened();
        Save(delivery);
        delivery.Durable();
        Add(delivery, lane, 1);
        await Eventually.True(() => sink.Lines.Count == 1, "what depends on nothing goes out at once");

        // A checkpoint that was captured before the decision does not hold it.
        Save(delivery);
        delivery.Decided();
        Add(delivery, lane, 2);
        delivery.Durable();
        Assert.True(lane.IsHeld);
        Assert.True(delivery.AwaitsCheckpoint);

        Save(delivery);
        delivery.Durable();
        await Eventually.True(() => sink.Lines.Count == 2, "the checkpoint holds the decision");
        Add(delivery, lane, 3);
        await Eventually.True(() => sink.Lines.Count == 3, "and so do those after it");
        await delivery.DisposeAsync();
    }

    [Fact]
    public async Task Restore_WhatHadNotArrived_IsDeliveredFirst()
    {
        var held = new MemorySink();
        (ScoreDelivery delivery, ScoreLane lane, _) = await Opened(held);
        for (int record = 0; record < 3; record++) Add(delivery, lane, record);
        byte[] state = Save(delivery);
        await delivery.DisposeAsync();

        var open = new MemorySink();
        var again = new ScoreDelivery([new ScoreLane(open.Open(), new ModelMetrics(), TimeProvider.System)]);
        Assert.Empty(new ScoreState(null, again, null).Restore(state, DateTimeOffset.UnixEpoch));
        await again.OpenAsync("run", CancellationToken.None);
        Add(again, again.Lanes[0], 3);

        await Eventually.True(() => open.Lines.Count == 4, "all are there");
        Assert.Equal(["0", "1", "2", "3"], open.Lines);
        await again.DisposeAsync();
    }

    [Fact]
    public async Task Restore_OfASinkThatIsGone_TellsWhatItLacked()
    {
        (ScoreDelivery delivery, ScoreLane lane, _) = await Opened(new MemorySink());
        Add(delivery, lane, 1);
        byte[] state = Save(delivery);
        await delivery.DisposeAsync();

        Assert.Equal([("memory", 1)], new ScoreState(null, new ScoreDelivery([]), null).Restore(state, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task Restore_Damaged_IsRefusedWhateverByteIs()
    {
        (ScoreDelivery delivery, ScoreLane lane, _) = await Opened(new MemorySink());
        Add(delivery, lane, 1);
        byte[] state = Save(delivery);
        await delivery.DisposeAsync();
        for (int at = 0; at < state.Length; at++)
        {
            byte[] damaged = [.. state];
            damaged[at] ^= 0xFF;
            var fresh = new ScoreDelivery([new ScoreLane(new MemorySink(), new ModelMetrics(), TimeProvider.System)]);
            try
            {
                new ScoreState(null, fresh, null).Restore(damaged, DateTimeOffset.UnixEpoch);
            }
            catch (InvalidDataException)
            {
                // Refused; what is only another text or number may pass.
            }

            Assert.Throws<InvalidDataException>(
                () => new ScoreState(null, fresh, null).Restore(state.AsMemory(0, at), DateTimeOffset.UnixEpoch));
        }
    }

    private static async Task<(ScoreDelivery Delivery, ScoreLane Lane, MemorySink Sink)> Opened(MemorySink? sink = null)
    {
        sink ??= new MemorySink().Open();
        var lane = new ScoreLane(sink, new ModelMetrics(), TimeProvider.System);
        var delivery = new ScoreDelivery([lane]);
        await delivery.OpenAsync("run", CancellationToken.None);
        return (delivery, lane, sink);
    }

    private static void Add(ScoreDelivery delivery, ScoreLane lane, int record)
    {
        ScoreChunk chunk = lane.Take();
        chunk.Text.Write([(byte)('0' + record)]);
        chunk.EndLine(record, null);
        delivery.Add(lane, chunk);
    }

    private static byte[] Save(ScoreDelivery delivery)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) new ScoreState(null, delivery, null).Save(writer);
        return stream.ToArray();
    }
}
