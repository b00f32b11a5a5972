using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.ScaleOut;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Where who folds begins in the statistics topic.</summary>
public sealed class ReducerTests(KafkaBroker broker)
{
    private const int Few = 6;

    private readonly SimulatedCluster _other = Cluster();

    [Fact]
    public async Task ARunOverStatisticsOfAnother_BeginsBehindThem()
    {
        await using LoneReducer reducer = await LoneReducer.PrepareAsync(broker);
        reducer.Write(_other.Log);
        broker.Fill(reducer.Topics.Sources[0], 0, first: 0, LoneReducer.Buffer);

        reducer.Start();

        Checkpoint first = await reducer.Until(_ => true, "a state");
        Assert.Equal(_other.Log.Count, first.StatisticsNext);
    }

    [Fact]
    public async Task WhereTheRunOfAnotherCounts_WhatCameBeforeItWasKnownIsFolded()
    {
        await using LoneReducer reducer = await LoneReducer.PrepareAsync(broker);
        reducer.Write(_other.Log.Take(Few));
        reducer.Start();
        // By one after another it has let go of all the statistics at last: it has no model to fold them into.
        for (int record = 0; record <= Few; record++)
        {
            broker.Fill(reducer.Topics.Sources[0], 0, record, 1);
            await Eventually.True(() => reducer.Pending > record, "records to begin with");
        }

        reducer.Write(_other.First);
        broker.Fill(reducer.Topics.Sources[0], 0, Few + 1, LoneReducer.Buffer);

        Checkpoint end = await reducer.Until(state => state.StatisticsNext >= Few, "statistics that are folded");
        Reduction expected = Reduction.Restore(SimulatedCluster.Options, _other.First);
        for (int offset = 0; offset < Few; offset++) expected.Take(offset, _other.Log[offset], DateTimeOffset.UnixEpoch);
        Assert.Equal(_other.First.RunId, end.RunId);
        Assert.True(end.Records > 0);
        Assert.Equal(expected.Capture(DateTimeOffset.UnixEpoch).Learner.ToArray(), end.Learner.ToArray());
    }

    private static SimulatedCluster Cluster()
    {
        var cluster = new SimulatedCluster(seed: 3);
        cluster.Run();
        return cluster;
    }
}
