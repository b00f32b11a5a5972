using System.Globalization;
using System.Text;
using CsvHelper;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;

namespace StreamEm.Benchmarks;

/// <summary>
/// Lines per second of one thread from text to numbers, beside CsvHelper on the same bytes, and from a file to updated models.
/// </summary>
internal sealed class Ingest(Report report, bool quick)
{
    private const int Dimension = 8, Components = 8, Minibatch = 1024;
    private const int Samples = 7;

    private readonly int _lines = quick ? 100_000 : 1_000_000;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Ingest",
            $"{_lines} lines, D = 8, one thread, CPU time, medians of {Samples}. Decoding: bytes in memory to rows of doubles. File to "
                + "model: file source, decoder and " +
            "stepwise EM (K = 8, minibatches of 1024), after the initialisation. Of the decoders' ways: the separators found and no number "
                + "read; one number at a time, which is how " +
            "features are read that are not neighbours in the file; every record through the JSON reader, as where no two records look "
                + "alike.",
            "text", "CsvHelper, fields only", "CsvHelper", "StreamEM decodes", "x CsvHelper", "bytes allocated a line",
            "file to model, diag", "file to model, full");
        Measure("CSV, %.6f", RecordFormat.Csv, "F6");
        Measure("CSV, 17 digits", RecordFormat.Csv, "G17");
        Measure("NDJSON, %.6f", RecordFormat.Ndjson, "F6");
        if (Environment.ProcessorCount > 1) Beside();
    }

    /// <summary>What a second thread that decodes is worth to <c>fit</c>.</summary>
    private void Beside()
    {
        report.Table(
            "Decoding beside each other",
            $"{_lines} lines of a CSV file, 17 digits, wall time, medians of {Samples}: read alone, and into a model of one diagonal "
                + "Gaussian (minibatches of 1024), by one and by two decoders.",
            "what", "one", "two", "x");
        string path = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-beside-{Environment.ProcessId}"));
        File.WriteAllBytes(path, Write(RecordFormat.Csv, "G17"));
        Learner learner = NewLearner(CovarianceType.Diag, 1);
        Row("file read", decoders => Read(path, RecordFormat.Csv, decoders, _ => { }));
        Row("file to model", decoders => Learn(path, RecordFormat.Csv, learner, decoders));
        File.Delete(path);

        void Row(string what, Action<int> call)
        {
            double one = Rate(() => call(1), Clock.Wall), two = Rate(() => call(2), Clock.Wall);
            report.Row(what, Report.Rate(one), Report.Rate(two), (two / one).ToString("F2", CultureInfo.InvariantCulture));
        }
    }

    private void Measure(string name, RecordFormat format, string digits)
    {
        byte[] text = Write(format, digits);
        bool isCsv = format == RecordFormat.Csv;
        double fields = isCsv ? Rate(() => ReadFields(text)) : 0, peer = isCsv ? Rate(() => ReadNumbers(text)) : 0;
        double ours = Rate(() => Decode(text, RecordDecoder.Create(format, Schema())));
        double allocated = (double)Decode(text, RecordDecoder.Create(format, Schema())) / _lines;
        string path = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-ingest-{Environment.ProcessId}"));
        File.WriteAllBytes(path, text);
        Learner diagonalLearner = NewLearner(CovarianceType.Diag), fullLearner = NewLearner(CovarianceType.Full);
        double diagonal = Rate(() => Learn(path, format, diagonalLearner)), full = Rate(() => Learn(path, format, fullLearner));
        File.Delete(path);
        report.Row(
            name, Report.Rate(fields), Report.Rate(peer), Report.Rate(ours),
            peer > 0 ? (ours / peer).ToString("F2", CultureInfo.InvariantCulture) : "-",
            allocated.ToString("F2", CultureInfo.InvariantCulture), Report.Rate(diagonal), Report.Rate(full));
        if (digits == "F6") Ways(name, text, isCsv);
    }

    /// <summary>Rows for parts of the way, and for what is taken when the short way is not open.</summary>
    private void Ways(string name, byte[] text, bool isCsv)
    {
        var swapped = new RecordSchema { Features = [.. Schema().Features.Reverse()] };
        if (isCsv)
        {
            Row("separators alone", () => FindSeparators(text));
            Row("one number at a time", () => Decode(text, new CsvDecoder(swapped)));
        }
        else
        {
            Row("JSON reader alone", () => Decode(text, new NdjsonDecoder(Schema(), learnsShapes: false)));
        }

        void Row(string way, Action call) => report.Row($"{name}, {way}", "-", "-", Report.Rate(Rate(call)), "-", "-", "-", "-");
    }

    private double Rate(Action call) => Rate(call, Clock.Thread);

    private double Rate(Action call, Func<double> clock)
    {
        call();
        double[] seconds = new double[quick ? 3 : Samples];
        for (int sample = 0; sample < seconds.Length; sample++)
        {
            double start = clock();
            call();
            seconds[sample] = clock() - start;
        }
        Array.Sort(seconds);
        return _lines / seconds[seconds.Length / 2];
    }

    private byte[] Write(RecordFormat format, string digits)
    {
        Minibatch rows = new SyntheticMixture(Dimension, Components).Draw(_lines);
        var text = new StringBuilder(format == RecordFormat.Csv ? string.Join(',', Schema().Features) + "\n" : "");
        for (int row = 0; row < rows.Count; row++)
        {
            for (int d = 0; d < Dimension; d++)
            {
                string value = rows.Row(row)[d].ToString(digits, CultureInfo.InvariantCulture);
                if (format == RecordFormat.Csv) text.Append(d == 0 ? "" : ",").Append(value);
                else text.Append(d == 0 ? "{" : ",").Append(CultureInfo.InvariantCulture, $"\"x{d}\":{value}");
            }
            text.Append(format == RecordFormat.Csv ? "\n" : "}\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>A file of drawn rows, six digits after the point.</summary>
    public static void WriteCsv(string path, int dimension, int components, int lines)
    {
        using var text = new StreamWriter(path) { NewLine = "\n" };
        text.WriteLine(string.Join(',', Schema(dimension).Features));
        Minibatch rows = new SyntheticMixture(dimension, components).Draw(Math.Min(lines, 100_000));
        for (int line = 0; line < lines; line++)
        {
            ReadOnlySpan<double> row = rows.Row(line % rows.Count);
            for (int d = 0; d < dimension; d++)
                text.Write(string.Create(CultureInfo.InvariantCulture, $"{(d == 0 ? "" : ",")}{row[d]:F6}"));
            text.WriteLine();
        }
    }

    /// <summary>Features x0, x1 ...</summary>
    public static RecordSchema Schema(int dimension = Dimension) =>
        new() { Features = [.. Enumerable.Range(0, dimension).Select(d => FormattableString.Invariant($"x{d}"))] };

    private static void ReadFields(byte[] text)
    {
        using var reader = CsvReader.Create(text, CsvReaderOptions.Default);
        long bytes = 0;
        while (reader.Read())
            for (int d = 0; d < Dimension; d++) bytes += reader.GetSpan(d).Length;
        if (bytes == 0) throw new InvalidOperationException("CsvHelper found no fields.");
    }

    private static void ReadNumbers(byte[] text)
    {
        using var reader = CsvReader.Create(text, CsvReaderOptions.Default);
        double[] row = new double[Dimension];
        while (reader.Read())
            for (int d = 0; d < Dimension; d++) row[d] = reader.Parse<double>(d);
    }

    private static void FindSeparators(byte[] text)
    {
        const int Block = 16 * 1024;
        int[] places = new int[Block + SeparatorIndex.Slack];
        long found = 0;
        for (int at = 0; at < text.Length; at += Block)
            found += SeparatorIndex.Find<CommaAndPoint>(text.AsSpan(at, Math.Min(Block, text.Length - at)), places);
        if (found == 0) throw new InvalidOperationException("There are no separators.");
    }

    /// <summary>Decodes everything and answers how many bytes that allocated, the decoder's own buffers left out.</summary>
    private static long Decode(byte[] text, RecordDecoder decoder)
    {
        var batch = new RecordBatch(Dimension);
        var start = new PartitionPosition(0);
        decoder.TryBegin(text, isFinal: true, "bench", out int at);
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (at < text.Length)
        {
            batch.Clear("bench", start);
            at += decoder.Decode(text.AsSpan(at), at, isFinal: true, batch);
            if (batch.Rejected.Count > 0) throw new InvalidOperationException(batch.Rejected[0].Detail);
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static Learner NewLearner(CovarianceType covariance, int components = Components) => new(
        ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = covariance }, components), Schema(),
        new LearningOptions { MinibatchSize = Minibatch }, threads: 1);

    private static void Learn(string path, RecordFormat format, Learner learner, int decoders = 1) => Read(path, format, decoders, batch =>
    {
        for (int row = 0, count; row < batch.Count; row += count)
        {
            count = Math.Min(learner.Room, batch.Count - row);
            learner.Add(batch.Records, row, count);
            while (learner.TryUpdate()) { }
        }
    });

    private static void Read(string path, RecordFormat format, int decoders, Action<RecordBatch> take)
    {
        var source = new FileSource(new FileSourceOptions { Path = [path], Format = format, BufferBytes = 1 << 20 },
            new SourceContext(Schema(), new SourcePosition(), TimeProvider.System) { Decoders = decoders });
        var batch = new RecordBatch(Dimension);
        // A file without follow never waits: every read is complete when it returns.
        while (source.ReadAsync(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult()) take(batch);
        source.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
