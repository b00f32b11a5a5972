using System.Buffers;
using System.IO.Hashing;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace StreamEm.Sources.Mqtt;

/// <summary>A message as it waits to be read.</summary>
/// <param name="Number">Which of the messages taken it is, counted over the whole run.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="Payload">Its bytes.</param>
internal readonly record struct MqttMessage(long Number, string Topic, byte[] Payload);

/// <summary>
/// Messages between the client and the reader, and which of them the broker may forget: a message is acknowledged once a checkpoint holds
/// what came of it, and in the order in which they came. What the broker sends again because a connection was lost - the same packet with
/// the same content, marked so - is known, and not read twice. Thread-safe.
/// </summary>
internal sealed class MqttInbox(long first, int most)
{
    private readonly Lock _lock = new();
    private readonly Queue<MqttMessage> _messages = new();
    private readonly Queue<Delivery> _unacknowledged = new();
    private readonly Dictionary<ushort, Delivery> _byPacket = [];
    private readonly Queue<MqttApplicationMessageReceivedEventArgs> _toAcknowledge = new();
    private TaskCompletionSource _arrived = NewSignal(), _mayAcknowledge = NewSignal();
    private SourceException? _failure;
    private long _next = first, _durable = first, _dropped;

    /// <summary>Messages that are here or on their way and no checkpoint holds.</summary>
    public int Unacknowledged
    {
        get
        {
            lock (_lock) return _unacknowledged.Count;
        }
    }

    /// <summary>Messages that wait to be read.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock) return _messages.Count;
        }
    }

    /// <summary>Messages sent without a promise (quality of service 0) that came while there was no room, and are lost.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Completes when the broker may be told of something.</summary>
    public Task MayAcknowledge
    {
        get
        {
            lock (_lock) return _mayAcknowledge.Task;
        }
    }

    /// <summary>Takes a message from the client.</summary>
    public void Take(MqttApplicationMessageReceivedEventArgs args)
    {
        MqttApplicationMessage message = args.ApplicationMessage;
        // What was sent before anybody asked is a state, and no event of the stream.
        if (message.Retain) return;
        byte[] payload = message.Payload.ToArray();
        lock (_lock)
        {
            if (message.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce)
            {
                if (_messages.Count >= most)
                {
                    Interlocked.Increment(ref _dropped);
                    return;
                }

                Enqueue(message.Topic, payload);
                return;
            }

            args.AutoAcknowledge = false;
            ulong content = ContentOf(message.Topic, payload);
            if (message.Dup && _byPacket.TryGetValue(args.PacketIdentifier, out Delivery? known) && known.Content == content)
            {
                known.Args = args;
                if (known.Number < _durable) Acknowledge(known);
                return;
            }

            var delivery = new Delivery(_next, content) { Args = args };
            _byPacket[args.PacketIdentifier] = delivery;
            _unacknowledged.Enqueue(delivery);
            Enqueue(message.Topic, payload);
        }
    }

    /// <summary>The next message, if there is one.</summary>
    /// <exception cref="SourceException">The source cannot go on, and all messages before were taken.</exception>
    public bool TryTake(out MqttMessage message)
    {
        lock (_lock)
        {
            if (_messages.TryDequeue(out message)) return true;
            return _failure is null ? false : throw _failure;
        }
    }

    /// <summary>Completes when there is a message, or none will come.</summary>
    public Task WaitAsync()
    {
        lock (_lock)
        {
            if (_messages.Count > 0 || _failure is not null) return Task.CompletedTask;
            if (_arrived.Task.IsCompleted) _arrived = NewSignal();
            return _arrived.Task;
        }
    }

    /// <summary>Says that a checkpoint holds all messages before a number.</summary>
    public void Durable(long next)
    {
        lock (_lock)
        {
            _durable = Math.Max(_durable, next);
            while (_unacknowledged.TryPeek(out Delivery? oldest) && oldest.Number < _durable) Acknowledge(_unacknowledged.Dequeue());
        }
    }

    /// <summary>What the broker is to be told next.</summary>
    public bool TryTakeAcknowledgement(out MqttApplicationMessageReceivedEventArgs? args)
    {
        lock (_lock)
        {
            if (_toAcknowledge.TryDequeue(out args)) return true;
            // Whoever already waits for the signal there is goes on waiting for it.
            if (_mayAcknowledge.Task.IsCompleted) _mayAcknowledge = NewSignal();
            return false;
        }
    }

    /// <summary>A connection is gone: what the broker was to be told over it, it will ask for again.</summary>
    public void Disconnected()
    {
        lock (_lock) _toAcknowledge.Clear();
    }

    /// <summary>The broker has another session: nothing of the one before will come again, and numbers of packets begin anew.</summary>
    public void SessionBegun()
    {
        lock (_lock)
        {
            _byPacket.Clear();
            _unacknowledged.Clear();
            _toAcknowledge.Clear();
        }
    }

    /// <summary>Ends the reader with a failure.</summary>
    public void Fail(SourceException failure)
    {
        lock (_lock)
        {
            _failure ??= failure;
            _arrived.TrySetResult();
        }
    }

    private void Enqueue(string topic, byte[] payload)
    {
        _messages.Enqueue(new MqttMessage(_next++, topic, payload));
        _arrived.TrySetResult();
    }

    private void Acknowledge(Delivery delivery)
    {
        if (delivery.Args is not { } args) return;
        delivery.Args = null;
        _toAcknowledge.Enqueue(args);
        _mayAcknowledge.TrySetResult();
    }

    private static ulong ContentOf(string topic, byte[] payload)
    {
        var hash = new XxHash3();
        hash.Append(Encoding.UTF8.GetBytes(topic));
        hash.Append([0]);
        hash.Append(payload);
        return hash.GetCurrentHashAsUInt64();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A message that the broker sends until it is told that it has arrived.</summary>
    private sealed class Delivery(long number, ulong content)
    {
        public long Number => number;

        public ulong Content => content;

        /// <summary>How it is acknowledged; null once that was done.</summary>
        public MqttApplicationMessageReceivedEventArgs? Args { get; set; }
    }
}
