using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Avro;

/// <summary>
/// What is done with one value of a writer's schema: passed over, given to fields of the schema of the records, or entered because fields
/// lie within it. A step is made for every place of the writer's schema that fields of the records reach, and for no other.
/// </summary>
internal sealed class AvroStep
{
    private AvroStep(AvroType type) => Type = type;

    /// <summary>The type of the value.</summary>
    public AvroType Type { get; }

    /// <summary>The slots that the value is for.</summary>
    public int[] Slots { get; private set; } = [];

    /// <summary>Steps for the fields of a record or the branches of a union, null for those to be passed over; empty for others.</summary>
    public AvroStep?[] Parts { get; private set; } = [];

    /// <summary>Steps for the keys of a map that fields name.</summary>
    public IReadOnlyList<(byte[] Key, AvroStep Step)> Keys { get; private set; } = [];

    /// <summary>The step for a value at a place in the tree of names.</summary>
    /// <param name="type">The value's type.</param>
    /// <param name="path">The place.</param>
    public static AvroStep Create(AvroType type, JsonPaths path)
    {
        var step = new AvroStep(type) { Slots = path.Slots };
        if (type.Kind == AvroKind.Union)
            step.Parts = [.. type.Branches.Select(branch => Create(branch, path))];
        else if (type.Kind == AvroKind.Record && path.HasChildren)
            step.Parts = [.. type.Fields.Select(field => path.Find(field.Utf8) is { } inner ? Create(field.Type, inner) : null)];
        else if (type.Kind == AvroKind.Map && path.HasChildren)
            step.Keys = [.. path.Children.Select(child => (child.Name, Create(type.Items!, child.Child)))];
        return step;
    }

    /// <summary>The slots that this step or one within it is for.</summary>
    public IEnumerable<int> Reached =>
        Slots.Concat(Parts.OfType<AvroStep>().Concat(Keys.Select(key => key.Step)).SelectMany(part => part.Reached));
}
