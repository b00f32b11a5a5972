using System.Globalization;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// One <c>--set a.b=v</c>: a path of keys, list indices and, in <c>models</c>, ids; a segment that holds dots is quoted
/// (<c>properties."sasl.password"</c>). The value is YAML. Keys on the way that do not exist are added: whether they are known is decided
/// when the whole is read.
/// </summary>
public static class Override
{
    /// <summary>Applies one override to a configuration.</summary>
    /// <param name="root">Changed.</param>
    /// <param name="text"><c>path=value</c>.</param>
    /// <param name="substitution">Replaces variables in the value.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="option">The option that stands for the path; null for <c>--set</c>.</param>
    public static void Apply(
        MappingNode root, string text, VariableSubstitution substitution, Problems problems, string? option = null)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string path = equals < 0 ? text : text[..equals];
        var origin = new Origin(option ?? $"--set {path}");
        if (equals <= 0 || Split(path) is not { } segments)
        {
            problems.Error(origin, "expected path=value, such as models.0.model.components=5");
            return;
        }

        ConfigNode? value = YamlText.Read(text[(equals + 1)..], _ => origin, substitution, problems);
        if (value is not null) Set(root, segments, value, origin, problems);
    }

    private static void Set(MappingNode root, List<string> segments, ConfigNode value, Origin origin, Problems problems)
    {
        ConfigNode node = root;
        for (int i = 0; i < segments.Count; i++)
        {
            bool isLast = i == segments.Count - 1;
            string parent = string.Join('.', segments.Take(i));
            switch (node)
            {
                case MappingNode mapping when isLast:
                    mapping.Set(new MappingEntry(segments[i], origin, value));
                    return;
                case MappingNode mapping:
                    node = Descend(mapping, segments[i], origin);
                    break;
                case SequenceNode sequence:
                    int index = IndexOf(sequence, segments[i], parent, origin, problems);
                    if (index < 0) return;
                    if (isLast) sequence.Items[index] = value;
                    else node = sequence.Items[index];
                    break;
                default:
                    problems.Error(origin, $"{parent} is {node.Found} and has no '{segments[i]}'");
                    return;
            }
        }
    }

    private static ConfigNode Descend(MappingNode mapping, string key, Origin origin)
    {
        if (mapping.Find(key) is { } entry && entry.Value is not ScalarNode { Text: null }) return entry.Value;
        var added = new MappingNode(origin);
        mapping.Set(new MappingEntry(key, origin, added));
        return added;
    }

    /// <summary>
    /// An index, one past the end (which adds an item), or the <c>id</c> of an item; -1 and a problem when it is none of them.
    /// </summary>
    private static int IndexOf(SequenceNode sequence, string segment, string parent, Origin origin, Problems problems)
    {
        List<string> ids = [.. sequence.Items.OfType<MappingNode>().Select(item => (item.Find("id")?.Value as ScalarNode)?.Text ?? "")];
        int byId = sequence.Items
            .FindIndex(item => item is MappingNode named && named.Find("id")?.Value is ScalarNode id && id.Text == segment);
        if (byId >= 0) return byId;
        if (int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            if (index == sequence.Items.Count) sequence.Items.Add(new MappingNode(origin));
            if (index < sequence.Items.Count) return index;
            problems.Error(origin, $"{parent} has {sequence.Items.Count} items; index {index} does not exist");
            return -1;
        }

        problems.Error(origin, $"{parent} has no item with id '{segment}'{Spelling.Suggestion(segment, ids)}");
        return -1;
    }

    private static List<string>? Split(string path)
    {
        var segments = new List<string>();
        int start = 0;
        while (start <= path.Length)
        {
            bool isQuoted = start < path.Length && path[start] == '"';
            int end = isQuoted ? path.IndexOf('"', start + 1) : path.IndexOf('.', start);
            if (isQuoted && (end < 0 || (end + 1 < path.Length && path[end + 1] != '.'))) return null;
            if (end < 0) end = path.Length;
            string segment = path[(isQuoted ? start + 1 : start)..end];
            if (segment.Length == 0) return null;
            segments.Add(segment);
            start = isQuoted ? end + 2 : end + 1;
        }

        return segments;
    }
}
