using System.Text.Json.Nodes;
using StreamEm.Core.Estimation;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Tables;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>
/// Reads YAML files and overrides into <see cref="WorkerOptions"/>: text, variables, overrides, binding by <see cref="WorkerTable"/>, rules
/// across keys. Every problem of every stage is reported at once; only broken YAML stops what comes after it. Relative paths are left as
/// they are and mean the working directory.
/// </summary>
public static class ConfigurationLoader
{
    private const string ModelsKey = "models";
    private const string TestsKey = "tests";
    private const string RecursionKey = "learning.recursion";

    /// <summary>Loads a configuration.</summary>
    /// <param name="files">YAML files; with several, only <c>models</c> and <c>tests</c> may be in more than one, and are joined.</param>
    /// <param name="overrides">Each <c>path=value</c>, applied in order.</param>
    /// <param name="variable">The environment; null reads the process's.</param>
    public static LoadedConfiguration Load(
        IReadOnlyList<string> files, IReadOnlyList<string> overrides, Func<string, string?>? variable = null)
    {
        var problems = new Problems();
        var substitution = new VariableSubstitution(variable ?? Environment.GetEnvironmentVariable);
        return Bind(ReadFiles(files, substitution, problems), [], overrides, substitution, problems);
    }

    /// <summary>The JSON Schema (draft 2020-12) of a configuration: its keys, and what may be written.</summary>
    public static JsonObject Schema()
    {
        JsonObject schema = WorkerTable.Root.Schema();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "StreamEM configuration");
        // What a model needs may be among the defaults.
        var item = (JsonObject)schema["properties"]![ModelsKey]!["items"]!;
        var whole = (JsonObject)item["properties"]!["model"]!;
        schema["if"] = new JsonObject { ["not"] = new JsonObject { ["required"] = Binding.Schema.Texts([ModelDefaults.Key]) } };
        var needs = new JsonObject
        {
            ["required"] = item["required"]!.DeepClone(),
            ["properties"] = new JsonObject { ["model"] = new JsonObject { ["required"] = whole["required"]!.DeepClone() } },
        };
        schema["then"] = new JsonObject { ["properties"] = new JsonObject { [ModelsKey] = new JsonObject { ["items"] = needs } } };
        item["required"] = Binding.Schema.Texts(["id"]);
        whole.Remove("required");
        return schema;
    }

    /// <summary>Loads a configuration that is in no file.</summary>
    /// <param name="yaml">Its text, without a mistake.</param>
    /// <param name="options">Options of the command line, each with the <c>path=value</c> that it stands for; applied in order.</param>
    /// <param name="overrides">Each <c>path=value</c>, applied after the options.</param>
    public static LoadedConfiguration LoadText(
        string yaml, IReadOnlyList<(string Option, string Override)> options, IReadOnlyList<string> overrides)
    {
        var problems = new Problems();
        var substitution = new VariableSubstitution(Environment.GetEnvironmentVariable);
        ConfigNode? root = YamlText.Read(yaml, _ => new Origin("proposed configuration"), substitution, problems);
        return Bind(root as MappingNode, options, overrides, substitution, problems);
    }

    private static LoadedConfiguration Bind(
        MappingNode? root, IReadOnlyList<(string Option, string Override)> given, IReadOnlyList<string> overrides,
        VariableSubstitution substitution, Problems problems)
    {
        WorkerOptions? options = null;
        if (root is not null)
        {
            foreach ((string option, string text) in given) Override.Apply(root, text, substitution, problems, option);
            foreach (string text in overrides) Override.Apply(root, text, substitution, problems);
            var binder = new Binder(problems);
            ModelDefaults.Apply(root, binder);
            options = binder.Bind(WorkerTable.Root, root, "");
            new ConfigurationRules(options, binder).Check();
            options = options with
            {
                Models = [.. options.Models.Select((model, at) =>
                    WithFormer(model, at, binder) with { SecretsHash = binder.SecretsUnder(ConfigPath.Join(ModelsKey, at)) })]
            };
        }

        if (options is null || problems.HasErrors) return new LoadedConfiguration(null, problems.InOrder());
        options = options with
        {
            Models = [.. options.Models.Select(model =>
                Finished(model) with { WithFormerRecursion = model.WithFormerRecursion is { } former ? Finished(former) : null })]
        };
        return new LoadedConfiguration(options, problems.InOrder());
    }

    /// <summary>With what follows from all of it.</summary>
    internal static ModelOptions Finished(ModelOptions model) => model with
    {
        ConfigHash = ConfigHash.Of(model),
        Values = ConfigHash.ValuesOf(model),
        Schema = model.Schema.With(model.Model.Sequences) with { Kinds = model.Model.Plan(model.Schema).Kinds },
    };

    private static ModelOptions WithFormer(ModelOptions model, int at, Binder binder) =>
        binder.IsWritten(ConfigPath.Join(ConfigPath.Join(ModelsKey, at), RecursionKey))
            ? model
            : model with
            {
                WithFormerRecursion = model with { Learning = model.Learning with { Recursion = Recursion.Parameters } },
            };

    private static MappingNode? ReadFiles(IReadOnlyList<string> files, VariableSubstitution substitution, Problems problems)
    {
        MappingNode? root = null;
        bool isComplete = true;
        foreach (string file in files)
        {
            switch (YamlText.ReadFile(file, substitution, problems))
            {
                case null:
                    isComplete = false;
                    break;
                case MappingNode mapping:
                    root ??= new MappingNode(mapping.Origin);
                    Merge(root, mapping, problems);
                    break;
                case ScalarNode { Text: null } empty:
                    root ??= new MappingNode(empty.Origin);
                    break;
                case var other:
                    problems.Error(other.Origin, $"the configuration is {other.Found}; expected a mapping that starts with 'models:'");
                    isComplete = false;
                    break;
            }
        }

        return isComplete ? root : null;
    }

    private static void Merge(MappingNode root, MappingNode file, Problems problems)
    {
        foreach (MappingEntry entry in file.Entries)
        {
            if (root.Find(entry.Key) is not { } present)
                root.Add(entry);
            else if (entry.Key is ModelsKey or TestsKey && present.Value is SequenceNode items && entry.Value is SequenceNode more)
                items.Items.AddRange(more.Items);
            else
                problems.Error(entry.Origin, $"key '{entry.Key}' is already at {present.Origin}; of several files only one may have it");
        }
    }
}
