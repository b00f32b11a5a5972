using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Benchmarks;

/// <summary>
/// Rows per second and memory of one learner against the length of its stream. Every measurement starts at the same state, after the
/// initialisation, and learns from exactly N rows; what the initialisation costs, once, is said beside the table.
/// </summary>
internal sealed class GrowthWithRows(Report report, bool quick)
{
    private const int Dimension = 8, Components = 8, Block = 4096;

    /// <summary>Drawn rows that the streams go round in, in blocks: their drawing is not what is measured.</summary>
    private const int Blocks = 64;

    private const int Samples = 5;

    private readonly double _sampleSeconds = quick ? 0.05 : 0.2;
    private readonly SyntheticMixture _data = new(Dimension, Components);

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        Minibatch[] stream = [.. Enumerable.Range(0, Blocks).Select(_ => _data.Draw(Block))];
        Minibatch start = _data.Draw(Start().Initialization.Buffer);
        double initialization = Clock.Median(() => Initialized(start), Clock.Thread, Samples, _sampleSeconds);
        byte[] state = State(Initialized(start));
        report.Table(
            "Growth with N",
            string.Create(CultureInfo.InvariantCulture,
                $"Learner, diag ({Dimension},{Components}), minibatches of {Block}, one thread, its CPU time. A measurement starts after "
                    + $"initialisation and first minibatch and learns from exactly so many ") +
            "rows, drawn before; short ones are repeated from the same state, medians of 5. " +
            string.Create(CultureInfo.InvariantCulture,
                $"The initialisation is not in the rates: once in a stream's life it takes {initialization * 1e3:F1} ms for its "
                    + $"{start.Count} buffered rows ({Start().Initialization.NInit} restarts)."),
            "rows", "rows/s", "held by the learner at the end, kB", "allocated in all, kB");
        foreach (long rows in quick ? (long[])[10_000, 100_000, 1_000_000] : [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000])
            Measure(rows, stream, state);
    }

    private static LearningOptions Start() => new() { MinibatchSize = Block };

    private static Learner NewLearner() => new(
        ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = CovarianceType.Diag }, Components), RecordSchema.OfNumbers(Dimension),
        Start(), threads: 1);

    private static Learner Initialized(Minibatch start)
    {
        Learner learner = NewLearner();
        learner.Add(start, 0, start.Count);
        learner.TryUpdate(flush: true);
        return learner;
    }

    private static byte[] State(Learner learner)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) learner.Save(writer);
        return stream.ToArray();
    }

    private void Measure(long rows, Minibatch[] stream, byte[] state)
    {
        Learn(rows, stream, state);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        (Learner learner, _, long allocated) = Learn(rows, stream, state);
        long held = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(learner);

        double[] rates = new double[Samples];
        for (int sample = 0; sample < Samples; sample++)
        {
            double seconds = 0;
            long learned = 0;
            for (; seconds < _sampleSeconds; learned += rows) seconds += Learn(rows, stream, state).Seconds;
            rates[sample] = learned / seconds;
        }
        Array.Sort(rates);
        report.Row($"{rows:E0}", Report.Rate(rates[Samples / 2]), $"{held * 1e-3:F0}", $"{allocated * 1e-3:F1}");
    }

    /// <summary>
    /// A learner that has learned from exactly so many rows after its first minibatch, the CPU seconds and the bytes allocated for that.
    /// </summary>
    private static (Learner Learner, double Seconds, long Allocated) Learn(long rows, Minibatch[] stream, byte[] state)
    {
        Learner learner = NewLearner();
        using (var reader = new BinaryReader(new MemoryStream(state))) learner.Load(reader);
        Feed(learner, Block, stream);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        double start = Clock.Thread();
        Feed(learner, rows, stream);
        return (learner, Clock.Thread() - start, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }

    private static void Feed(Learner learner, long rows, Minibatch[] stream)
    {
        for (long done = 0; done < rows;)
        {
            Minibatch block = stream[done / Block % stream.Length];
            int count = (int)Math.Min(block.Count, rows - done);
            learner.Add(block, 0, count);
            done += count;
            while (learner.TryUpdate(flush: done == rows)) { }
        }
    }
}
