using FsCheck;
using FsCheck.Fluent;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>Whatever is written, the loader answers with options or with errors, and never with an exception.</summary>
public sealed class ConfigurationPropertyTests
{
    private static readonly string[] Words =
    [
        "http", "address", "models", "id", "source", "file", "kafka", "stdin", "path", "brokers", "topics", "properties", "features",
        "model", "type", "gaussian_mixture", "components",
        "learning", "step_size", "kappa", "minibatch", "size", "max_wait", "initialization", "seed", "publish", "checkpoint", "every",
        "rejected", "auth_token_file", "start", "label",
        "null", "~", "true", "0", "-1", "1e999", "0.7", "2147483648", "5s", "${X}", "${", "$${", "${file:/no}", "\"\\0\"", "'", "a.b", "&a",
        "*a", "!t", "<<", "'\U0001F600'", "", "?", "|", ">",
    ];

    private static readonly Config Seeded = Config.QuickThrowOnFailure.WithMaxTest(1000).WithReplay(20_261_120, 1);

    private static readonly Gen<string> Word = Gen.Elements(Words);

    [Fact]
    public void RandomTree_GivesOptionsOrErrors() =>
        Prop.ForAll(Arb.From(Gen.Sized(size => Tree(Math.Min(size, 5)))), yaml => IsOptionsOrErrors(yaml, [])).Check(Seeded);

    [Fact]
    public void RandomText_GivesOptionsOrErrors()
    {
        Gen<string> text = Gen.ArrayOf(Gen.OneOf(
            Word, Gen.Elements(": ", "\n", "\n  ", "- ", "{", "}", "[", "]", ", ", "#", "\t", "---\n"))).Select(string.Concat);

        Prop.ForAll(Arb.From(text), yaml => IsOptionsOrErrors(yaml, [])).Check(Seeded);
    }

    [Fact]
    public void RandomOverrides_GiveOptionsOrErrors()
    {
        Gen<string> path = Gen.NonEmptyListOf(Gen.OneOf(Word, Gen.Elements("0", "1", "boiler", "\"", ".")))
            .Select(parts => string.Join('.', parts));
        Gen<string> text = path.SelectMany(left => Gen.Sized(size => Tree(Math.Min(size, 3))).Select(right => $"{left}={right}"));

        Prop.ForAll(Arb.From(Gen.ArrayOf(text)), overrides => IsOptionsOrErrors(ConfigFile.Minimal, overrides)).Check(Seeded);
    }

    [Fact]
    public void CutFile_GivesOptionsOrErrors()
    {
        for (int length = 0; length <= ConfigFile.Minimal.Length; length++)
            Assert.True(IsOptionsOrErrors(ConfigFile.Minimal[..length], []));
    }

    private static Gen<string> Tree(int depth)
    {
        if (depth == 0) return Word;
        Gen<string> inner = Tree(depth - 1);
        Gen<string> entry = Word.SelectMany(key => inner.Select(value => $"{key}: {value}"));
        Gen<string> mapping = Gen.ListOf(entry).Select(entries => $"{{ {string.Join(", ", entries.Take(6))} }}");
        Gen<string> list = Gen.ListOf(inner).Select(items => $"[ {string.Join(", ", items.Take(4))} ]");
        return Gen.Frequency((1, Word), (4, mapping), (1, list));
    }

    private static bool IsOptionsOrErrors(string yaml, string[] overrides)
    {
        using var file = new ConfigFile(yaml);
        LoadedConfiguration loaded = file.Load(overrides);
        bool hasErrors = loaded.Problems.Any(problem => problem.Severity == Severity.Error);
        return hasErrors == loaded.Options is null
            && loaded.Problems.All(problem => problem.Message.Length > 0 && problem.Origin.Source.Length > 0);
    }
}
