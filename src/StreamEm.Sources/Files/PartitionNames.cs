using System.Globalization;

namespace StreamEm.Sources.Files;

/// <summary>
/// Names the partitions of files: a file's is the path it is at. What was read and is at no path keeps its name until another file has it,
/// and is then told apart by a number: <c>log.csv#1</c>. The state is told of the names that changed.
/// </summary>
internal sealed class PartitionNames
{
    private const char Mark = '#';

    private Dictionary<string, KnownFile> _inState = new(StringComparer.Ordinal);
    private bool _hasChanged;

    /// <summary>The path that a file was last at, from the name of its partition.</summary>
    public static string PathOf(string name)
    {
        int mark = name.LastIndexOf(Mark);
        return mark > 0 && mark < name.Length - 1 && !name.AsSpan(mark + 1).ContainsAnyExceptInRange('0', '9') ? name[..mark] : name;
    }

    /// <summary>Takes what the state knows.</summary>
    public void Restore(KnownFile file) => _inState[file.Name] = file;

    /// <summary>Says that the state is told of a file's position with what comes next.</summary>
    public void Told(KnownFile file)
    {
        if (file.IsInState) return;
        file.IsInState = true;
        _inState[file.Name] = file;
    }

    /// <summary>Gives every file its name.</summary>
    public void Assign(IReadOnlyList<KnownFile> files, IReadOnlyList<KnownFile> past)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (KnownFile file in files.Where(file => file.Path is not null))
        {
            taken.Add(file.Path!);
            Name(file, file.Path!);
        }
        foreach (KnownFile file in files.Where(file => file.Path is null).Concat(past))
        {
            string name = file.Name, path = PathOf(name);
            for (int number = 1; !taken.Add(name); number++) name = string.Create(CultureInfo.InvariantCulture, $"{path}{Mark}{number}");
            Name(file, name);
        }
        _hasChanged |= _inState.Count > files.Count(file => file.IsInState) + past.Count(file => file.IsInState);
    }

    /// <summary>The partitions whose names changed since the last call: with their position, or null where nothing has the name.</summary>
    public IReadOnlyList<MovedPartition> Take(IReadOnlyList<KnownFile> files, IReadOnlyList<KnownFile> past)
    {
        if (!_hasChanged) return [];
        _hasChanged = false;
        var now = files.Concat(past).Where(file => file.IsInState).ToDictionary(file => file.Name, StringComparer.Ordinal);
        List<MovedPartition> moves =
            [.. _inState.Keys.Where(name => !now.ContainsKey(name)).Select(name => new MovedPartition(name, null))];
        foreach ((string name, KnownFile file) in now)
            if (_inState.GetValueOrDefault(name) != file) moves.Add(new MovedPartition(name, file.Position));
        _inState = now;
        return moves;
    }

    private void Name(KnownFile file, string name)
    {
        if (file.Name == name) return;
        file.Name = name;
        _hasChanged |= file.IsInState;
    }
}
