using System.Globalization;
using System.Text;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class YamlTextTests
{
    [Theory]
    [InlineData("models: [a\n", "streamem.yaml:2:1: error: not valid YAML: ")]
    [InlineData("a: b: c\n", "streamem.yaml:1:5: error: not valid YAML: ")]
    [InlineData("a: \"x\n", "streamem.yaml:1:4: error: not valid YAML: ")]
    public void BrokenYaml_IsOneErrorAtItsPlace(string yaml, string start) =>
        Assert.StartsWith(start, Assert.Single(ConfigFile.ProblemsOf(yaml)), StringComparison.Ordinal);

    [Theory]
    [InlineData("models:\n\t- id: a\n", 2, 1)]
    [InlineData("models:\n  - id: a\n  \tmodel: x\n", 3, 3)]
    [InlineData("models:\n  - id: a\n    model:\n\t\ttype: x\n", 4, 1)]
    [InlineData("# \tcomment\n\n\t\nmodels:\n  - id: a\n    model:\n    \ttype: gaussian_mixture\n", 7, 5)]
    public void Tab_InTheIndentation_IsToldAtItsPlace(string yaml, int line, int column) => Assert.Equal(
        $"streamem.yaml:{line}:{column}: error: not valid YAML: a tab indents this line; YAML is indented with spaces",
        ConfigFile.ProblemsOf(yaml)[0]);

    [Theory]
    [InlineData("models:\n  - id: a\n   features: [x]\n",
        "3:4: error: not valid YAML: this line is indented by 3 blanks; the lines above by 0, 2, 4: indent it like one of them")]
    [InlineData("http:\n    address: x\n  auth_token: y\n",
        "3:3: error: not valid YAML: this line is indented by 2 blanks; the lines above by 0, 4: indent it like one of them")]
    [InlineData("models:\n  - id: a\n      features: [x]\n",
        "3:7: error: not valid YAML: this line is indented deeper (6 blanks) than the one above (2), which already has a value; indent "
            + "them "
            + "alike")]
    [InlineData("state_directory: x\n  serve: true\n",
        "2:3: error: not valid YAML: this line is indented deeper (2 blanks) than the one above (0), which already has a value; indent "
            + "them "
            + "alike")]
    public void Line_IndentedUnlikeOthers_IsToldAtItsPlace(string yaml, string problem) =>
        Assert.Equal($"streamem.yaml:{problem}", ConfigFile.ProblemsOf(yaml)[0]);

    [Fact]
    public void DuplicateKey_NamesBothPlaces() => Assert.Equal(
        ["streamem.yaml:7:1: error: key 'state_directory' is written twice; the first is at streamem.yaml:6:1"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal + "\nstate_directory: a\nstate_directory: b\n"));

    [Fact]
    public void AnchorsAliasesAndTags_AreEachRefused()
    {
        const string Yaml = """
            state_directory: &s ./state
            http: { address: !!str "127.0.0.1:1" }
            models:
              - id: *s
            """;

        string[] problems = ConfigFile.ProblemsOf(Yaml);

        Assert.Contains("streamem.yaml:1:18: error: anchor '&s' is not allowed; write the value where it is used", problems);
        Assert.Contains("streamem.yaml:2:18: error: tag 'tag:yaml.org,2002:str' is not allowed; write the value alone", problems);
        Assert.Contains("streamem.yaml:4:9: error: alias '*s' is not allowed; write the value itself", problems);
    }

    [Fact]
    public void MergeKey_IsAnUnknownKeyAndNotFollowed() =>
        Assert.Contains("streamem.yaml:1:1: error: unknown key '<<'; known keys: http, state_directory, serve, defaults, models, tests",
            ConfigFile.ProblemsOf("<<: { state_directory: x }\n" + ConfigFile.Minimal));

    [Fact]
    public void SecondDocument_IsAnError() =>
        Assert.Equal(["streamem.yaml:6:1: error: a second document starts here; expected one"],
            ConfigFile.ProblemsOf(ConfigFile.Minimal + "\n---\na: 1\n"));

    [Fact]
    public void KeyThatIsNoText_IsAnError() =>
        Assert.Contains("streamem.yaml:1:1: error: a key must be a text", ConfigFile.ProblemsOf("[a, b]: 1\n" + ConfigFile.Minimal));

    [Fact]
    public void NestingDeeperThan64_IsAnErrorAndNotAStackOverflow() =>
        Assert.EndsWith("error: nested deeper than 64 levels", Assert.Single(ConfigFile.ProblemsOf(new string('[', 100_000))),
            StringComparison.Ordinal);

    [Theory]
    [InlineData(64, false)]
    [InlineData(65, true)]
    public void NestingOf64Levels_IsTheDeepestRead(int levels, bool isTooDeep) => Assert.Equal(
        isTooDeep,
        ConfigFile.ProblemsOf($"{new string('[', levels)}x{new string(']', levels)}")[0]
            .EndsWith("nested deeper than 64 levels", StringComparison.Ordinal));

    [Fact]
    public void FileOverOneMebibyte_IsRefusedUnread()
    {
        var text = new StringBuilder(ConfigFile.Minimal).Append("\n# ").Append('x', 1024 * 1024);

        string problem = Assert.Single(ConfigFile.ProblemsOf(text.ToString()));

        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture,
                $"streamem.yaml: error: the file holds {text.Length} bytes; at most 1048576 are allowed"), problem);
    }

    [Theory]
    [InlineData("null", null)]
    [InlineData("~", null)]
    [InlineData("", null)]
    [InlineData("'null'", "null")]
    [InlineData("\"~\"", "~")]
    [InlineData("state", "state")]
    public void Null_IsNullOnlyUnquoted(string written, string? label) =>
        Assert.Equal(label, Assert.Single(ConfigFile.OptionsOf($"{ConfigFile.Minimal}\n    label: {written}\n").Models).Schema.Label);
}
