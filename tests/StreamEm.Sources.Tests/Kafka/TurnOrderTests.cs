using FsCheck;
using FsCheck.Fluent;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

public sealed class TurnOrderTests
{
    [Fact]
    public void MoveNext_PartitionsWithRecords_GivesEachAnEqualShareInAFixedOrder()
    {
        TurnOrder order = Order(12, ("b", 0), ("a", 10), ("a", 2));
        var turns = new List<(string, int)>();
        for (int i = 0; i < 6; i++)
        {
            Assert.True(order.MoveNext());
            turns.Add((order.Current!.Name, order.Left));
            Yield(order, order.Left);
        }

        Assert.Equal([("a/2", 4), ("a/10", 4), ("b/0", 4), ("a/2", 4), ("a/10", 4), ("b/0", 4)], turns);
    }

    [Fact]
    public void MoveNext_MorePartitionsThanRecordsInAMinibatch_LeavesNoneOut()
    {
        TurnOrder order = Order(2, [.. Enumerable.Range(0, 5).Select(i => ("t", i))]);
        var seen = new HashSet<string>();
        for (int i = 0; i < 5; i++)
        {
            Assert.True(order.MoveNext());
            Assert.Equal(1, order.Left);
            seen.Add(order.Current!.Name);
            Yield(order, 1);
        }

        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public void MoveNext_IdlePartition_IsLeftOutUntilItWakes()
    {
        TurnOrder order = Order(12, ("t", 0), ("t", 1), ("t", 2));
        order.MoveNext();
        Yield(order, 4);
        order.MoveNext();
        KafkaPartition idle = order.Current!;
        TurnOrder.Rest(idle);

        string[] without = [.. Turns(order, 4)];
        TurnOrder.Wake(idle);
        string[] with = [.. Turns(order, 4)];

        Assert.Equal(["t/2:6", "t/0:6", "t/2:6", "t/0:6"], without);
        Assert.Equal(["t/1:4", "t/2:4", "t/0:4", "t/1:4"], with);
    }

    [Fact]
    public void MoveNext_AllIdleOrDone_SaysSo()
    {
        var done = new KafkaPartition(new PartitionId("t", 1), new PartitionPosition(7) { End = 7 });
        TurnOrder order = Order(4, ("t", 0));
        order.Add(done);
        order.MoveNext();
        Assert.Equal(4, order.Left);
        TurnOrder.Rest(order.Current!);

        Assert.False(order.MoveNext());
        Assert.Null(order.Current);
    }

    /// <summary>
    /// Whatever happens - turns used in pieces, partitions going idle and waking - an order made from the positions goes on the same way.
    /// </summary>
    [Fact]
    public void Positions_TakenAnywhere_GoOnAsIfNeverStopped()
    {
        Gen<int[]> acts = Gen.Choose(0, 99).ArrayOf(80);
        Check.One(Config.QuickThrowOnFailure.WithReplay(new Replay(new Rnd(17, 23), 50)),
            Prop.ForAll(Arb.From(acts), Arb.From(Gen.Choose(0, 79)), (script, cut) =>
        {
            TurnOrder whole = Order(10, ("t", 0), ("t", 1), ("t", 2), ("u", 0));
            TurnOrder? resumed = null;
            for (int i = 0; i < script.Length; i++)
            {
                if (i == cut) resumed = Restored(whole);
                string expected = Act(whole, script[i]);
                if (resumed is not null && expected != Act(resumed, script[i])) return false;
            }

            return true;
        }));
    }

    private static string Act(TurnOrder order, int act)
    {
        if (act < 15)
        {
            KafkaPartition some = order.Partitions[act % order.Partitions.Count];
            if (some.IsIdle && order.Left == 0) TurnOrder.Wake(some);
        }

        if (!order.MoveNext()) return "none";
        string turn = $"{order.Current!.Name}:{order.Left}";
        if (act is >= 15 and < 30) TurnOrder.Rest(order.Current);
        else Yield(order, Math.Min(order.Left, 1 + act % 4));
        return turn;
    }

    private static TurnOrder Restored(TurnOrder order)
    {
        var restored = new TurnOrder(10);
        foreach (KafkaPartition partition in order.Partitions.Reverse()) restored.Add(new KafkaPartition(partition.Id, partition.Position));
        return restored;
    }

    private static IEnumerable<string> Turns(TurnOrder order, int count)
    {
        for (int i = 0; i < count; i++)
        {
            order.MoveNext();
            yield return $"{order.Current!.Name}:{order.Left}";
            Yield(order, order.Left);
        }
    }

    /// <summary>What the source does with the position after decoding <paramref name="count"/> records.</summary>
    private static void Yield(TurnOrder order, int count)
    {
        var batch = new RecordBatch(1, 16);
        KafkaPartition partition = order.Current!;
        batch.Clear(partition.Name, partition.Position);
        for (int i = 0; i < count; i++) batch.Commit(partition.Position.Next + i + 1);
        partition.Position = batch.EndPosition;
    }

    private static TurnOrder Order(int minibatch, params (string Topic, int Number)[] partitions)
    {
        var order = new TurnOrder(minibatch);
        foreach ((string topic, int number) in partitions)
            order.Add(new KafkaPartition(new PartitionId(topic, number), new PartitionPosition(0)));
        return order;
    }
}
