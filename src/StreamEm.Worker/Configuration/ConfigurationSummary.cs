using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Tables;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Tells a person what a configuration says: what was written, and which defaults are in force.</summary>
internal static class ConfigurationSummary
{
    private const int DefaultsWidth = 100;

    /// <summary>Writes it, a paragraph for each model.</summary>
    public static void Write(WorkerOptions options, TextWriter output)
    {
        var written = new List<string>();
        var defaults = new List<string>();
        Compare(WorkerTable.Root, options with { Models = [], Tests = [] }, new WorkerOptions(), written, defaults);
        WriteSection("worker", written, defaults, output);
        foreach (ModelOptions model in options.Models)
        {
            written.Clear();
            defaults.Clear();
            ModelOptions seed = ConfigHash.DefaultsFor(model) with { Source = SourceTables.DefaultsFor(model.Source) };
            Compare(WorkerTable.Model, model, seed, written, defaults);
            written.RemoveAll(line => line.StartsWith("id: ", StringComparison.Ordinal));
            WriteSection($"model {model.Id} ({model.ConfigHash})", written, defaults, output);
        }
    }

    private static void Compare<T>(Table<T> table, T record, T seed, List<string> written, List<string> defaults)
        where T : class
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        table.Describe(seed, "", (path, value) => known[path] = value);
        known.Remove(ConfigHash.TypePath);
        table.Describe(record, "", (path, value) => (known.GetValueOrDefault(path) == value ? defaults : written).Add($"{path}: {value}"));
    }

    private static void WriteSection(string title, List<string> written, List<string> defaults, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(title);
        foreach (string line in written) output.WriteLine($"  {line}");
        if (defaults.Count == 0) return;
        string text = "  defaults:";
        foreach (string item in defaults)
        {
            string next = ReferenceEquals(item, defaults[^1]) ? item : $"{item},";
            if (text.Length + 1 + next.Length > DefaultsWidth)
            {
                output.WriteLine(text);
                text = "   ";
            }

            text = $"{text} {next}";
        }

        output.WriteLine(text);
    }
}
