using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Benchmarks;

/// <summary>The cost of one row scored alone.</summary>
internal static class SingleEvent
{
    /// <summary>Nanoseconds and allocated bytes per event.</summary>
    public static (double Nanoseconds, double Bytes) Measure(Shape shape, bool full, double sampleSeconds)
    {
        var data = new SyntheticMixture(shape.Dimension, shape.Components);
        var iteration = new Iteration(data, full);
        EStep eStep = iteration.Model.Prepare(iteration.Parameters);
        Minibatch rows = data.Draw(256);
        Workspace workspace = eStep.CreateWorkspace();
        double[] density = new double[1], responsibilities = new double[shape.Components];
        int row = 0;
        void Score()
        {
            eStep.Score(rows, row, 1, density, responsibilities, workspace);
            row = (row + 1) & 255;
        }
        double seconds = Clock.Median(Score, Clock.Thread, 7, sampleSeconds);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Score();
        return (seconds * 1e9, (GC.GetAllocatedBytesForCurrentThread() - before) / 1000.0);
    }
}
