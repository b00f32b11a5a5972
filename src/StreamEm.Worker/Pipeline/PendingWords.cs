using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Pipeline;

/// <summary>What people said and the learner's thread has not taken yet. Any thread adds; the learner's takes.</summary>
/// <param name="run">What they are said to.</param>
/// <param name="delivery">Told that what comes depends on them.</param>
/// <param name="keeper">Keeps the state that knows of them.</param>
/// <param name="time">The clock.</param>
/// <param name="wake">Has the learner's thread look soon.</param>
internal sealed class PendingWords(RunState run, SnapshotDelivery delivery, StateKeeper keeper, TimeProvider time, Action wake)
{
    /// <summary>The most that may wait.</summary>
    public const int Most = 256;

    private readonly Lock _lock = new();
    private readonly Queue<(Word Word, TaskCompletionSource<WordResult> Answer)> _waiting = new();
    private bool _isClosed;

    /// <summary>Adds a word. Any thread.</summary>
    /// <returns>What became of it, once that is known: between two batches of records.</returns>
    public Task<WordResult> AddAsync(Word word)
    {
        var answer = new TaskCompletionSource<WordResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_isClosed || _waiting.Count == Most)
                return Task.FromResult(new WordResult(_isClosed ? WordOutcome.Ended : WordOutcome.TooMany));
            _waiting.Enqueue((word, answer));
        }

        wake();
        return answer.Task;
    }

    /// <summary>Takes all that wait: each is judged, then the state that knows of them is kept, then they are answered.</summary>
    /// <exception cref="Failures.CommandException">A checkpoint could not be made durable (74).</exception>
    public void TakeAll()
    {
        (Word Word, TaskCompletionSource<WordResult> Answer)[] taken;
        lock (_lock)
        {
            taken = [.. _waiting];
            _waiting.Clear();
        }

        if (taken.Length == 0) return;
        var results = new WordResult[taken.Length];
        try
        {
            WordTaken?[] said = [.. taken.Select(item => Judge(item.Word))];
            bool isKept = said.All(word => word is null) || keeper.TryKeepNow();
            results = [.. said.Select(word => word is null ? new WordResult(WordOutcome.Unknown)
                : new WordResult(isKept ? WordOutcome.Kept : WordOutcome.NotKept, word))];
        }
        catch
        {
            Array.Fill(results, new WordResult(WordOutcome.Ended));
            throw;
        }
        finally
        {
            for (int at = 0; at < taken.Length; at++) taken[at].Answer.SetResult(results[at]);
        }
    }

    /// <summary>Takes no more; those that wait are not taken.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach ((_, TaskCompletionSource<WordResult> answer) in _waiting) answer.SetResult(new WordResult(WordOutcome.Ended));
            _waiting.Clear();
        }
    }

    /// <summary>A word is a decision of the moment: nothing that depends on it is shown before a checkpoint holds it.</summary>
    private WordTaken? Judge(Word word)
    {
        if (run.Scores?.Judge(word) is not { } taken) return null;
        delivery.Decided(run.Learner.Updates);
        keeper.Demand();
        run.History = RunEvent.Append(run.History, [new RunEvent(time.GetUtcNow(), run.Learner.Updates,
            $"feedback: record {taken.Record} was {(word.IsNormal ? "normal" : "abnormal")}")]);
        return taken;
    }
}
