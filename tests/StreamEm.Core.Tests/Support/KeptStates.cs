using StreamEm.Core.Learning;

namespace StreamEm.Core.Tests.Support;

/// <summary>States of keys in memory.</summary>
internal sealed class KeptStates : KeyStates
{
    public Dictionary<string, byte[]> Kept { get; init; } = new(StringComparer.Ordinal);

    public override ReadOnlySpan<byte> Read(string key) => Kept.GetValueOrDefault(key);

    public override void Write(string key, ReadOnlySpan<byte> state) => Kept[key] = state.ToArray();
}
