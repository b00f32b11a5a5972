using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Runs an E-step over a minibatch on several threads. The minibatch is cut into shards by its size alone and the shards' statistics are
/// summed in their order, so the result has the same bytes whatever the number of threads.
/// </summary>
internal sealed class ShardedEStep
{
    private const int MaxShards = 16;

    /// <summary>Below this many multiplications (rows x statistics) a second thread costs more than it gives.</summary>
    private const long MinParallelWork = 1 << 18;

    /// <summary>Rows that a thread infers at a time, where that is done before the statistics.</summary>
    private const int InferredRows = 16;

    private readonly LatentModel _model;
    private readonly int _threads;
    private readonly List<Workspace> _workspaces = [];
    private readonly List<double[]> _partials = [];
    private readonly Evidence[] _evidence = new Evidence[MaxShards];
    private readonly int[] _starts = new int[MaxShards + 1];
    private double[] _posteriors = [];
    private JoinedRows? _joined;

    public ShardedEStep(LatentModel model, int threads = 0)
    {
        _model = model;
        _threads = threads > 0 ? threads : Environment.ProcessorCount;
    }

    /// <summary>
    /// Overwrites <paramref name="averages"/> with the minibatch's averages as the M-step takes them, and <paramref name="logDensities"/>
    /// with every row's log p(x). Without evidence the averages mean nothing.
    /// </summary>
    public Evidence Average(EStep eStep, ReadOnlySpan<double> parameters, Minibatch batch, double[] averages, double[] logDensities,
        Pass pass = default)
    {
        Evidence evidence = Accumulate(eStep, batch, averages, logDensities, pass);
        if (!(evidence.Weight > 0)) return evidence;
        Interpolation.Multiply(averages, 1 / evidence.Weight);
        _model.Summarize(averages, parameters);
        return evidence;
    }

    /// <summary>
    /// Overwrites <paramref name="statistics"/> with the minibatch's sums and <paramref name="logDensities"/> with every row's log p(x).
    /// </summary>
    public Evidence Accumulate(EStep eStep, Minibatch batch, double[] statistics, double[] logDensities, Pass pass = default)
    {
        if (batch.Ahead is not null)
        {
            _joined ??= new JoinedRows();
            pass = _joined.Join(batch, pass);
            Evidence ofJoined = Accumulate(eStep, _joined.Rows, statistics, _joined.LogDensities, pass);
            _joined.HandOver(logDensities);
            return ofJoined;
        }
        int shards = Cut(batch);
        Array.Clear(statistics);
        if (_model.PosteriorLength > 0 && _threads > 1 && batch.Count > InferredRows) pass = Inferred(eStep, batch, pass);
        if (shards == 1)
            return eStep.Accumulate(batch, 0, batch.Count, statistics, logDensities, WorkspaceFor(eStep, 0, pass));
        while (_partials.Count < shards) _partials.Add(new double[statistics.Length]);
        int threads = Math.Min(_threads, shards);
        if ((long)batch.Count * statistics.Length < MinParallelWork) threads = 1;
        for (int thread = 0; thread < threads; thread++) WorkspaceFor(eStep, thread, pass);
        if (threads == 1)
            Work(eStep, batch, logDensities, 0, 1, shards);
        else
            WorkTogether(eStep, batch, logDensities, threads, shards);
        Evidence evidence = default;
        for (int shard = 0; shard < shards; shard++)
        {
            evidence += _evidence[shard];
            Interpolation.Add(statistics, _partials[shard]);
        }
        return evidence;
    }

    /// <summary>The pass with the posteriors of all rows, which the threads share out.</summary>
    private Pass Inferred(EStep eStep, Minibatch batch, Pass pass)
    {
        int length = _model.PosteriorLength, parts = (batch.Count + InferredRows - 1) / InferredRows, threads = Math.Min(_threads, parts);
        if (_posteriors.Length < batch.Count * length) _posteriors = new double[batch.Count * length];
        for (int thread = 0; thread < threads; thread++) WorkspaceFor(eStep, thread, pass);
        Parallel.For(0, threads, thread =>
        {
            for (int part = thread; part < parts; part += threads)
            {
                int first = part * InferredRows, count = Math.Min(InferredRows, batch.Count - first);
                eStep.Infer(batch, first, count, _posteriors.AsSpan(first * length, count * length), _workspaces[thread]);
            }
        });
        return pass with { Posteriors = _posteriors };
    }

    /// <summary>Apart from <see cref="Accumulate"/>, so that what the threads share is only allocated where there are several.</summary>
    private void WorkTogether(EStep eStep, Minibatch batch, double[] logDensities, int threads, int shards) =>
        Parallel.For(0, threads, thread => Work(eStep, batch, logDensities, thread, threads, shards));

    private void Work(EStep eStep, Minibatch batch, double[] logDensities, int thread, int threads, int shards)
    {
        for (int shard = thread; shard < shards; shard += threads)
        {
            int first = _starts[shard], count = _starts[shard + 1] - first;
            Array.Clear(_partials[shard]);
            _evidence[shard] =
                eStep.Accumulate(batch, first, count, _partials[shard], logDensities.AsSpan(first, count), _workspaces[thread]);
        }
    }

    private Workspace WorkspaceFor(EStep eStep, int thread, Pass pass)
    {
        if (thread == _workspaces.Count) _workspaces.Add(eStep.CreateWorkspace());
        _workspaces[thread].Pass = pass;
        return _workspaces[thread];
    }

    /// <summary>Fills the shards' first rows and returns their number: a function of the minibatch and the model alone.</summary>
    private int Cut(Minibatch batch)
    {
        // Shards large enough that clearing and summing their statistics stays small beside the E-step.
        int rows = Math.Max(RowBlock.Capacity,
            (_model.StatisticsLayout.Length / 128 + RowBlock.Capacity - 1) / RowBlock.Capacity * RowBlock.Capacity);
        if (_model.Order != RowOrder.Any) return CutBySequence(batch, rows);
        int units = (batch.Count + rows - 1) / rows;
        int shards = Math.Clamp(units, 1, MaxShards);
        for (int shard = 0; shard < shards; shard++) _starts[shard] = (int)((long)units * shard / shards) * rows;
        _starts[shards] = batch.Count;
        return shards;
    }

    /// <summary>
    /// Shards of whole sequences, each at least <paramref name="rows"/> long but the last; rows without sequence starts are one sequence.
    /// Sequences of one key that follow each other share what is remembered of it, and a shard.
    /// </summary>
    private int CutBySequence(Minibatch batch, int rows)
    {
        int least = Math.Max(rows, (batch.Count + MaxShards - 1) / MaxShards), shards = 0;
        _starts[0] = 0;
        foreach (int start in batch.SequenceStarts)
            if (start - _starts[shards] >= least && !SequenceRows.FollowsItsKey(batch, start)) _starts[++shards] = start;
        _starts[++shards] = batch.Count;
        return shards;
    }
}
