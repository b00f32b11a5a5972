namespace StreamEm.Core.Data;

/// <summary>The rows that come after those of every sequence: it is learned from in their light, and not yet from them.</summary>
public sealed partial class Minibatch
{
    private Minibatch? _ahead;
    private bool _hasAhead;

    /// <summary>Of every sequence here, in their order, a sequence of the rows that follow; some may be empty. Null without any.</summary>
    internal Minibatch? Ahead => _hasAhead ? _ahead : null;

    /// <summary>From here on there is <see cref="Ahead"/>, still empty.</summary>
    internal Minibatch BeginAhead()
    {
        _ahead ??= new Minibatch(Dimension);
        _ahead.Clear();
        _hasAhead = true;
        return _ahead;
    }
}
