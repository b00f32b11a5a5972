using System.Globalization;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Auditing;

/// <summary>A published log of snapshots, read line by line.</summary>
internal static class FeedFile
{
    private const int BufferSize = 1 << 16;

    /// <summary>The longest line that is read.</summary>
    private const int MostLine = 1 << 30;

    /// <summary>Reads a file from its start.</summary>
    /// <param name="path">The file.</param>
    /// <param name="take">Told every line with the place where it is, until it returns false.</param>
    /// <returns>Whether the last line, not told, has no end: it is being written, or was when the writer was killed.</returns>
    /// <exception cref="CommandException">It cannot be read (66).</exception>
    public static bool Read(string path, Func<ReadOnlyMemory<byte>, string, bool> take)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferSize);
            byte[] line = new byte[BufferSize];
            int length = 0, number = 0;
            while (true)
            {
                if (length == line.Length) Array.Resize(ref line, Longer(path, line.Length));
                int read = file.Read(line, length, line.Length - length), start = 0, from = length;
                length += read;
                if (read == 0) break;
                for (int end; (end = line.AsSpan(from, length - from).IndexOf((byte)'\n')) >= 0; start = from)
                {
                    end += from;
                    from = end + 1;
                    number++;
                    if (!take(line.AsMemory(start, end - start).TrimEnd((byte)'\r'), Place(number))) return false;
                }

                line.AsSpan(start, length - start).CopyTo(line);
                length -= start;
            }

            // A file of one snapshot need not end its line.
            if (length > 0 && number == 0) take(line.AsMemory(0, length), Place(1));
            return length > 0 && number > 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"'{path}' cannot be read: {failure.Message}", failure);
        }
    }

    private static string Place(int number) => string.Create(CultureInfo.InvariantCulture, $"line {number}");

    private static int Longer(string path, int length) => length < MostLine
        ? Math.Min(2 * length, MostLine)
        : throw new CommandException(ExitCode.DataCorrupt, $"'{path}' has a line longer than {MostLine} bytes: it is no log of snapshots.");
}
