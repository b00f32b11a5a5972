using System.Text;
using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The fields of a schema as a tree of property names: <c>a.b</c> is property <c>b</c> of the object in property <c>a</c>, or a property
/// whose name has the dot in it.
/// </summary>
internal sealed class JsonPaths
{
    private readonly List<(byte[] Name, JsonPaths Child)> _children = [];
    private int _expected;

    /// <summary>The tree of all fields from one on.</summary>
    public static JsonPaths Create(IReadOnlyList<string> fields, int first = 0)
    {
        var root = new JsonPaths();
        for (int slot = first; slot < fields.Count; slot++)
        {
            root.Child(fields[slot]).Feed(slot);
            string[] parts = fields[slot].Split('.');
            if (parts.Length == 1) continue;
            JsonPaths node = root;
            foreach (string part in parts) node = node.Child(part);
            node.Feed(slot);
        }
        return root;
    }

    /// <summary>The slots fed by the value of this property.</summary>
    public int[] Slots { get; private set; } = [];

    /// <summary>Whether fields of the schema lie within the object in this property.</summary>
    public bool HasChildren => _children.Count > 0;

    /// <summary>The first field within this property, for messages.</summary>
    public int FirstSlot => Slots.Length > 0 ? Slots[0] : _children[0].Child.FirstSlot;

    /// <summary>The child named by the property the reader is at; null when no field of the schema is there.</summary>
    public JsonPaths? Find(ref Utf8JsonReader reader)
    {
        // Records of a stream mostly have the same properties in the same order.
        for (int i = 0; i < _children.Count; i++)
        {
            int candidate = _expected + i;
            if (candidate >= _children.Count) candidate -= _children.Count;
            if (!reader.ValueTextEquals(_children[candidate].Name)) continue;
            _expected = candidate + 1 == _children.Count ? 0 : candidate + 1;
            return _children[candidate].Child;
        }
        return null;
    }

    /// <summary>The children with the properties they are in.</summary>
    public IReadOnlyList<(byte[] Name, JsonPaths Child)> Children => _children;

    /// <summary>The child in a property; null when no field of the schema is there.</summary>
    public JsonPaths? Find(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] known, JsonPaths child) in _children)
            if (name.SequenceEqual(known)) return child;
        return null;
    }

    private void Feed(int slot) => Slots = [.. Slots, slot];

    private JsonPaths Child(string name)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        if (Find(utf8) is { } known) return known;
        var added = new JsonPaths();
        _children.Add((utf8, added));
        return added;
    }
}
