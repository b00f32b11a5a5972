using System.Reflection;
using PublicApiGenerator;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Approved;

/// <summary>What each project shows the others is approved by a file.</summary>
public sealed class PublicApiTests
{
    private static readonly ApiGeneratorOptions Options = new() { IncludeAssemblyAttributes = false };

    public static TheoryData<string> Projects =>
        [.. Repository.Files("src", "*.csproj").Select(Path.GetFileNameWithoutExtension).OfType<string>()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void PublicApi_OfAProject_IsTheApprovedOne(string project)
    {
        string file = project == "StreamEm.Worker" ? "streamem.dll" : $"{project}.dll";
        Assembly assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, file));
        Approval.Verify($"{project}.api", assembly.GeneratePublicApi(Options));
    }
}
