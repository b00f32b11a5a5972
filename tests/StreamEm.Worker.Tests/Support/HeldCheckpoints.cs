using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Keeps the writing of checkpoints back while the test wants it.</summary>
internal sealed class HeldCheckpoints : IDisposable
{
    private readonly DiskRecord _record;
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private volatile string _held = ".tmp";
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HeldCheckpoints(TemporaryDirectory directory, FragileDisk disk) => _record = new DiskRecord(directory)
    {
        Before = step =>
        {
            if (step.Act == DurableAct.Write && step.Path.EndsWith(_held, StringComparison.Ordinal) && !_open.IsSet)
            {
                _reached.TrySetResult();
                _open.Wait();
            }

            disk.Take(step);
        },
    };

    /// <summary>Completes when one is kept back.</summary>
    public Task Reached => _reached.Task;

    public void Hold(string file = ".tmp")
    {
        _held = file;
        _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _open.Reset();
    }

    public void Release() => _open.Set();

    public void Dispose()
    {
        _open.Set();
        _record.Dispose();
    }
}
