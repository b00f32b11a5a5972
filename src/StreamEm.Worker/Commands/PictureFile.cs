using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>Pictures that a command writes.</summary>
internal static class PictureFile
{
    /// <summary>Writes one.</summary>
    /// <exception cref="Failures.CommandException">The file cannot be written (74).</exception>
    public static void Write(string path, string svg)
    {
        using Stream stream = OutputFile.Create(path);
        using var writer = new StreamWriter(stream);
        writer.Write(svg);
    }
}
