using System.Runtime.InteropServices;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;

namespace StreamEm.Benchmarks;

/// <summary>
/// What the first core is worth at the moment: CPU time of an E-step of the same shape, now and then on the same core, beside what is
/// measured. A core that is shared with others on its host is worth more at one time than at another.
/// </summary>
internal sealed partial class CoreProbe : IDisposable
{
    private const int Rows = 512;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);

    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private volatile Taken _taken = new(0, 0);

    /// <summary>Begins.</summary>
    public CoreProbe(SyntheticMixture mixture)
    {
        var iteration = new Iteration(mixture, full: false);
        Minibatch rows = mixture.Draw(Rows);
        _thread = new Thread(() => Run(iteration, rows)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What was taken so far.</summary>
    public Taken Now => _taken;

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run(Iteration iteration, Minibatch rows)
    {
        if (OperatingSystem.IsLinux()) _ = SetAffinity(0, sizeof(ulong), 1);
        var executor = new ShardedEStep(iteration.Model, threads: 1);
        while (!_stop.Wait(Every))
        {
            double start = Clock.Thread();
            iteration.Run(executor, rows);
            _taken = new Taken(_taken.Rows + rows.Count, _taken.Seconds + Clock.Thread() - start);
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, in ulong cores);

    /// <summary>Rows, and CPU seconds for them.</summary>
    public sealed record Taken(long Rows, double Seconds)
    {
        /// <summary>CPU seconds a row since an earlier moment.</summary>
        public double Since(Taken before) => (Seconds - before.Seconds) / (Rows - before.Rows);
    }
}
