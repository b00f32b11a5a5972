using Microsoft.Win32.SafeHandles;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Watching;

namespace StreamEm.Worker.Commands;

/// <summary>Snapshots named on a command line.</summary>
internal static class SnapshotFile
{
    /// <summary>Longer files are read from their end.</summary>
    private const int MostWhole = 64 << 20;

    /// <summary>The longest line of a log that is read.</summary>
    private const int MostLine = 1 << 30;

    /// <summary>What may be named on a command line.</summary>
    public const string Named =
        "A snapshot (JSON) or a published log of snapshots; - is standard input; http://host:port/v1/models/id asks a worker (with the "
            + "token in STREAMEM_TOKEN), kafka://host:port/topic?model=id a topic.";

    /// <summary>
    /// The bytes of a file, of standard input, or of what is published at an address; of a long file, its end, with its last line whole.
    /// </summary>
    /// <exception cref="CommandException">It is not there or cannot be read (66), or nobody answers (69, 77).</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            if (path == PipedInput.Standard)
            {
                using Stream input = Console.OpenStandardInput();
                using var whole = new MemoryStream();
                input.CopyTo(whole);
                return whole.ToArray();
            }

            if (RemoteSnapshot.IsAddress(path))
                return RemoteSnapshot.Read(
                    path, Environment.GetEnvironmentVariable(WorkerFeed.TokenVariable), WorkerFeed.TokenVariable).ToArray();
            var file = new FileInfo(path);
            return file.Exists && file.Length > MostWhole ? ReadEnd(path, file.Length) : File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"'{path}' cannot be read: {failure.Message}", failure);
        }
    }

    private static byte[] ReadEnd(string path, long length)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        for (long size = MostWhole; ; size *= 4)
        {
            byte[] end = new byte[Math.Min(length, Math.Min(size, MostLine))];
            int read = RandomAccess.Read(file, end, length - end.Length);
            if (read < end.Length) throw new IOException("It became shorter while it was read.");
            if (end.Length == length || LastOfLog(end).Length < end.AsSpan().TrimEnd("\r\n "u8).Length) return end;
            if (end.Length == MostLine) throw new IOException($"Its last line is longer than {MostLine} bytes.");
        }
    }

    /// <summary>The snapshot in a file: one JSON object, or the last line of a published log.</summary>
    /// <exception cref="CommandException">It is not there (66) or holds no snapshot (65).</exception>
    public static ModelSnapshot Read(string path) => Parse(path, ReadBytes(path));

    /// <summary>The snapshot in bytes read from a file.</summary>
    /// <exception cref="CommandException">They hold no snapshot (65).</exception>
    public static ModelSnapshot Parse(string path, byte[] bytes)
    {
        try
        {
            return SnapshotReader.Read(LastOfLog(bytes));
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}': {failure.Message}", failure);
        }
    }

    /// <summary>The snapshot of a file, or the last one of a published log, as it is written there.</summary>
    public static ReadOnlyMemory<byte> LastOfLog(byte[] bytes)
    {
        ReadOnlySpan<byte> text = bytes.AsSpan().TrimEnd("\r\n "u8);
        int last = text.LastIndexOf("\n{"u8);
        // An indented object starts no line with a brace in its first column but its own.
        return last < 0 ? bytes.AsMemory(0, text.Length) : bytes.AsMemory(last + 1, text.Length - last - 1);
    }
}
