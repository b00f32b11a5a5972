using System.Diagnostics;
using System.Text;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>Configurations and secrets that are no small regular files, and configurations made to keep the reader busy.</summary>
public sealed class ConfigurationFilesTests
{
    [Fact]
    public void Configuration_ThatIsAPipe_IsRefusedWithoutWaiting()
    {
        using var file = new ConfigFile("");
        string pipe = Pipe(file, "pipe.yaml");

        Assert.Contains("no regular file", Assert.Single(ProblemsIn(pipe)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/zero", "at most 1048576")]
    [InlineData("/dev/null", "missing key 'models'")]
    public void Configuration_ThatIsADevice_IsReadNoFurtherThanAFile(string path, string expected) =>
        Assert.Contains(expected, string.Join(' ', ProblemsIn(path)), StringComparison.Ordinal);

    [Fact]
    public void Secret_ThatIsAPipe_IsRefusedWithoutWaiting()
    {
        using var file = new ConfigFile("");
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ auth_token_file: {Pipe(file, "token")} }}\n");

        Assert.Contains("no regular file", file.Load().Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Secret_BehindALink_IsRead()
    {
        using var file = new ConfigFile("");
        string link = Path.Combine(file.Folder, "link");
        File.CreateSymbolicLink(link, file.Write("token", "hush\n"));
        File.WriteAllText(file.Path, $"{ConfigFile.Minimal}\nhttp: {{ auth_token_file: {link} }}\n");

        Assert.Equal("hush", file.Load().Options!.Http.AuthToken);
    }

    [Fact]
    public void Keys_ByTheHundredThousand_AreEachLookedUpOnce()
    {
        var yaml = new StringBuilder("models: []\n");
        for (int i = 0; i < 100_000; i++) yaml.Append(System.Globalization.CultureInfo.InvariantCulture, $"k{i}: 1\n");
        using var file = new ConfigFile(yaml.ToString());

        // Linear takes a second; with every key compared with all before it, minutes.
        Assert.True(file.Load().Problems.Count > 100_000);
    }

    private static string[] ProblemsIn(string path) =>
        [.. ConfigurationLoader.Load([path], [], _ => null).Problems.Select(problem => problem.Message)];

    private static string Pipe(ConfigFile file, string name)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no such pipes.");
        string path = Path.Combine(file.Folder, name);
        using Process made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
        return path;
    }
}
