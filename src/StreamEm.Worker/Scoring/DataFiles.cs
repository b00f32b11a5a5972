using StreamEm.Core.Features;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scoring;

/// <summary>The data files named on a command line, each read to its end in the order given; <c>.csv</c>, <c>.ndjson</c>, <c>.jsonl</c> and
/// <c>.json</c> say their own format, with <c>.gz</c> or <c>.zst</c> behind it or not; a Parquet file is read as one.</summary>
internal sealed class DataFiles(IReadOnlyList<string> paths, RecordFormat otherwise)
{
    /// <summary>What may be named on a command line.</summary>
    public const string Named =
        "Files or globs: .csv, .ndjson, .jsonl, .json, each also .gz or .zst; .parquet; a FIFO; - for standard input.";

    /// <summary>What is read at once: pieces for every thread.</summary>
    private const int BufferBytes = 1 << 20;

    private const int MostDecoders = 8;

    private static readonly string[] NdjsonEndings = [".ndjson", ".jsonl", ".json"];

    /// <summary>Bytes of all plain files together, for a progress bar; files that do not exist (globs) count nothing.</summary>
    public long TotalBytes => paths.Where(File.Exists).Sum(path => new FileInfo(path).Length);

    /// <summary>Reads every record once.</summary>
    /// <param name="schema">Which fields mean what; the batches have the fields that features are made of
    /// (<see cref="RecordSchema.Read"/>).</param>
    /// <param name="time">For the source.</param>
    /// <param name="take">Called with every batch; returns false to stop.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="CommandException">A file is missing (66), is no text (65) or cannot be read (74).</exception>
    public async Task ReadAsync(RecordSchema schema, TimeProvider time, Func<RecordBatch, bool> take, CancellationToken cancellationToken)
    {
        schema = schema.Read;
        var batch = new RecordBatch(schema);
        foreach (string path in paths)
        {
            try
            {
                await using RecordSource source = SourceCatalog.Create(
                    await OptionsOf(path, schema, cancellationToken).ConfigureAwait(false),
                    new SourceContext(schema, new SourcePosition(), time) { Decoders = Decoders });
                while (await source.ReadAsync(batch, cancellationToken).ConfigureAwait(false))
                    if (!take(batch)) return;
            }
            catch (SourceException failure)
            {
                throw new CommandException(SourceExitCode.Of(failure.Failure), failure.Message, failure);
            }
        }
    }

    /// <summary>Threads that decode a file; its records and their order do not depend on it.</summary>
    public int Decoders { get; init; } = Math.Min(Environment.ProcessorCount, MostDecoders);

    /// <summary>Whether standard input (-), FIFOs and the like are read too, as they come.</summary>
    public bool TakesPipes { get; init; }

    private async Task<SourceOptions> OptionsOf(string path, RecordSchema schema, CancellationToken cancellationToken)
    {
        PipedInput? pipe = TakesPipes ? await PipedInput.OpenAsync(path, cancellationToken).ConfigureAwait(false) : null;
        return pipe is null
            ? new FileSourceOptions { Path = [path], Format = FormatOf(path), Csv = schema.Csv, BufferBytes = BufferBytes }
            : new StdinSourceOptions { Format = pipe.Format ?? FormatOf(path), Csv = schema.Csv, Open = () => pipe };
    }

    private RecordFormat FormatOf(string path) => FormatSaidBy(path) ?? otherwise;

    /// <summary>How the records of a source are written, or would be in a file: messages that name a schema are JSON there.</summary>
    public static RecordFormat FormatOf(SourceOptions source) => source switch
    {
        FileSourceOptions file => file.Format,
        StdinSourceOptions stdin => stdin.Format,
        KafkaSourceOptions { Format: RecordFormat.Avro or RecordFormat.JsonSchema } => RecordFormat.Ndjson,
        KafkaSourceOptions kafka => kafka.Format,
        _ => RecordFormat.Ndjson,
    };

    /// <summary>How a file's records are written, as its name says; null where it does not.</summary>
    public static RecordFormat? FormatSaidBy(string path)
    {
        string ending = Path.GetExtension(FileSourceOptions.NameOfText(path)).ToLowerInvariant();
        if (FileSourceOptions.SaysParquet(path)) return RecordFormat.Parquet;
        return ending == ".csv" ? RecordFormat.Csv : NdjsonEndings.Contains(ending) ? RecordFormat.Ndjson : null;
    }
}
