using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>The tests that samples have of themselves pass.</summary>
public sealed class SampleTests
{
    public static TheoryData<string> Tested => [.. Repository.Files("samples", "*.yaml")
        .Where(file => Repository.Read(file).Contains("\ntests:", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Tested))]
    public async Task Tests_OfASample_Pass(string sample)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "samples"), Repository.PathOf("samples"));

        (int code, string output, string error) = await Executable.RunAsync(folder.Path, "test", "-c", sample);

        Assert.True(code == 0, $"{sample}: exit code {code}\n{output}{error}");
    }
}
