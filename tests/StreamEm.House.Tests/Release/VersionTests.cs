using System.Diagnostics;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Release;

/// <summary>A release is called what its commit is tagged with; what is no release is later than the last and before the next.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task Version_OfATaggedCommit_IsTheTags()
    {
        using TemporaryFolder folder = await CommittedAsync();
        await GitAsync(folder, "tag", "v1.2.3");

        Assert.Equal("1.2.3", await VersionAsync(folder));
    }

    [Theory]
    [InlineData("v1.2.9", "1.2.10-dev.2")]
    [InlineData("v2.0.0-rc.1", "2.0.0-rc.1.dev.2")]
    [InlineData("nightly", "0.4.0-dev.3")]
    public async Task Version_OfALaterCommit_IsBetweenTheTags(string tag, string expected)
    {
        using TemporaryFolder folder = await CommittedAsync();
        await GitAsync(folder, "tag", tag);
        await CommitAsync(folder);
        await CommitAsync(folder);

        Assert.Equal(expected, await VersionAsync(folder));
    }

    [Fact]
    public void Kinds_OfMachines_AreThoseOfThePage()
    {
        string script = Repository.Read("build/release.sh"), page = Repository.Read("docs/install.md");
        string[] kinds = script.Split("known=(")[1].Split(')')[0].Split(' ');
        Assert.NotEmpty(kinds);
        Assert.All(kinds, kind => Assert.Contains($"-{kind}.", page, StringComparison.Ordinal));
    }

    private static async Task<TemporaryFolder> CommittedAsync()
    {
        var folder = new TemporaryFolder();
        folder.Write("Directory.Build.props", "<Project><PropertyGroup><Version>0.4.0</Version></PropertyGroup></Project>\n");
        await GitAsync(folder, "init", "-q");
        await CommitAsync(folder);
        return folder;
    }

    private static Task<string> CommitAsync(TemporaryFolder folder) => GitAsync(
        folder, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "-q", "--allow-empty", "-m", "more");

    private static Task<string> VersionAsync(TemporaryFolder folder) =>
        RunAsync(folder, Repository.PathOf("build/version.sh"), folder.Path);

    private static Task<string> GitAsync(TemporaryFolder folder, params string[] arguments) => RunAsync(folder, "git", arguments);

    private static async Task<string> RunAsync(TemporaryFolder folder, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program}: {process.ExitCode}\n{await output}{await error}");
        return (await output).Trim();
    }
}
