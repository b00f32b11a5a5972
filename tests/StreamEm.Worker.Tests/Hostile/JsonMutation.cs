using System.Text;
using System.Text.Json.Nodes;
using StreamEm.Core;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>Damages a JSON document somewhere: a value, a name, a length, or bytes of its text.</summary>
internal static class JsonMutation
{
    private static readonly string[] Values =
    [
        "-1", "0", "1", "1e308", "-1e308", "1e999", "1e-320", "9223372036854775807", "99999999999999999999", "-0.0", "0.5", "null",
        "\"NaN\"", "\"\"", "\"x\"", "true", "[]", "{}", "[1,2]", "[[[[1]]]]", "2147483648", "1000000000",
    ];

    /// <summary>The document damaged in the way that this chance has.</summary>
    public static byte[] Of(ReadOnlySpan<byte> json, SplitMix64 chance)
    {
        if (chance.NextInt32(4) == 0) return Bytes(json.ToArray(), chance);
        JsonNode root = JsonNode.Parse(json)!;
        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places);
        (JsonNode parent, object key) = places[chance.NextInt32(places.Count)];
        Damage(parent, key, chance);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static byte[] Bytes(byte[] bytes, SplitMix64 chance)
    {
        int at = chance.NextInt32(bytes.Length);
        if (chance.NextInt32(3) == 0) return bytes[..at];
        bytes[at] = (byte)chance.NextInt32(256);
        return bytes;
    }

    private static void Collect(JsonNode node, List<(JsonNode, object)> places)
    {
        if (node is JsonObject members)
            foreach ((string name, JsonNode? value) in members)
            {
                places.Add((node, name));
                if (value is not null) Collect(value, places);
            }
        if (node is not JsonArray array) return;
        for (int at = 0; at < array.Count; at++)
        {
            // A long array of numbers would be damaged all the time.
            if (at < 4 || at == array.Count - 1) places.Add((node, at));
            if (array[at] is { } value && at < 4) Collect(value, places);
        }
    }

    private static void Damage(JsonNode parent, object key, SplitMix64 chance)
    {
        string value = Values[chance.NextInt32(Values.Length)];
        JsonNode? other = JsonNode.Parse(value);
        int kind = chance.NextInt32(6);
        if (parent is JsonArray array)
        {
            int at = (int)key;
            if (kind == 0) array.RemoveAt(at);
            else if (kind == 1) array.Insert(at, other);
            else array[at] = other;
            return;
        }

        var members = (JsonObject)parent;
        string name = (string)key;
        if (kind == 0) members.Remove(name);
        else if (kind == 1 && members[name] is JsonArray { Count: > 1 } list) list.RemoveAt(chance.NextInt32(list.Count));
        else if (kind == 2 && !members.ContainsKey(name + "x")) members[name + "x"] = members[name]?.DeepClone();
        else members[name] = other;
    }
}
