namespace StreamEm.Worker.Tests.Support;

/// <summary>What a kill leaves of a state directory, taken from one that is written to.</summary>
internal static class KilledState
{
    /// <summary>
    /// Copies the files of one moment: taken anew when the checkpoints are others afterwards. What those name is there as long as they are,
    /// and is only added to.
    /// </summary>
    /// <param name="from">The state directory.</param>
    /// <param name="to">A directory that is not there.</param>
    public static void Copy(string from, string to)
    {
        while (!TryCopy(from, to)) Directory.Delete(to, recursive: true);
    }

    /// <summary>Puts a copy where the state directory was.</summary>
    public static void PutBack(string copy, string state)
    {
        Directory.Delete(state, recursive: true);
        Directory.Move(copy, state);
    }

    private static bool TryCopy(string from, string to)
    {
        string[] checkpoints = Files(from, "checkpoint-*.sem");
        Directory.CreateDirectory(to);
        try
        {
            foreach (string file in checkpoints.Concat(Files(from, "keys-*.skl")))
            {
                string copy = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
        catch (FileNotFoundException)
        {
            return false;
        }

        return checkpoints.SequenceEqual(Files(from, "checkpoint-*.sem"));
    }

    private static string[] Files(string directory, string pattern) =>
        [.. Directory.EnumerateFiles(directory, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
