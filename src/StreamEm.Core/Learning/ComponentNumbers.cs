using System.Globalization;
using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>
/// Who the components are: a number each, which a component keeps as long as there is one and no other ever gets. Ids are <c>c</c> and the
/// number. Immutable; part of the state.
/// </summary>
internal sealed class ComponentNumbers
{
    private readonly int[] _numbers;
    private readonly int _next;

    private ComponentNumbers(int[] numbers, int next)
    {
        (_numbers, _next) = (numbers, next);
        Texts = [.. numbers.Select(number => string.Create(CultureInfo.InvariantCulture, $"c{number}"))];
    }

    /// <summary>The ids, by component.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Number of components.</summary>
    public int Count => _numbers.Length;

    /// <summary>K components that were there from the start: 0 .. K-1.</summary>
    public static ComponentNumbers First(int components) => new([.. Enumerable.Range(0, components)], components);

    /// <summary>The numbers of given ids; those of the start where they are not K different ones of this kind.</summary>
    public static ComponentNumbers Of(IReadOnlyList<string> ids, int components)
    {
        int[] numbers = [.. ids.Select(NumberOf)];
        return numbers.Length == components && numbers.Distinct().Count() == components && !numbers.Contains(-1)
            ? new ComponentNumbers(numbers, numbers.DefaultIfEmpty(-1).Max() + 1)
            : First(components);
    }

    /// <summary>With one component more, at the end.</summary>
    public ComponentNumbers Add() => new([.. _numbers, _next], _next + 1);

    /// <summary>Without a component.</summary>
    public ComponentNumbers Remove(int component) => new([.. _numbers.Where((_, at) => at != component)], _next);

    /// <summary>The same, with no number for the components to come that others have had.</summary>
    public ComponentNumbers WithoutReuseOf(ComponentNumbers others) => new(_numbers, Math.Max(_next, others._next));

    /// <summary>Writes them.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteArray<int>(_numbers);
        writer.Write(_next);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">They are not K different ones.</exception>
    public static ComponentNumbers Load(BinaryReader reader, int components)
    {
        int[] numbers = reader.ReadArray<int>();
        int next = reader.ReadInt32();
        bool isValid = numbers.Length == components && numbers.Distinct().Count() == components
            && numbers.All(number => number >= 0 && number < next);
        return isValid
            ? new ComponentNumbers(numbers, next)
            : throw new InvalidDataException($"The state has ids of {numbers.Length} components; expected {components} different ones.");
    }

    private static int NumberOf(string id) =>
        id.StartsWith('c') && int.TryParse(id.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
}
