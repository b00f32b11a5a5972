using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Release;

/// <summary>
/// The Debian package has what a service needs, and what is unpacked from it runs; systemd takes its unit and finds it hardened.
/// </summary>
public sealed partial class DebianPackageTests
{
    private const string Dpkg = "/usr/bin/dpkg-deb", Systemd = "/usr/bin/systemd-analyze", Unit = "usr/lib/systemd/system/streamem.service";

    /// <summary>
    /// The most exposure that systemd-analyze may find, of 10: it calls less than 4 ok, and this unit needs network and compiles.
    /// </summary>
    private const double MostExposed = 2.5;

    [Fact]
    public async Task Package_OfAnExecutable_HasUnitPageAndCompletionsAndRuns()
    {
        Assert.SkipUnless(File.Exists(Dpkg), "dpkg-deb is not installed.");
        using var folder = new TemporaryFolder();
        string package = await BuildAsync(folder);

        string contents = await RunAsync(folder.Path, Dpkg, "--contents", package);
        foreach (string file in (string[])
            [
                "./usr/lib/streamem/streamem", "./usr/bin/streamem -> ../lib/streamem/streamem", "./usr/share/man/man1/streamem.1.gz",
                $"./{Unit}",
                "./usr/share/bash-completion/completions/streamem", "./usr/share/zsh/vendor-completions/_streamem",
                "./usr/share/fish/vendor_completions.d/streamem.fish", "./etc/streamem/streamem.yaml", "./usr/share/doc/streamem/copyright",
            ])
            Assert.Contains(file, contents, StringComparison.Ordinal);
        Assert.All(contents.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Contains(" root/root ", line, StringComparison.Ordinal));
        string control = await RunAsync(folder.Path, Dpkg, "--field", package);
        Assert.Contains("Version: 9.8.7\nArchitecture: amd64\n", control, StringComparison.Ordinal);
        Assert.Equal("/etc/streamem/streamem.yaml\n", await RunAsync(folder.Path, Dpkg, "--info", package, "conffiles"));

        string root = Path.Combine(folder.Path, "root");
        await RunAsync(folder.Path, Dpkg, "--extract", package, root);
        Assert.StartsWith("streamem ", await RunAsync(folder.Path, Path.Combine(root, "usr/bin/streamem"), "version"),
            StringComparison.Ordinal);
        string state = Path.Combine(folder.Path, "state");
        Assert.Contains("ok", await RunAsync(folder.Path, Path.Combine(root, "usr/bin/streamem"), "validate", "-c",
            Path.Combine(root, "etc/streamem/streamem.yaml"), "-s", $"state_directory={state}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unit_OfThePackage_IsOneThatSystemdTakes()
    {
        Assert.SkipUnless(File.Exists(Systemd), "systemd-analyze is not installed.");
        using var folder = new TemporaryFolder();
        string unit = Repository.Read("deploy/streamem.service");
        folder.Write("streamem.service", unit.Replace("/usr/bin/streamem ", "/bin/true ", StringComparison.Ordinal));
        string file = Path.Combine(folder.Path, "streamem.service");

        Assert.Equal("", await RunAsync(folder.Path, Systemd, "verify", "--man=no", file));
        string exposure = await RunAsync(folder.Path, Systemd, "security", "--offline=true", "--no-pager", file);

        Assert.InRange(double.Parse(Exposure().Match(exposure).Groups["level"].Value, CultureInfo.InvariantCulture), 0, MostExposed);
        foreach (string line in (string[])["Type=notify", "Restart=on-failure", "RestartPreventExitStatus=64 78", "DynamicUser=yes"])
            Assert.Contains($"\n{line}\n", unit, StringComparison.Ordinal);
    }

    /// <summary>A package of the executable beside the tests, by a script that stands for it.</summary>
    private static async Task<string> BuildAsync(TemporaryFolder folder)
    {
        folder.Write("published/streamem", $"#!/bin/sh\nexec '{Path.Combine(AppContext.BaseDirectory, "streamem")}' \"$@\"\n");
        string script = Path.Combine(folder.Path, "published/streamem");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, File.GetUnixFileMode(script) | UnixFileMode.UserExecute);
        string package = Path.Combine(folder.Path, "streamem.deb");
        await RunAsync(folder.Path, Repository.PathOf("deploy/debian/build.sh"), Path.Combine(folder.Path, "published"), "9.8.7", "amd64",
            package);
        return package;
    }

    private static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{await output}{await error}");
        return await output;
    }

    [GeneratedRegex("Overall exposure level for .*: (?<level>[0-9.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Exposure();
}
