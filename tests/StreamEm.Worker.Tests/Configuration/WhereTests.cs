using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>A filter is read, told and bound as the features are; a mistake in it is told where it is written.</summary>
public sealed class WhereTests
{
    private static string With(string where) => $"{ConfigFile.Minimal}\n    where: {where}\n";

    [Theory]
    [InlineData("kind == \"pump\" and speed > 0")]
    [InlineData("'kind == \"pump\"   and speed > 0'")]
    [InlineData("|-\n      kind == 'pump'\n      and speed > 0")]
    [InlineData(">\n      kind == 'pump'\n      and (speed > 0)\n")]
    public void Where_WrittenInAnyWay_IsOneFilter(string where)
    {
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(With(where)).Models);

        Assert.Equal("kind == \"pump\" and speed > 0", model.Schema.Where!.ToString());
        Assert.Equal("kind == \"pump\" and speed > 0", model.Values["where"]);
        Assert.NotEqual(ConfigFile.ModelWith().ConfigHash, model.ConfigHash);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("")]
    public void Where_Null_IsEveryRecordAndTheHashOfBefore(string where)
    {
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(With(where)).Models);

        Assert.Null(model.Schema.Where);
        Assert.Equal(ConfigFile.ModelWith().ConfigHash, model.ConfigHash);
    }

    [Theory]
    [InlineData("kind = 'pump'", "streamem.yaml:6:17: error: where: '=' is not known here; write ==")]
    [InlineData("'kind = \"pump\"'", "streamem.yaml:6:18: error: where: '=' is not known here; write ==")]
    [InlineData("|\n      kind == 'pump'\n      and speed = 0\n", "streamem.yaml:8:17: error: where: '=' is not known here; write ==")]
    [InlineData("kind == 'pump'\n      and speed == fast",
        "streamem.yaml:7:20: error: where: found 'fast'; a field is compared with a value; "
        + "a text is written in quotes: \"fast\"")]
    [InlineData("kind == 'pump' and", "streamem.yaml:6:30: error: where: found the end; expected a field's name; one that is a word of the "
        + "expression is written in backquotes")]
    [InlineData("{ kind: pump }",
        "streamem.yaml:6:12: error: where is a mapping; expected an expression such as kind == \"pump\" and speed > 0")]
    public void Where_Mistake_IsToldAtItsLineAndColumn(string where, string problem) =>
        Assert.Equal(problem, Assert.Single(ConfigFile.ProblemsOf(With(where))));

    [Fact]
    public void Where_WithAVariable_IsReplacedAndItsMistakesToldAtItsStart()
    {
        Assert.Equal("kind == \"pump\"", Assert.Single(ConfigFile.OptionsOf(With("kind == '${KIND}'"), variable: _ => "pump").Models)
            .Schema.Where!.ToString());
        Assert.StartsWith("streamem.yaml:6:12: error: where: ",
            Assert.Single(ConfigFile.ProblemsOf(With("kind == ${KIND}"), variable: _ => "pump")), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_GivenBySet_IsToldAtTheOption() =>
        Assert.Equal("--set models.boiler.where: error: where: '=' is not known here; write ==",
        Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.boiler.where=a = 1"])));

    [Fact]
    public void Where_PartOfAMessage_IsRefused()
    {
        string yaml = With("kafka.key == 'a'")
            .Replace("{ stdin: {} }", "{ kafka: { brokers: [b:1], topics: [t] } }", StringComparison.Ordinal);

        Assert.Contains("streamem.yaml:6:12: error: where: 'kafka.key' cannot be used here", Assert.Single(ConfigFile.ProblemsOf(yaml)),
            StringComparison.Ordinal);
    }
}
