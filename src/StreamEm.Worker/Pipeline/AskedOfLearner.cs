using StreamEm.Core.Learning;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Pipeline;

/// <summary>What is known of a key.</summary>
/// <param name="IsAnswered">Whether the model was asked.</param>
/// <param name="Key">What it said; null of a key that never came.</param>
internal readonly record struct KeyAnswer(bool IsAnswered, KeySummary? Key = null)
{
    /// <summary>The partitions whose keys were asked, where others have the rest.</summary>
    public IReadOnlyList<string>? Partitions { get; init; }
}

/// <summary>What others ask of the learner's thread, which answers between two batches: words, and what keys have learned.</summary>
/// <param name="run">Whose.</param>
/// <param name="delivery">Told that what comes depends on a word.</param>
/// <param name="keeper">Keeps the state that knows of it.</param>
/// <param name="time">The clock.</param>
/// <param name="wake">Has the thread look soon.</param>
internal sealed class AskedOfLearner(RunState run, SnapshotDelivery delivery, StateKeeper keeper, TimeProvider time, Action wake)
{
    /// <summary>The most that may wait.</summary>
    public const int Most = AskedQueue<Word, WordResult>.Most;

    private readonly AskedQueue<Word, WordResult> _words = new(
        tooMany: new WordResult(WordOutcome.TooMany), ended: new WordResult(WordOutcome.Ended));

    private readonly AskedQueue<string, KeyAnswer> _keys = new(tooMany: new KeyAnswer(false), ended: new KeyAnswer(false));

    /// <summary>Says something of a record. Any thread.</summary>
    public Task<WordResult> JudgeAsync(Word word) => _words.AskAsync(word, wake);

    /// <summary>Asks for what a key has learned. Any thread.</summary>
    public Task<KeyAnswer> DescribeAsync(string key) => _keys.AskAsync(key, wake);

    /// <summary>Answers all that wait.</summary>
    /// <exception cref="Failures.CommandException">A checkpoint could not be made durable (74).</exception>
    public void AnswerAll()
    {
        _words.AnswerAll(Take);
        _keys.AnswerAll(keys => [.. keys.Select(key => new KeyAnswer(IsAnswered: true, run.Keyed?.Describe(key)))]);
    }

    /// <summary>Answers no more.</summary>
    public void Close()
    {
        _words.Close();
        _keys.Close();
    }

    /// <summary>Each is judged, then the state that knows of them is kept, then they are answered.</summary>
    private WordResult[] Take(Word[] words)
    {
        WordTaken?[] said = [.. words.Select(Judge)];
        bool isKept = said.All(word => word is null) || keeper.TryKeepNow();
        return [.. said.Select(word => word is null ? new WordResult(WordOutcome.Unknown)
            : new WordResult(isKept ? WordOutcome.Kept : WordOutcome.NotKept, word))];
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
