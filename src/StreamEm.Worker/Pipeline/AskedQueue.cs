namespace StreamEm.Worker.Pipeline;

/// <summary>What is asked of one thread by others, each of whom waits for the answer. Any thread adds; that one takes.</summary>
/// <typeparam name="TQuestion">What is asked.</typeparam>
/// <typeparam name="TAnswer">What is answered.</typeparam>
/// <param name="tooMany">The answer where too many wait.</param>
/// <param name="ended">The answer where nobody answers any more.</param>
internal sealed class AskedQueue<TQuestion, TAnswer>(TAnswer tooMany, TAnswer ended)
{
    /// <summary>The most that may wait.</summary>
    public const int Most = 256;

    private readonly Lock _lock = new();
    private readonly Queue<(TQuestion Question, TaskCompletionSource<TAnswer> Answer)> _waiting = new();
    private bool _isClosed;

    /// <summary>Asks.</summary>
    /// <param name="question">What.</param>
    /// <param name="wake">Called where it waits for the thread.</param>
    public Task<TAnswer> AskAsync(TQuestion question, Action wake)
    {
        var answer = new TaskCompletionSource<TAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_isClosed || _waiting.Count == Most) return Task.FromResult(_isClosed ? ended : tooMany);
            _waiting.Enqueue((question, answer));
        }

        wake();
        return answer.Task;
    }

    /// <summary>Answers all that wait; where that fails, as if nobody answered any more.</summary>
    /// <param name="answer">The answers to questions, in their order.</param>
    public void AnswerAll(Func<TQuestion[], TAnswer[]> answer)
    {
        (TQuestion Question, TaskCompletionSource<TAnswer> Answer)[] taken;
        lock (_lock)
        {
            taken = [.. _waiting];
            _waiting.Clear();
        }

        if (taken.Length == 0) return;
        TAnswer[]? answers = null;
        try
        {
            answers = answer([.. taken.Select(item => item.Question)]);
        }
        finally
        {
            for (int at = 0; at < taken.Length; at++) taken[at].Answer.SetResult(answers is null ? ended : answers[at]);
        }
    }

    /// <summary>Takes no more; those that wait are not answered.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach ((_, TaskCompletionSource<TAnswer> answer) in _waiting) answer.SetResult(ended);
            _waiting.Clear();
        }
    }
}
