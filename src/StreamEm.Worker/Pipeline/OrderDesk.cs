namespace StreamEm.Worker.Pipeline;

/// <summary>Why a model does not do what a person asks of it.</summary>
internal enum OrderRefusal
{
    /// <summary>It has ended: nobody is there to do it.</summary>
    Ended,

    /// <summary>The version that is asked for is not kept anywhere.</summary>
    NotKept,

    /// <summary>It cannot be done as the model stands.</summary>
    Impossible,
}

/// <summary>What was asked of a model is not done; the message says why and what to do.</summary>
internal sealed class OrderRefusedException(OrderRefusal refusal, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Why.</summary>
    public OrderRefusal Refusal => refusal;
}

/// <summary>Where a model stood when an order was carried out, as the durable checkpoint has it.</summary>
/// <param name="Version">Its newest version.</param>
/// <param name="Records">Records learned from.</param>
/// <param name="IsPaused">Whether it takes no records.</param>
/// <param name="PinnedVersion">The version that is served and published whatever is learned; null for the newest.</param>
/// <param name="HasChanged">Whether it stood otherwise before.</param>
internal sealed record OrderOutcome(long Version, long Records, bool IsPaused, long? PinnedVersion, bool HasChanged);

/// <summary>
/// What people ask of one running model. Orders wait here until the learner's thread carries them out, between two minibatches, and each is
/// answered once a checkpoint that holds what came of it is on disk: what was answered has happened, whenever the process is killed.
/// Thread-safe.
/// </summary>
internal sealed class OrderDesk
{
    private readonly Lock _lock = new();
    private readonly Queue<Order> _waiting = new();
    private readonly List<Order> _done = [], _captured = [];
    private TaskCompletionSource _asked = NewSignal();
    private string? _closed;

    /// <summary>Completes when the learner's thread is to look.</summary>
    public Task Asked
    {
        get
        {
            lock (_lock) return _asked.Task;
        }
    }

    /// <summary>Asks for something.</summary>
    /// <param name="carryOut">Does it, on the learner's thread; its result is whether anything changed.</param>
    /// <returns>Where the model stood after it, once that is on disk; faults with <see cref="OrderRefusedException"/>.</returns>
    public Task<OrderOutcome> PlaceAsync(Func<LearnerOrders, bool> carryOut)
    {
        var order = new Order(carryOut);
        lock (_lock)
        {
            if (_closed is { } why) return Task.FromException<OrderOutcome>(new OrderRefusedException(OrderRefusal.Ended, why));
            _waiting.Enqueue(order);
            _asked.TrySetResult();
        }

        return order.Answer.Task;
    }

    /// <summary>Has the learner's thread look soon, though no order waits.</summary>
    public void Wake()
    {
        lock (_lock) _asked.TrySetResult();
    }

    /// <summary>Carries out what waits; the state is to be kept after it. The learner's thread.</summary>
    /// <param name="orders">What can be done.</param>
    /// <returns>Whether there was anything.</returns>
    public bool CarryOut(LearnerOrders orders)
    {
        Order[] waiting;
        lock (_lock)
        {
            if (_asked.Task.IsCompleted) _asked = NewSignal();
            if (_waiting.Count == 0) return false;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (Order order in waiting)
        {
            try
            {
                order.Outcome = orders.Outcome(order.CarryOut(orders));
                lock (_lock) _done.Add(order);
            }
            catch (OrderRefusedException refused)
            {
                order.Answer.TrySetException(refused);
            }
        }

        return true;
    }

    /// <summary>Says that a checkpoint of the state as it is was made. The learner's thread.</summary>
    public void Captured()
    {
        lock (_lock)
        {
            _captured.AddRange(_done);
            _done.Clear();
        }
    }

    /// <summary>Says that the checkpoint made last is on disk.</summary>
    public void Durable()
    {
        Order[] answered;
        lock (_lock)
        {
            answered = [.. _captured];
            _captured.Clear();
        }

        foreach (Order order in answered) order.Answer.TrySetResult(order.Outcome!);
    }

    /// <summary>Refuses what has not been answered and all that comes.</summary>
    /// <param name="why">Why, for the person who asks.</param>
    public void Close(string why)
    {
        Order[] left;
        lock (_lock)
        {
            _closed = why;
            left = [.. _waiting, .. _done, .. _captured];
            _waiting.Clear();
            _done.Clear();
            _captured.Clear();
        }

        foreach (Order order in left) order.Answer.TrySetException(new OrderRefusedException(OrderRefusal.Ended, why));
    }

    /// <summary>The same, of a model that ended.</summary>
    /// <param name="model">Its id.</param>
    /// <param name="end">How it ended.</param>
    public void Close(string model, PipelineEnd end) => Close(end.State switch
    {
        ModelState.Failed => $"Model '{model}' has failed and does nothing until the worker is started again: {end.Failure}",
        ModelState.Finished => $"Model '{model}' has finished its source and learns no more. While no worker runs, streamem state "
            + "rollback goes back to an earlier version.",
        _ => $"Model '{model}' has stopped.",
    });

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Order(Func<LearnerOrders, bool> carryOut)
    {
        public Func<LearnerOrders, bool> CarryOut => carryOut;

        public OrderOutcome? Outcome { get; set; }

        public TaskCompletionSource<OrderOutcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
