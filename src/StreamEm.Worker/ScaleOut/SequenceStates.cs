using StreamEm.Core.Learning;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Where the sequences of a partition's keys stand, as its next minibatch finds them: what is known of them as far as the model is, and
/// over that what minibatches made of it that are sent and not in the model yet. Once the model has passed these it is known; where it has
/// not taken them they are let go of. So what is known, and written for who comes next, is never further than the model. One thread.
/// </summary>
/// <param name="known">What is known of the keys.</param>
internal sealed class SequenceStates(KeyStates known) : KeyStates
{
    private readonly Dictionary<string, byte[]> _newest = new(StringComparer.Ordinal);
    private readonly Queue<(long To, List<(string Key, byte[] State)> Written)> _ahead = new();
    private readonly Stack<byte[]> _spare = new();
    private List<(string Key, byte[] State)> _written = [];

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Read(string key) => _newest.TryGetValue(key, out byte[]? state) ? state : known.Read(key);

    /// <inheritdoc/>
    public override void Write(string key, ReadOnlySpan<byte> state)
    {
        if (!_spare.TryPop(out byte[]? copy) || copy.Length != state.Length) copy = new byte[state.Length];
        state.CopyTo(copy);
        _newest[key] = copy;
        _written.Add((key, copy));
    }

    /// <summary>What was written since the last call is what all records below a position say.</summary>
    public void Close(long to)
    {
        _ahead.Enqueue((to, _written));
        _written = [];
    }

    /// <summary>The model has all records below a position.</summary>
    /// <returns>How far what is known is; null where that has not changed.</returns>
    public long? Confirm(long stands)
    {
        long? reached = null;
        while (_ahead.TryPeek(out (long To, List<(string Key, byte[] State)> Written) next) && next.To <= stands)
        {
            _ahead.Dequeue();
            reached = next.To;
            foreach ((string key, byte[] state) in next.Written)
            {
                known.Write(key, state);
                // Until a later minibatch has written another.
                if (!ReferenceEquals(_newest.GetValueOrDefault(key), state)) continue;
                _newest.Remove(key);
                _spare.Push(state);
            }
        }

        return reached;
    }

    /// <summary>Lets go of what is not known: it is worked on anew, or by another.</summary>
    public void Forget()
    {
        _newest.Clear();
        _ahead.Clear();
        _written.Clear();
    }
}
