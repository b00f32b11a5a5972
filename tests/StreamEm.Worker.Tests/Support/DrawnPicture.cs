using System.Xml.Linq;
using StreamEm.Worker.Pixels;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Pictures that a test had drawn.</summary>
internal static class DrawnPicture
{
    /// <summary>A picture as SVG; all of it has pixels, and the font has all its letters.</summary>
    public static XElement Load(string path)
    {
        (byte[] png, IReadOnlyCollection<string> missing) = PngPicture.Of(File.ReadAllText(path));
        Assert.NotEmpty(png);
        Assert.Empty(missing);
        return XElement.Load(path);
    }
}
