using StreamEm.Core.Features;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources;

/// <summary>What configures one kind of source: the record beside its class, written under <c>source</c> in the configuration.</summary>
public abstract record SourceOptions
{
    /// <summary><c>separator</c>, <c>decimal</c> and, where there are lines, <c>comment</c>, <c>skip_lines</c>, <c>columns</c>: how CSV is
    /// written.</summary>
    public CsvDialect Csv { get; init; } = CsvDialect.Found;

    /// <summary>Whether what was read can be read again; see <see cref="RecordSource.IsReplayable"/>.</summary>
    public virtual bool IsReplayable => true;

    /// <summary>
    /// Whether what was read up to a position is still there as it was, as far as that can be looked up without waiting for anybody: what
    /// a state without a version asks, which is bound by nothing and can as well begin again.
    /// </summary>
    /// <param name="context">The position and the schema.</param>
    public virtual bool HoldsWhatWasRead(SourceContext context) => true;
}

/// <summary>
/// What a source gets from the run that opens it, besides its own options: facts of the run and of the model, none of which can be written
/// under <c>source</c>. A source takes of it what concerns it.
/// </summary>
/// <param name="Schema">Which fields of a record mean what.</param>
/// <param name="Position">Where to go on; a partition that is not in it is read as the options say. Copied by the source.</param>
/// <param name="Time">The clock.</param>
public sealed record SourceContext(RecordSchema Schema, SourcePosition Position, TimeProvider Time)
{
    /// <summary>
    /// Whether to end at what is the end now: files that are followed end like others, topics end where their partitions end when the run
    /// starts; a run that goes on after a crash ends there too.
    /// </summary>
    public bool Once { get; init; }

    /// <summary>
    /// Records of a minibatch, of which every partition gets an equal share where partitions are read in turn, all of a source's.
    /// </summary>
    public int MinibatchSize { get; init; } = 512;

    /// <summary>
    /// Threads that may decode beside each other what is read of a file; the records and their order do not depend on it.
    /// </summary>
    public int Decoders { get; init; } = 1;

    /// <summary>What the worker writes itself, which no source of files reads.</summary>
    public OwnFiles Own { get; init; } = OwnFiles.None;

    /// <summary>Told, once each, what a person should know of the source; null where nobody listens. Any thread.</summary>
    public Action<string>? Tell { get; init; }

    /// <summary>Whether rejected records keep the message they came in, to be passed on.</summary>
    public bool KeepOriginals { get; init; }

    /// <summary>Whether records keep the trace they came with, because somebody follows it.</summary>
    public bool KeepTraces { get; init; }
}
