using System.Text.Json.Nodes;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Testing;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary><c>tests</c>: records in, and what is expected to be said of them.</summary>
internal static class TestTable
{
    private static readonly OptionalTextKind Path = new("the path of a file, or null"), AnyText = new("a text, or null");
    private static readonly string[] Countable = ["scored", "rejected", "filtered", "alarms"];

    private static readonly Table<TestOptions> Test = new(
        () => new TestOptions { Name = "" },
        new ValueField<TestOptions>(new Setting<TestOptions, string>(
            "name", new TextKind(), o => o.Name, (o, v) => o with { Name = v }, "What it shows, for a person."))
        { IsRequired = true },
        new ValueField<TestOptions>(new Setting<TestOptions, string?>(
            "model", new OptionalTextKind("the id of a model, or null"), o => o.Model, (o, v) => o with { Model = v },
            "The id of the model that is tested; null where there is only one.")),
        new ValueField<TestOptions>(new Setting<TestOptions, string?>(
            "from", Path, o => o.From, (o, v) => o with { From = v },
            "Parameters or a snapshot to start at; null: what the model says.")),
        new TextListField<TestOptions>(
            "learn", "Files or globs that are learned from before the records come.", o => o.Learn, (o, v) => o with { Learn = v }),
        new StructuresField(
            "records", "The records, a mapping each.",
            (o, items) => o with { Records = [.. items.Select(item => item.Values.ToJsonString())] }),
        new ValueField<TestOptions>(new Setting<TestOptions, string?>(
            "text", AnyText, o => o.Text, (o, v) => o with { Text = v }, "The records as the model's source has them, in a text.")),
        new ValueField<TestOptions>(new Setting<TestOptions, string?>(
            "file", Path, o => o.File, (o, v) => o with { File = v }, "A file of records.")),
        new StructuresField(
            "expect", "What is expected of each record: fields of its scores, or rejected, or filtered.",
            (o, items) => o with { Expect = items }),
        new CountsField(),
        new ValueField<TestOptions>(new Setting<TestOptions, double>(
            "tolerance", new NumberKind(Interval.AtLeast(0)), o => o.Tolerance, (o, v) => o with { Tolerance = v },
            "By how much a number may be off; of a number beyond 1 the share of it.")));

    /// <summary>The key of the whole file.</summary>
    public static Field<WorkerOptions> Field { get; } = new ListField<WorkerOptions, TestOptions>(
        "tests", "Records in, and what is expected to be said of them: for 'streamem test'.",
        (node, path, binder) => binder.Bind(Test, node, path) with { Place = node.Origin.ToString() }, Test.Describe, o => o.Tests,
        (o, v) => o with { Tests = v })
    { ItemSchema = Test.Schema };

    /// <summary>Rules that one key alone cannot break.</summary>
    public static void Check(WorkerOptions options, Binder binder)
    {
        for (int i = 0; i < options.Tests.Count; i++)
        {
            TestOptions test = options.Tests[i];
            string path = ConfigPath.Join("tests", i);
            Origin origin = binder.OriginOf(path);
            int sources = (test.Records is null ? 0 : 1) + (test.Text is null ? 0 : 1) + (test.File is null ? 0 : 1);
            if (sources != 1)
                binder.Problems.Error(origin, $"a test has its records in one of records, text or file; found {sources} of them");
            if (test.Expect.Count == 0 && test.Counts is null)
                binder.Problems
                    .Error(origin, "the test expects nothing; say what with 'expect', an entry for each record, or with 'counts'");
            string[] ids = [.. options.Models.Select(model => model.Id)];
            if (test.Model is { } id && !ids.Contains(id))
                binder.Problems.Error(binder.OriginOf($"{path}.model"), $"there is no model '{id}'{Spelling.Suggestion(id, ids)}");
            else if (test.Model is null && ids.Length > 1)
                binder.Problems.Error(origin, $"the test does not say of which model it is; add 'model', one of {string.Join(", ", ids)}");
        }
    }

    /// <summary>A list of mappings of any keys, whose values are texts, lists and mappings.</summary>
    private sealed class StructuresField(
        string key, string description, Func<TestOptions, IReadOnlyList<ExpectedRecord>, TestOptions> set) : Field<TestOptions>(
            key, description)
    {
        public override TestOptions Bind(TestOptions owner, ConfigNode value, string path, Binder binder)
        {
            if (binder.AsItems(value, path) is not { } nodes) return owner;
            var items = new List<ExpectedRecord>();
            for (int i = 0; i < nodes.Count; i++)
            {
                if (binder.AsMapping(nodes[i], ConfigPath.Join(path, i), ["fields with their values"]) is { } mapping)
                    items.Add(new ExpectedRecord((JsonObject)JsonNode.Parse(mapping.ToJson())!, nodes[i].Origin.ToString()));
            }

            return set(owner, items);
        }

        public override JsonObject Schema(TestOptions seed) => Binding.Schema.Described(
            Binding.Schema.List(new JsonObject { ["type"] = Binding.Schema.Texts(["object", "null"]) }), Description);

        public override void Describe(TestOptions owner, string path, Action<string, string> tell)
        {
            // nothing that a run depends on
        }
    }

    /// <summary><c>counts</c>: numbers, or what they are above or below.</summary>
    private sealed class CountsField() : Field<TestOptions>(
        "counts", $"How many records are expected to be {string.Join(", ", Countable)}: a number, or {{above: 0, below: 3}}.")
    {
        public override TestOptions Bind(TestOptions owner, ConfigNode value, string path, Binder binder)
        {
            if (binder.AsMapping(value, path, Countable) is not { Entries.Count: > 0 } mapping) return owner;
            binder.ReportUnknown(mapping, path, Countable);
            return owner with { Counts = (JsonObject)JsonNode.Parse(mapping.ToJson())! };
        }

        public override JsonObject Schema(TestOptions seed) => Binding.Schema.Described(
            Binding.Schema.Mapping(Countable.Select(name => KeyValuePair.Create(name, (JsonNode?)new JsonObject())), []), Description);

        public override void Describe(TestOptions owner, string path, Action<string, string> tell)
        {
            // nothing that a run depends on
        }
    }
}
