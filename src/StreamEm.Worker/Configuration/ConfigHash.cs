using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Configuration.Tables;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>
/// Tells whether two configurations learn the same thing from the same records: SHA-256 over a canonical text of the schema, the model and
/// how it learns. Paths, addresses, publishers and checkpoints do not count, nor does how CSV is written, what only scores carry (the time,
/// the key of a model without sequences), nor order, spelling and spacing of the file. Values equal
/// to their default are left out, so that a setting added later does not change the hash of the configurations of before.
/// </summary>
internal static class ConfigHash
{
    /// <summary>Where the type of the model is told.</summary>
    public const string TypePath = "model.type";

    /// <summary>Which records are learned from may change at the next update: the state is of either.</summary>
    private const string LearnPath = "learning.learn";
    /// <summary>Its default was another one when hashes of configurations were first kept: that one is what is left out.</summary>
    private const string RecursionPath = "learning.recursion", FirstRecursion = "parameters";
    private const string FromPath = "learning.initialization.from";
    private const string KeyPath = "key";
    private static readonly string[] Sections = ["features.", "missing_values.", "model.", "learning."];
    private static readonly string[] Keys = ["where", "label", "weight", "target", "missing"];

    /// <summary><c>sha256:</c> and 64 hexadecimal digits.</summary>
    public static string Of(ModelOptions model) =>
        $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalText(model))))}";

    /// <summary>One line for each value that counts and is not the default, in ordinal order of the paths.</summary>
    public static string CanonicalText(ModelOptions model)
    {
        var defaults = new Dictionary<string, string>(StringComparer.Ordinal);
        WorkerTable.Model.Describe(DefaultsFor(model), "", (path, value) => defaults[path] = value);
        defaults[RecursionPath] = FirstRecursion;
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        WorkerTable.Model.Describe(model, "", (path, value) =>
        {
            // Scores carry key and time of any model; only a model of sequences learns something else from another key.
            bool counts = Keys.Contains(path) || (path == KeyPath && model.Model.MaxKeys > 0) ||
                Sections.Any(section => path.StartsWith(section, StringComparison.Ordinal));
            counts &= path != LearnPath;
            bool isDefault = path != TypePath && defaults.GetValueOrDefault(path) == value;
            if (counts && !isDefault) lines[path] = path == FromPath ? "given" : value;
        });
        var text = new StringBuilder();
        foreach ((string path, string value) in lines)
            text.Append(CultureInfo.InvariantCulture, $"{path}={JsonSerializer.Serialize(value)}\n");
        return text.ToString();
    }

    /// <summary>Every value of a model by its path, as canonical text; of secrets only that they are set.</summary>
    public static IReadOnlyDictionary<string, string> ValuesOf(ModelOptions model)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        WorkerTable.Model.Describe(model, "", (path, value) => values[path] = value);
        return values;
    }

    /// <summary>A model of the same type with every default.</summary>
    public static ModelOptions DefaultsFor(ModelOptions model) =>
        WorkerTable.NewModel() with { Model = model.Model.Entry.CreateOptions() };
}
