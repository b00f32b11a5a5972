using StreamEm.House.Tests.Code;
using StreamEm.Worker.Pixels;

namespace StreamEm.House.Tests.Documents;

/// <summary>Every picture in the docs that <c>streamem plot</c> drew can be had as PNG as well: nothing in it is without pixels.</summary>
public sealed class KeptPicturesTests
{
    // Not drawn by plot.
    private static readonly string[] OfOthers = ["folders.svg", "hidden-markov.svg"];

    [Fact]
    public void Picture_EveryKeptOne_HasPixels()
    {
        string[] pictures = [.. Directory.GetFiles(Repository.PathOf("docs/images"), "*.svg", SearchOption.AllDirectories)
            .Where(path => !OfOthers.Contains(Path.GetFileName(path)))];
        Assert.True(pictures.Length > 40, "The pictures are elsewhere.");

        foreach (string picture in pictures)
        {
            (byte[] png, IReadOnlyCollection<string> missing) = PngPicture.Of(File.ReadAllText(picture));
            Assert.True(png.Length > 5000, $"{picture} is empty.");
            Assert.True(missing.Count == 0, $"{picture}: no letters for {string.Concat(missing)}.");
        }
    }
}
