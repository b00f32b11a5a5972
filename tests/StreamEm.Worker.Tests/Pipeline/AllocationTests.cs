using System.Globalization;
using System.Text;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>From bytes to published versions: a version costs memory, a record does not.</summary>
public sealed class AllocationTests
{
    private const int Dimension = 4, Updates = 40, Windows = 3;
    private static readonly string[] Features = ["a", "b", "c", "d"];

    [Theory]
    [InlineData(RecordFormat.Csv, CovarianceType.Full)]
    [InlineData(RecordFormat.Csv, CovarianceType.Diag)]
    [InlineData(RecordFormat.Ndjson, CovarianceType.Full)]
    public void DecodeFoldAndPublish_MoreRecordsPerVersion_AllocateNoMore(RecordFormat format, CovarianceType type)
    {
        long few = PerVersion(format, type, 512), many = PerVersion(format, type, 4096);
        // The versions' own JSON differs by some digits and, now and then, the growth of its buffer; a byte a record would be 3584.
        Assert.InRange(many - few, -1024, 1024);
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Ndjson)]
    public void DecodeAndFold_AnyRecordsPerBatch_AllocateThePositionAlone(RecordFormat format)
    {
        // Where the batch begins and ends; a byte a record would be 1024.
        foreach (int records in (int[])[64, 256, 1024]) Assert.InRange(OfBatches(format, records) / Updates, 0, 256);
    }

    private static long OfBatches(RecordFormat format, int minibatch)
    {
        var feed = new Feed(format, CovarianceType.Diag, minibatch, publish: false);
        feed.Run(10);
        long least = long.MaxValue;
        // What grows once, such as the sketch of log-densities, is not the steady state.
        for (int window = 0; window < Windows; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            feed.Run(Updates);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(10 + Windows * Updates, feed.Learner.Updates);
        return least;
    }

    private static long PerVersion(RecordFormat format, CovarianceType type, int minibatch)
    {
        var feed = new Feed(format, type, minibatch, publish: true);
        feed.Run(10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        feed.Run(Updates);
        Assert.Equal(10 + Updates, feed.Versions);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Updates;
    }

    /// <summary>The worker's way from text to versions, on this thread.</summary>
    private sealed class Feed
    {
        private readonly RecordBatch _batch = new(Dimension);
        private readonly SourcePosition _position = new();
        private readonly RecordDecoder _decoder;
        private readonly RecordFold _fold;
        private readonly byte[] _text;

        public Feed(RecordFormat format, CovarianceType type, int minibatch, bool publish)
        {
            Learner = new Learner(
                ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = type }, components: 2),
                new RecordSchema { Features = Features },
                new LearningOptions { MinibatchSize = minibatch, Initialization = new InitializationOptions { Buffer = minibatch } },
                threads: 1);
            _fold = new RecordFold(Learner, _position, new RejectionLedger(new RejectionCounts()), null, 1)
            {
                Updated = () =>
                {
                    if (!publish) return;
                    var document =
                        new SnapshotDocument(new RunIdentity("model", "", "").Stamp(Learner.CreateSnapshot()!, DateTimeOffset.UnixEpoch));
                    if (document.Json.Length > 0) Versions++;
                },
            };
            _decoder = RecordDecoder.Create(format, new RecordSchema { Features = Features });
            _text = Text(format, minibatch);
            Assert.True(_decoder.TryBegin(_text, isFinal: false, "data", out int used));
            _text = _text[used..];
        }

        public Learner Learner { get; }

        public int Versions { get; private set; }

        /// <summary>Decodes and folds the text, one minibatch, so many times.</summary>
        public void Run(int times)
        {
            for (int time = 0; time < times; time++)
                for (int at = 0; at < _text.Length;)
                {
                    _batch.Clear("data", null, at);
                    at += _decoder.Decode(_text.AsSpan(at), at, isFinal: false, _batch);
                    Assert.Null(_fold.Fold(_batch));
                }
        }

        private static string Row(Random random, RecordFormat format)
        {
            double centre = random.Next(2) * 5;
            string[] values = [.. Features.Select(_ => (centre + random.NextDouble()).ToString("F6", CultureInfo.InvariantCulture))];
            return format == RecordFormat.Csv
                ? string.Join(',', values)
                : "{" + string.Join(',', Features.Zip(values, (name, value) => $"\"{name}\":{value}")) + "}";
        }

        private static byte[] Text(RecordFormat format, int rows)
        {
            var random = new Random(1);
            var text = new StringBuilder(format == RecordFormat.Csv ? string.Join(',', Features) + "\n" : "");
            for (int row = 0; row < rows; row++) text.Append(Row(random, format)).Append('\n');
            return Encoding.UTF8.GetBytes(text.ToString());
        }
    }
}
