using StreamEm.Core.Learning;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>What is asked of the models of the keys by other threads, answered by the one that has them.</summary>
internal sealed class KeyQuestions
{
    private readonly AskedQueue<string, KeyAnswer> _asked = new(tooMany: new KeyAnswer(false), ended: new KeyAnswer(false));

    /// <summary>Asks what a key has learned. Any thread.</summary>
    public Task<KeyAnswer> AskAsync(string key) => _asked.AskAsync(key, wake: () => { });

    /// <summary>Answers all that wait.</summary>
    /// <param name="parts">The partitions there are.</param>
    public void AnswerAll(IReadOnlyCollection<KeyedPartition> parts) =>
        _asked.AnswerAll(keys => [.. keys.Select(key => Answer(key, parts))]);

    /// <summary>Answers no more.</summary>
    public void Close() => _asked.Close();

    private static KeyAnswer Answer(string key, IReadOnlyCollection<KeyedPartition> parts)
    {
        KeySummary? known = parts.Select(part => part.Describe(key)).FirstOrDefault(summary => summary is not null);
        return new KeyAnswer(IsAnswered: true, known) { Partitions = [.. parts.Select(part => part.Name)] };
    }
}
