using System.Text;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>One partition of a topic of keys: messages may come late, and of a name all but the last are compacted away.</summary>
internal sealed class SimulatedKeysTopic(Random random)
{
    private readonly List<(long Offset, KeyMessage Message)> _messages = [];
    private readonly Queue<KeyMessage> _late = new();

    /// <summary>Behind the last message.</summary>
    public long End { get; private set; }

    public void Append(KeyMessage message) => _messages.Add((End++, message));

    /// <summary>Of one that was killed: what it had under way gets there after all.</summary>
    public void Delay(KeyMessage message) => _late.Enqueue(message);

    public bool TryDeliver()
    {
        if (!_late.TryDequeue(out KeyMessage message)) return false;
        Append(message);
        return true;
    }

    public void ReadInto(KeyHistory history)
    {
        foreach ((long offset, KeyMessage message) in _messages) history.Take(offset, message.Name, message.Value);
    }

    /// <summary>Of the first so many of the topic each name's last stays.</summary>
    public void Compact()
    {
        int upTo = random.Next(_messages.Count + 1);
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((long offset, KeyMessage message) in _messages.Take(upTo)) last[Encoding.UTF8.GetString(message.Name)] = offset;
        long end = upTo < _messages.Count ? _messages[upTo].Offset : End;
        _messages.RemoveAll(one => one.Offset < end && last[Encoding.UTF8.GetString(one.Message.Name)] != one.Offset);
    }
}
