namespace StreamEm.Core.Learning;

/// <summary>The states of keys as bytes. One thread at a time.</summary>
public abstract class KeyStates
{
    /// <summary>The state of a key; empty where it is new. Valid until the next call.</summary>
    public abstract ReadOnlySpan<byte> Read(string key);

    /// <summary>Gives a key a state, which is copied.</summary>
    public abstract void Write(string key, ReadOnlySpan<byte> state);
}
