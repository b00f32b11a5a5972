using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>Names of blocks of parameters, in the order written; equal where the names are.</summary>
/// <param name="Names">The names.</param>
public sealed record BlockNames(IReadOnlyList<string> Names)
{
    /// <summary>No block.</summary>
    public static BlockNames None { get; } = new([]);

    /// <summary>The same names with others after them.</summary>
    public BlockNames With(IEnumerable<string> others) => new([.. Names.Union(others)]);

    /// <inheritdoc/>
    public bool Equals(BlockNames? other) => other is not null && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate(0, HashCode.Combine);

    /// <summary>The setting <c>fixed</c>.</summary>
    internal static Setting<TOptions, BlockNames> SettingOf<TOptions>(
        Func<TOptions, BlockNames> get, Func<TOptions, BlockNames, TOptions> set)
        where TOptions : class =>
        new("fixed", new BlockNamesKind(), get, set, "Blocks of parameters that stay what they are, by the names they have in snapshots.");
}

/// <summary>A list of names of blocks.</summary>
internal sealed class BlockNamesKind : ValueKind<BlockNames>
{
    /// <inheritdoc/>
    public override string Expected => "a list of names of blocks, such as [weights, covariances]";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out BlockNames value)
    {
        value = BlockNames.None;
        if (text is null or "null") return true;
        try
        {
            string[]? names = JsonSerializer.Deserialize<string[]>(text);
            if (names is null || Array.Exists(names, string.IsNullOrEmpty)) return false;
            value = new BlockNames(names);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override string Format(BlockNames value) => JsonSerializer.Serialize(value.Names);
}
