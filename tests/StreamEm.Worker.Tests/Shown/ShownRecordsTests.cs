using Microsoft.Extensions.Time.Testing;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Shown;

namespace StreamEm.Worker.Tests.Shown;

public sealed class ShownRecordsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordSchema _schema = new() { Features = ["x", "y"], Key = "k" };
    private readonly ShownRecords _shown;
    private long _record;

    public ShownRecordsTests() => _shown = new ShownRecords(_schema, _time);

    [Fact]
    public void Sample_OfASlowStream_HasEveryRecord()
    {
        for (int batch = 0; batch < 3; batch++)
        {
            Take(100);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(Enumerable.Range(0, 300).Select(record => (long)record), Records(_shown.Sample(1000)));
        Assert.Equal(Enumerable.Range(290, 10).Select(record => (long)record), Records(_shown.Sample(10)));
    }

    [Fact]
    public void Sample_OfAnyRow_HasItsValuesKeyAndPlace()
    {
        Take(5);

        KeptRecords sample = _shown.Sample(1);

        Assert.Equal([4.0, -4.0], sample.Rows.Row(0).ToArray());
        Assert.Equal("k4", sample.Rows.Texts!.Find(sample.Rows.Key(0)));
        Assert.Equal(("p", 40), (sample.Marks[0].Partition, sample.Marks[0].Offset));
    }

    [Fact]
    public void Sample_OfAFastStream_IsSpreadOverItAndBounded()
    {
        for (int batch = 0; batch < 400; batch++) Take(1000);

        long[] records = [.. Records(_shown.Sample(ShownRecords.MaxSample))];
        Assert.InRange(records.Length, 500, ShownRecords.MaxSample);
        Assert.Equal(records.Order(), records);
        // The newest half covers more than a tenth of 400 000 records, to near their end.
        Assert.True(records[^1] - records[0] > 40_000, $"{records[0]} to {records[^1]}");
        Assert.True(records[^1] > 390_000, $"ends with {records[^1]}");
    }

    [Fact]
    public void Sample_OfRecordsInRhythm_HasAllOfThem()
    {
        for (int batch = 0; batch < 400; batch++) Take(1000);

        Assert.Equal(8, Records(_shown.Sample(ShownRecords.MaxSample)).Select(record => record % 8).Distinct().Count());
    }

    [Fact]
    public void Sample_WhenAFastStreamBecomesSlow_HasItsRecordsAtOnce()
    {
        for (int batch = 0; batch < 400; batch++) Take(1000);
        Assert.True(_shown.Every > 100);

        for (int record = 0; record < 20; record++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Take(1);
        }

        Assert.Equal(Enumerable.Range(400_000, 20).Select(record => (long)record), Records(_shown.Sample(20)));
    }

    [Fact]
    public void Sample_AfterARestart_GoesOnFromTheRecordItMeets()
    {
        _record = 1_000_000;
        Take(3);

        Assert.Equal([1_000_000, 1_000_001, 1_000_002], Records(_shown.Sample(10)));
    }

    [Fact]
    public void Sample_OfLongTexts_IsBounded()
    {
        var rows = new Minibatch(2, texts: new TextTable());
        var batch = new RecordBatch(2);
        batch.Clear("p", "same", 0);
        string text = new('x', 100_000);
        for (int record = 0; record < 200; record++)
        {
            rows.Clear();
            rows.Add([1, 2], key: rows.Texts!.Number($"{record}{text}"));
            batch.NextRow.Clear();
            batch.Commit(record + 1);
            _shown.Take(new TakenRecords(batch, record, 1, rows), record);
        }

        Assert.InRange(_shown.Sample(1000).Rows.Texts!.Bytes, 100_000, 2_500_000);
    }

    [Fact]
    public void Strangest_OfMany_AreThoseOfTheSmallestPValues()
    {
        for (int record = 0; record < 5000; record++) Tell(record, pValue: (1 + record * 7919 % 5000) / 50_000.0);

        KeptRecords strangest = _shown.Strangest(10);

        Assert.Equal(Enumerable.Range(1, 10).Select(rank => rank / 50_000.0), strangest.Marks.Select(mark => mark.PValue));
        Assert.True(_shown.StrangeBelow < 0.1);
    }

    [Fact]
    public void Strangest_LongAgo_AreForgottenWhenOthersCome()
    {
        Tell(0, pValue: 1e-12);
        for (int window = 0; window < 3; window++)
        {
            _time.Advance(TimeSpan.FromMinutes(11));
            Take(1);
        }

        Tell(10, pValue: 0.01);

        Assert.Equal([10L], Records(_shown.Strangest(10)));
    }

    [Fact]
    public void Alarms_RaisedAndEnded_AreKeptInTheirOrder()
    {
        Tell(1, 0.001, AlarmMark.Raised);
        Tell(2, 0.5, AlarmMark.Lasting);
        Tell(3, 0.5, AlarmMark.Cleared);

        Assert.Equal([(1L, AlarmMark.Raised), (3L, AlarmMark.Cleared)],
            _shown.Alarms(10).Marks.Select(mark => (mark.Record, mark.Alarm)));
    }

    [Fact]
    public void Alarms_OfAStormOfThem_AreTheNewest()
    {
        for (int record = 0; record < 1000; record++) Tell(record, 0.001, AlarmMark.Raised);

        Assert.Equal(Enumerable.Range(900, 100).Select(record => (long)record), Records(_shown.Alarms(100)));
    }

    [Fact]
    public void Take_OfRecordsThatAreNotDue_AllocatesNothing()
    {
        for (int batch = 0; batch < 400; batch++) Take(1000);
        var one = new RecordBatch(2, 1);
        one.Clear("p", "same", 0);
        one.NextRow.Clear();
        one.Commit(1);
        var taken = new TakenRecords(one, 0, 1, one.Records);
        long due = Records(_shown.Sample(1)).Single();
        _shown.Take(taken, due);
        long before = GC.GetAllocatedBytesForCurrentThread();

        for (int times = 0; times < 1000; times++) _shown.Take(taken, due);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static IEnumerable<long> Records(KeptRecords kept) => kept.Marks.Select(mark => mark.Record);

    /// <summary>Records whose values are x = number, y = -number, with a key each, ten bytes long.</summary>
    private void Take(int count)
    {
        var batch = new RecordBatch(2, count);
        batch.Clear("p", "same", 10 * _record);
        for (int row = 0; row < count; row++)
        {
            batch.NextRow[0] = _record + row;
            batch.NextRow[1] = -(_record + row);
            batch.Commit(10 * (_record + row + 1), weight: 1, key: batch.Texts.Number($"k{_record + row}"));
        }

        _shown.Take(new TakenRecords(batch, 0, count, batch.Records), _record);
        _record += count;
    }

    private void Tell(long record, double pValue, AlarmMark alarm = AlarmMark.Quiet)
    {
        var rows = new Minibatch(2, texts: new TextTable());
        rows.Add([record, 0]);
        _shown.Take(new ScoredRecord
        {
            Record = record,
            Key = null,
            Timestamp = Minibatch.NoTimestamp,
            LogDensity = -1,
            Scores = default,
            Component = -1,
            Uncertainty = double.NaN,
            Class = -1,
            AnomalyScore = 1 - pValue,
            PValue = pValue,
            Alarm = alarm,
            Rows = rows,
            Row = 0,
        });
    }
}
