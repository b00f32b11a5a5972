using System.Net;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Drawing;

namespace StreamEm.House.Tests.Approved;

/// <summary>
/// The drawing in docs/design.md shows the folders there are and what they use now; where it puts the boxes does not count.
/// </summary>
public sealed class DrawingTests
{
    private const string Picture = "docs/images/folders.svg";

    [Fact]
    public void Drawing_OfTheFolders_ShowsTheCodeAsItIs() => Approval.VerifyFile(
        Picture,
        "docs/images/folders.received.svg",
        FolderDrawing.Of(FolderGraph.OfSources),
        svg => WebUtility.HtmlDecode(FolderDrawing.TextIn(svg)),
        FolderDrawing.TextOf(FolderGraph.OfSources));
}
