using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Tests.Support;

/// <summary>
/// The steps by which files are made durable, in this test and in all that it starts, until disposed; and what the test notes among them.
/// </summary>
internal sealed class DiskRecord : IDisposable
{
    private readonly string _root;
    private readonly Lock _lock = new();
    private readonly List<string> _events = [];

    /// <summary>Records the steps below a directory.</summary>
    public DiskRecord(TemporaryDirectory directory)
    {
        _root = directory.Path;
        DurableFile.Watcher.Value = Take;
    }

    /// <summary>Called before each step is taken; what it throws happens in the step's place.</summary>
    public Action<DurableStep> Before { get; set; } = _ => { };

    /// <summary>What happened, in order: <c>sync state/clouds/checkpoint-1.sem.tmp</c>.</summary>
    public IReadOnlyList<string> Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    /// <summary>Forgets what happened.</summary>
    public void Clear()
    {
        lock (_lock) _events.Clear();
    }

    /// <summary>Adds what the test saw.</summary>
    public void Note(string what)
    {
        lock (_lock) _events.Add(what);
    }

    public void Dispose() => DurableFile.Watcher.Value = null;

    private void Take(DurableStep step)
    {
        Before(step);
        Note($"{Word(step.Act)} {Path.GetRelativePath(_root, step.Path)}");
    }

    private static string Word(DurableAct act) => act switch
    {
        DurableAct.Write => "write",
        DurableAct.Sync => "sync",
        DurableAct.Rename => "rename to",
        DurableAct.SyncDirectory => "sync directory",
        _ => "delete",
    };
}
