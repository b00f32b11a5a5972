using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>
/// <c>defaults</c>: what every model has that does not say otherwise. Mappings are joined key by key, at every depth; a list or a value of
/// the model's own takes the place of the whole. A model with another kind of source, or another type, has nothing of the default's. Every
/// value keeps its place in the file, so that a mistake is told where it was written.
/// </summary>
internal static class ModelDefaults
{
    /// <summary>The key.</summary>
    public const string Key = "defaults";

    private const string IdKey = "id", SourceKey = "source", ModelKey = "model", TypeKey = "type";

    /// <summary>What stands for the model's id in a text.</summary>
    private const string IdMark = "{id}";

    /// <summary>Joins the defaults of a configuration into its models.</summary>
    public static void Apply(MappingNode root, Binder binder)
    {
        if (root.Find(Key) is not { } entry || entry.Value is ScalarNode { Text: null }) return;
        if (entry.Value is not MappingNode defaults)
        {
            binder.Problems
                .Error(entry.Value.Origin, $"{Key} is {entry.Value.Found}; expected a mapping of what the models have in common");
            return;
        }

        if (defaults.Find(IdKey) is { } id)
        {
            binder.Problems.Error(id.Origin, $"'{IdKey}' in {Key}: every model has its own; write it in the models");
            defaults = Kept(defaults, key => key != IdKey);
        }

        string[] known = [.. WorkerTable.Model.Fields.Select(field => field.Key).Where(key => key != IdKey)];
        binder.ReportUnknown(defaults, Key, known);
        defaults = Kept(defaults, known.Contains);

        if (root.Find("models")?.Value is not SequenceNode models) return;
        for (int i = 0; i < models.Items.Count; i++)
        {
            if (models.Items[i] is not MappingNode model) continue;
            string name = (model.Find(IdKey)?.Value as ScalarNode)?.Text ?? "";
            models.Items[i] = Join((MappingNode)Named(defaults, name), model, isModel: true);
        }
    }

    private static MappingNode Join(MappingNode defaults, MappingNode own, bool isModel = false)
    {
        MappingNode joined = own.Copy();
        foreach (MappingEntry entry in defaults.Entries)
        {
            if (own.Find(entry.Key) is not { } written) joined.Add(entry);
            else if (written.Value is MappingNode further && entry.Value is MappingNode given
                && !(isModel && IsOther(entry.Key, given, further)))
                joined.Set(written with { Value = Join(given, further) });
        }

        return joined;
    }

    /// <summary>Whether the model's own is of another kind, which takes none of the default's keys.</summary>
    private static bool IsOther(string key, MappingNode given, MappingNode own) => key switch
    {
        SourceKey => own.Entries.Count > 0 && !own.Entries.Any(entry => given.Find(entry.Key) is not null),
        ModelKey => own.Find(TypeKey)?.Value is ScalarNode type && (given.Find(TypeKey)?.Value as ScalarNode)?.Text is { } other
            && type.Text != other,
        _ => false,
    };

    private static MappingNode Kept(MappingNode mapping, Func<string, bool> isKept)
    {
        var kept = new MappingNode(mapping.Origin);
        foreach (MappingEntry entry in mapping.Entries.Where(entry => isKept(entry.Key))) kept.Add(entry);
        return kept;
    }

    /// <summary>The same with the model's id where it is asked for.</summary>
    private static ConfigNode Named(ConfigNode node, string id)
    {
        switch (node)
        {
            case ScalarNode { Text: { } text } scalar when text.Contains(IdMark, StringComparison.Ordinal):
                return scalar.With(text.Replace(IdMark, id, StringComparison.Ordinal));
            case SequenceNode list:
                var items = new SequenceNode(list.Origin);
                items.Items.AddRange(list.Items.Select(item => Named(item, id)));
                return items;
            case MappingNode mapping:
                var named = new MappingNode(mapping.Origin);
                foreach (MappingEntry entry in mapping.Entries) named.Add(entry with { Value = Named(entry.Value, id) });
                return named;
            default:
                return node;
        }
    }
}
