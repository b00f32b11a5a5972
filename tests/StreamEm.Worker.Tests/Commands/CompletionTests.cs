using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>What a shell is told, tried in a shell.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("streamem fi", "fit")]
    [InlineData("streamem run --fo", "--follow")]
    [InlineData("streamem fit --model stu", "student_t_mixture")]
    [InlineData("streamem state re", "rename reset")]
    public async Task Bash_BeginningOfAWord_IsCompletedByTheExecutable(string line, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs bash.");
        File.WriteAllText(_directory["completion"], await Print("bash"));
        string[] words = line.Split(' ');
        string script = $$"""
            source completion
            streamem() { "{{Path.Combine(AppContext.BaseDirectory, "streamem")}}" "$@"; }
            COMP_LINE='{{line}}' COMP_POINT=${#COMP_LINE} COMP_WORDS=({{line}}) COMP_CWORD={{words.Length - 1}}
            COMP_POINT=${#COMP_LINE}
            _streamem
            printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
            """;

        Assert.Equal(expected, (await Shell("bash", script)).Trim());
    }

    [Fact]
    public async Task Man_EveryVerbAndOption_IsToldInPlainRoff()
    {
        string page = await Print("man");
        foreach (Command verb in Verbs.CreateRoot().Subcommands)
        {
            Assert.Contains($".SS \"{verb.Name}", page, StringComparison.Ordinal);
            foreach (Option option in verb.Options)
                Assert.Contains($"\\fB{option.Name.Replace("-", "\\-", StringComparison.Ordinal)}\\fR", page, StringComparison.Ordinal);
        }

        foreach (FieldInfo code in typeof(ExitCode).GetFields())
            Assert.Contains(
                string.Create(CultureInfo.InvariantCulture, $".B {code.GetRawConstantValue()}\n"), page, StringComparison.Ordinal);
        Assert.SkipUnless(File.Exists("/usr/bin/groff"), "groff is not installed.");
        File.WriteAllText(_directory["page"], page);
        Assert.Equal("", await Shell("bash", "groff -man -Tutf8 -ww -z page 2>&1"));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Script_OfAShellThatIsHere_IsOneItReads(string shell)
    {
        string script = await Print(shell);
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
        Assert.SkipUnless(File.Exists($"/usr/bin/{shell}"), $"{shell} is not installed.");
        File.WriteAllText(_directory["completion"], script);
        Assert.Equal("", await Shell(shell, $"{shell} -n completion"));
    }

    private static async Task<string> Print(string what)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), "completion", what);
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        return run.Output;
    }

    private async Task<string> Shell(string shell, string script)
    {
        using Process process = Process.Start(new ProcessStartInfo(shell, ["-c", script])
        { WorkingDirectory = _directory.Path, RedirectStandardOutput = true, UseShellExecute = false })!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }
}
