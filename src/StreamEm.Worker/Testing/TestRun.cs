using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Fitting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Testing;

/// <summary>
/// Runs one test: a learner as configured learns from the files to be learned from, then takes the records as the worker takes them -
/// decoded, filtered, scored before they are learned from, watched for alarms. Nothing is written.
/// </summary>
internal sealed class TestRun : IDisposable
{
    private readonly TestOptions _test;
    private readonly ModelOptions _model;
    private readonly TimeProvider _time;
    private readonly MemoryStream _lines = new();
    private readonly List<RejectedRecord> _rejected = [];

    /// <summary>A test of one of these models.</summary>
    /// <exception cref="CommandException">There is no such model (78).</exception>
    public TestRun(TestOptions test, IReadOnlyList<ModelOptions> models, TimeProvider time)
    {
        (_test, _time) = (test, time);
        _model = models.FirstOrDefault(model => test.Model is null || model.Id == test.Model)
            ?? throw new CommandException(ExitCode.Configuration, $"{test.Place}: there is no model '{test.Model}'");
        if (test.From is { } from) _model = _model with { InitializeFrom = from };
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    /// <summary>Runs it.</summary>
    /// <returns>How many records came, and every difference from what was expected, in a sentence.</returns>
    /// <exception cref="CommandException">A file is missing or of no use.</exception>
    public async Task<(int Records, IReadOnlyList<string> Differences)> RunAsync(CancellationToken cancellationToken)
    {
        Learner learner = LearnerStart.Create(_model);
        using var scores = new FitScores(_lines, _model, learner);
        var fold = new RecordFold(learner, new SourcePosition(), new RejectionLedger(new RejectionCounts()), sink: null, stopAboveRatio: 1)
        {
            Updated = () => { },
            Taking = scores.Take,
            Rejected = record =>
            {
                scores.Reject(record);
                _rejected.Add(record);
            },
        };
        if (_test.Learn.Count > 0)
        {
            await new DataFiles(_test.Learn, DataFiles.FormatOf(_model.Source)).ReadAsync(_model.Schema, _time, batch =>
            {
                fold.Fold(batch, cancellationToken);
                return true;
            }, cancellationToken).ConfigureAwait(false);
            fold.Flush(hasEnded: false);
            if (learner.Updates == 0)
                throw new CommandException(ExitCode.DataCorrupt,
                    $"{_test.Place}: {string.Join(", ", _test.Learn)}: too few records to learn first parameters from");
            _rejected.Clear();
            _lines.SetLength(0);
        }

        List<TestedRecord> records = await FindAsync(cancellationToken).ConfigureAwait(false);
        await ReadAsync(_model.Schema, batch => fold.Fold(batch, cancellationToken), cancellationToken).ConfigureAwait(false);
        // Records are scored by what was there before them, never by parameters found in themselves.
        if (learner.Updates > 0 || _model.InitializeFrom is not null) fold.Flush();
        scores.End();
        Tell(records);
        return (records.Count, [.. CountDifferences(records), .. RecordDifferences(records)]);
    }

    /// <summary>The records there are, those included that the model is not about: by where they begin.</summary>
    private async Task<List<TestedRecord>> FindAsync(CancellationToken cancellationToken)
    {
        var offsets = new SortedSet<long>();
        await ReadAsync(_model.Schema with { Where = null }, batch =>
        {
            for (int row = 0; row < batch.Count; row++) offsets.Add(batch.Offset(row));
            offsets.UnionWith(batch.Rejected.Select(rejected => rejected.Offset));
        }, cancellationToken).ConfigureAwait(false);
        return [.. offsets.Select(offset => new TestedRecord(offset))];
    }

    /// <summary>Says of each record what became of it.</summary>
    private void Tell(List<TestedRecord> records)
    {
        Dictionary<long, TestedRecord> byOffset = records.ToDictionary(record => record.Offset);
        foreach (RejectedRecord rejected in _rejected) byOffset[rejected.Offset].Rejected = rejected;
        foreach (string text in Encoding.UTF8.GetString(_lines.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var line = (JsonObject)JsonNode.Parse(text)!;
            if (line["offset"] is { } offset) byOffset[(long)offset].Scores = line;
        }

        if (_model.Schema.Where is null) return;
        foreach (TestedRecord record in records) record.IsFiltered = record is { Scores: null, Rejected: null };
    }

    private IEnumerable<string> RecordDifferences(List<TestedRecord> records)
    {
        var comparison = new Comparison(_test.Tolerance);
        if (_test.Expect.Count > 0 && _test.Expect.Count != records.Count)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{_test.Place}: there are {records.Count} records and {_test.Expect.Count} entries in 'expect'; expected one each ({{}}: "
                    + $"anything)");
        for (int at = 0; at < Math.Min(records.Count, _test.Expect.Count); at++)
        {
            foreach (string difference in records[at].Differences(_test.Expect[at].Values, comparison))
                yield return string.Create(CultureInfo.InvariantCulture, $"{_test.Expect[at].Place}: record {at}: {difference}");
        }
    }

    private IEnumerable<string> CountDifferences(List<TestedRecord> records)
    {
        if (_test.Counts is null) return [];
        var found = new JsonObject
        {
            ["scored"] = records.Count(record => record.Scores is not null),
            ["rejected"] = records.Count(record => record.Rejected is not null),
            ["filtered"] = records.Count(record => record.IsFiltered),
            ["alarms"] = records.Count(record => record.Scores?["alarm_event"]?.ToString() == "raised"),
        };
        return new Comparison(0).FieldDifferences(_test.Counts, found).Select(difference => $"{_test.Place}: counts: {difference}");
    }

    private async Task ReadAsync(RecordSchema schema, Action<RecordBatch> take, CancellationToken cancellationToken)
    {
        if (_test.File is { } file)
        {
            await new DataFiles([file], DataFiles.FormatOf(_model.Source)) { Decoders = 1 }.ReadAsync(schema, _time, batch =>
            {
                take(batch);
                return true;
            }, cancellationToken).ConfigureAwait(false);
            return;
        }

        schema = schema.Read;
        var options = new StdinSourceOptions
        {
            Format = _test.Records is not null ? RecordFormat.Ndjson
                : DataFiles.FormatOf(_model.Source) is var format and not RecordFormat.Parquet ? format : RecordFormat.Csv,
            Csv = schema.Csv,
            Open = () => new MemoryStream(Encoding.UTF8.GetBytes(_test.Text ?? string.Join('\n', _test.Records ?? []))),
        };
        var batch = new RecordBatch(schema);
        try
        {
            await using RecordSource source = SourceCatalog.Create(options, new SourceContext(schema, new SourcePosition(), _time));
            while (await source.ReadAsync(batch, cancellationToken).ConfigureAwait(false)) take(batch);
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), $"{_test.Place}: {failure.Message}", failure);
        }
    }
}
