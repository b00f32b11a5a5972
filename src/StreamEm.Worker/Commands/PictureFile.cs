using StreamEm.Worker.Failures;
using StreamEm.Worker.Pixels;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>Pictures that a command writes: PNG where the name ends with .png, else SVG.</summary>
internal static class PictureFile
{
    private static readonly string[] OtherKinds = [".jpg", ".jpeg", ".pdf", ".gif", ".webp", ".eps"];

    /// <summary>What is wrong with a name for a picture; null when nothing is.</summary>
    public static string? WrongWith(string? path) =>
        // A picture that is called what it is not is found out by somebody else.
        path is not null && OtherKinds.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)
            ? $"--output '{path}': pictures are SVG or PNG; expected a name that ends with .svg or .png."
            : null;

    /// <summary>Writes one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="svg">The picture.</param>
    /// <param name="error">Where it is said that letters are missing.</param>
    /// <exception cref="CommandException">The file cannot be written (74), or has no room for so large a picture (64).</exception>
    public static void Write(string path, string svg, TextWriter error)
    {
        if (!Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))
        {
            using Stream text = OutputFile.Create(path);
            using var writer = new StreamWriter(text);
            writer.Write(svg);
            return;
        }

        (byte[] png, IReadOnlyCollection<string> missing) = Pixels(path, svg);
        using (Stream stream = OutputFile.Create(path)) stream.Write(png);
        if (missing.Count > 0)
            error.WriteLine(
                $"{path}: the font of PNG has no letters for {string.Concat(missing.Take(20))}; name a file that ends with .svg for them.");
    }

    private static (byte[] Png, IReadOnlyCollection<string> Missing) Pixels(string path, string svg)
    {
        try
        {
            return PngPicture.Of(svg);
        }
        catch (ArgumentException failure)
        {
            throw new CommandException(ExitCode.Usage, $"--output '{path}': {failure.Message} Name a file that ends with .svg.", failure);
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException)
        {
            throw new CommandException(ExitCode.Unavailable,
                $"--output '{path}': the library that paints pixels, libSkiaSharp, is not beside the executable or not for this "
                    + "machine. Name a file that ends with .svg.", failure);
        }
    }
}
