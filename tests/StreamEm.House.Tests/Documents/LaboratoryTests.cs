using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;
using StreamEm.Lab;

namespace StreamEm.House.Tests.Documents;

/// <summary>
/// The laboratory's pages are what its experiments write, and their sentences are true. Those that take long are run by
/// <c>./build.sh lab</c> alone.
/// </summary>
public sealed class LaboratoryTests
{
    public static TheoryData<string> Quick =>
        [.. Laboratory.Experiments.Where(experiment => !experiment.IsLong && !experiment.IsTimed).Select(experiment => experiment.Name)];

    [Theory]
    [MemberData(nameof(Quick))]
    public void Experiment_RunAgain_FindsWhatItsPageSays(string name)
    {
        Experiment experiment = Laboratory.Experiments.Single(one => one.Name == name);
        Finding finding = experiment.Run();
        Assert.True(finding.Holds, finding.Sentence);
        Assert.True(
            Pages.Page(experiment, finding) == Kept($"{name}.md") && finding.Figure == Kept($"{name}.svg"),
            $"{Pages.Folder}/{name} is not what the experiment writes. If this is what you meant: ./build.sh lab {name}, look at it, "
                + $"commit it.\nFound: {finding.Sentence}");
    }

    [Fact]
    public void Index_OfThePages_ListsEveryExperiment() => Assert.Equal(Pages.Index(Laboratory.Experiments), Kept("README.md"));

    [Fact]
    public void Names_OfTheExperiments_AreTheirOwn() =>
        Assert.Distinct(Laboratory.Experiments.Select(experiment => experiment.Name));

    [Fact]
    public void Pages_OfTheFolder_AreOfExperiments() => Violations.None(
        from file in Repository.Files(Pages.Folder, "*.*")
        let name = Path.GetFileNameWithoutExtension(file)
        where name != "README" && Laboratory.Experiments.All(experiment => experiment.Name != name)
        select $"{file} is of no experiment; delete it, or ./build.sh lab {name}");

    [Fact]
    public void Pages_OfExperiments_SayWhatIsClaimedAndWhatBecomesOfIt() => Violations.None(
        from experiment in Laboratory.Experiments
        let page = Kept($"{experiment.Name}.md")
        where !Pages.IsOf(page, experiment) || Kept($"{experiment.Name}.svg").Length == 0
        select $"{Pages.Folder}/{experiment.Name}.md has another claim than the experiment; ./build.sh lab {experiment.Name}");

    private static string Kept(string file)
    {
        string path = Repository.PathOf($"{Pages.Folder}/{file}");
        return File.Exists(path) ? File.ReadAllText(path) : "";
    }
}
