using System.ComponentModel;
using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamEm.ContainerTests.Image;

/// <summary>
/// The image of deploy/Dockerfile, built for these tests by <c>build/image.sh --stand-in</c>: on base images made of this machine, so that
/// nothing is pulled. <c>STREAMEM_TEST_IMAGE</c> names an image to be tried instead.
/// </summary>
public sealed partial class BuiltImage : IAsyncLifetime
{
    private string? _lacking;

    /// <summary>Its name.</summary>
    public string Name { get; private set; } = Environment.GetEnvironmentVariable("STREAMEM_TEST_IMAGE") ?? "streamem:of-tests";

    /// <summary>What was said of its size; null when it was not built here.</summary>
    public string? SizeLine { get; private set; }

    /// <summary>Megabytes, compressed: all, and those above the base.</summary>
    public (double All, double Own)? Megabytes => SizeLine is null || Sizes().Match(SizeLine) is not { Success: true } sizes
        ? null
        : (Number(sizes, "all"), Number(sizes, "own"));

    public async ValueTask InitializeAsync()
    {
        try
        {
            Docker.Answer engine = await Docker.Run("info", "--format", "{{.OSType}}");
            if (engine is not { Code: 0, Output: "linux\n" }) _lacking = $"no container engine for Linux runs here: {LastLine(engine)}";
        }
        catch (Win32Exception failure)
        {
            _lacking = $"no container engine: {failure.Message}";
        }

        if (_lacking is not null || Environment.GetEnvironmentVariable("STREAMEM_TEST_IMAGE") is not null) return;
        string checkout = Checkout();
        Docker.Answer bases = await Docker.Start("bash", ["build/stand-in-images.sh"], checkout);
        if (bases.Code != 0)
        {
            _lacking = $"no base images can be made here: {LastLine(bases)}";
            return;
        }

        SizeLine = (await Docker.Start("bash", ["build/image.sh", "--stand-in", Name], checkout)).Text;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Skips the test, with the reason, where there is no engine.</summary>
    public void Need() => Assert.SkipWhen(_lacking is not null, _lacking ?? "");

    private static double Number(Match match, string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static string LastLine(Docker.Answer answer) =>
        answer.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? $"exit code {answer.Code}";

    private static string Checkout()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "StreamEm.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("These tests run from a checkout.");
    }

    [GeneratedRegex(@": (?<all>[\d.]+) MB compressed, (?<own>[\d.]+) MB of it StreamEM", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sizes();
}
