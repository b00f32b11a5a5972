using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>What a document points at is there.</summary>
public sealed class LinkTests
{
    private static readonly string[] Folders = ["src/", "tests/", "docs/", "samples/", "clients/", "deploy/", "build/", ".github/"];

    [Fact]
    public void RelativeLinks_OfTheDocuments_PointAtFiles() => Violations.None(
        from file in Markdown.Files
        from link in Markdown.Links(file)
        where !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith('#')
            && !link.StartsWith("mailto:", StringComparison.Ordinal)
        let target = Path.Combine(Path.GetDirectoryName(file)!, link.Split('#')[0])
        where !Exists(target)
        select $"{file} links to {link}, which is not there");

    [Fact]
    public void Paths_TheDocumentsName_AreThere() => Violations.None(
        from file in Markdown.Files
        where file != "CHANGELOG.md"
        from path in Markdown.CodeSpans(file)
        where Folders.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)) && path.IndexOfAny(['*', ' ', '{', '<']) < 0
        where !Exists(path.TrimEnd('/'))
        select $"{file} names {path}, which is not there");

    [Fact]
    public void Verbs_OfBuildSh_TheDocumentsName_AreThere()
    {
        string script = Repository.Read("build.sh");
        Violations.None(
            from file in Markdown.Files
            from word in Repository.Read(file).Split("./build.sh ").Skip(1)
                .Select(rest => new string([.. rest.TakeWhile(char.IsAsciiLetterLower)]))
            where word.Length > 0 && !script.Contains($"\n  {word})", StringComparison.Ordinal)
                && !script.Contains($"\n  {word} |", StringComparison.Ordinal)
            select $"{file} calls ./build.sh {word}, which there is not");
    }

    private static bool Exists(string file) => Path.Exists(Repository.PathOf(file));
}
