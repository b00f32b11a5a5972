using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Publishing;

/// <summary>The lanes to all publishers of one model.</summary>
internal sealed class PublisherLanes(IReadOnlyList<PublisherLane> lanes)
{
    /// <summary>One task a lane, ended when the lane is; faulted when its publisher cannot go on.</summary>
    public IEnumerable<Task> Publishing => lanes.Select(lane => lane.Publishing);

    /// <summary>Throws what a publisher cannot go on for, if there is one.</summary>
    public void ThrowIfFaulted()
    {
        foreach (PublisherLane lane in lanes)
            if (lane.Publishing.IsFaulted) lane.Publishing.GetAwaiter().GetResult();
    }

    /// <summary>Lets the entries of a durable checkpoint go out. Called by one thread at a time.</summary>
    public void Release(IReadOnlyList<OutboxEntry> durable)
    {
        foreach (PublisherLane lane in lanes) lane.Release(durable);
    }

    /// <summary>Publishes what was released and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    /// <returns>Whether every publisher took all of it.</returns>
    public bool Close(CancellationToken deadline)
    {
        bool tookAll = true;
        foreach (PublisherLane lane in lanes)
        {
            try
            {
                lane.CloseAsync(deadline).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                tookAll = false;
            }
        }

        return tookAll;
    }
}
