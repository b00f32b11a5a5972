using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class VariableSubstitutionTests
{
    private static readonly Dictionary<string, string> Environment =
        new() { ["ROOT"] = "/data", ["K"] = "7", ["EMPTY"] = "", ["TRICK"] = "a: [b", ["DEEP"] = "${ROOT}" };

    [Theory]
    [InlineData("${ROOT}", "/data")]
    [InlineData("${ROOT}/x${K}y", "/data/x7y")]
    [InlineData("${NONE:fallback}", "fallback")]
    [InlineData("'${NONE:a:b}'", "a:b")]
    [InlineData("${ROOT:fallback}", "/data")]
    [InlineData("$${ROOT}", "${ROOT}")]
    [InlineData("$ROOT and $", "$ROOT and $")]
    [InlineData("\"${ROOT}\"", "/data")]
    [InlineData("${TRICK}", "a: [b")]
    [InlineData("${DEEP}", "${ROOT}")]
    public void Reference_IsReplacedByTextAndReadOnce(string written, string expected) =>
        Assert.Equal(expected,
            ConfigFile.OptionsOf($"{ConfigFile.Minimal}\nstate_directory: {written}\n", variable: Variable).StateDirectory);

    [Fact]
    public void Number_MayComeFromAVariable()
    {
        ModelOptions model =
            Assert.Single(ConfigFile.OptionsOf(ConfigFile.Minimal, ["models.0.learning.minibatch.size=${K}00"], Variable).Models);

        Assert.Equal(700, model.Learning.MinibatchSize);
    }

    [Fact]
    public void Reference_InsideFlowCollections_NeedsNoQuotes()
    {
        ModelOptions model = Assert.Single(
            ConfigFile.OptionsOf(
                $"{ConfigFile.Minimal}\n    learning: {{ minibatch: {{ size: ${{K}} }}, step_size: {{ kappa: ${{NONE:0.8}} }} }}\n",
                variable: Variable).Models);

        Assert.Equal((7, 0.8), (model.Learning.MinibatchSize, model.Learning.StepSize.Kappa));
    }

    [Theory]
    [InlineData("${EMPTY}")]
    [InlineData("${NONE:}")]
    [InlineData("${NONE:null}")]
    public void UnquotedNothing_IsNull(string written) =>
        Assert.Null(
            Assert.Single(ConfigFile.OptionsOf($"{ConfigFile.Minimal}\n    label: {written}\n", variable: Variable).Models).Schema.Label);

    [Theory]
    [InlineData("${NONE}", "variable NONE is not set; set it or give a default: ${NONE:default}")]
    [InlineData("a${NONE", "'${' is not closed; write ${VAR}, ${VAR:default} or ${file:/path}, or $${ for a literal ${")]
    [InlineData("${NO-NE}", "'${NO-NE}' names no variable; expected letters, digits and _ as in ${VAR} or ${VAR:default}")]
    public void BadReference_IsAnErrorAtItsPlace(string written, string message) =>
        Assert.Contains($"streamem.yaml:6:18: error: {message}",
            ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\nstate_directory: {written}\n", variable: Variable));

    [Fact]
    public void Keys_AreNotReplaced() =>
        Assert.Contains("streamem.yaml:6:1: error: unknown key '${K}'; known keys: http, state_directory, serve, defaults, models, tests",
            ConfigFile.ProblemsOf(ConfigFile.Minimal + "\n${K}: 1\n", variable: Variable));

    [Fact]
    public void File_IsReadWithoutItsLastLineBreak()
    {
        using var file = new ConfigFile("");
        string secret = file.Write("secret", "a b\n");
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ auth_token: '${{file:{secret}}}' }}\n");

        Assert.Equal("a b", file.Load().Options!.Http.AuthToken);
    }

    [Fact]
    public void FileThatIsMissing_IsAnErrorThatNamesIt() => Assert.StartsWith(
        "streamem.yaml:6:18: error: file '/no/such/file' cannot be read: ",
        ConfigFile.ProblemsOf(ConfigFile.Minimal + "\nstate_directory: ${file:/no/such/file}\n")[0], StringComparison.Ordinal);

    [Fact]
    public void FileOver64Kibibytes_IsRefused()
    {
        using var file = new ConfigFile("");
        string large = file.Write("large", new string('x', 65_537));
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nstate_directory: ${{file:{large}}}\n");

        Assert.Contains("holds 65537 bytes; at most 65536 are allowed", file.Load().Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextFromAFile_IsNeverShownInMessages()
    {
        using var file = new ConfigFile("");
        string secret = file.Write("secret", "hunter2");
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ address: '${{file:{secret}}}' }}\n");

        string message = Assert.Single(file.Load().Problems).Message;

        Assert.StartsWith("http.address is a text read from a file; expected address:port", message, StringComparison.Ordinal);
    }

    private static string? Variable(string name) => Environment.GetValueOrDefault(name);
}
