using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Worker.Plotting;

/// <summary>The graph of a model without data: over as many features as it takes, with what it needs beside them.</summary>
internal static class GraphedModel
{
    /// <summary>The graph.</summary>
    /// <param name="options">The model; of parts with features of their own these are its features.</param>
    /// <param name="features">Its features where it names any; else seven, for no number of components or factors is that by default.
    /// </param>
    public static ModelGraph Of(LatentModelOptions options, params string[] features)
    {
        var schema = new RecordSchema
        {
            Features = features.Length > 0 ? features : [.. Enumerable.Range(1, 7).Select(d => $"x{d}")],
            Key = options.NeedsKey ? "key" : null,
            Target = options.NeedsTarget ? "y" : null,
            Label = options.NeedsLabel ? "class" : null,
        };
        if (options.MaxClasses > 0) options = options.WithClasses(["a", "b"]);
        return options.Create(options.Plan(schema).WithMostLevels()).Graph;
    }
}
