using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Benchmarks;

/// <summary>
/// What the one that folds can carry: messages as the statistics topic has them, decoded, folded and published as state by the worker's own
/// code, without a broker; beside it what a worker needs for a message. Their ratio is the number of workers that one reducer carries.
/// </summary>
internal sealed class ReducerCeiling(Report report, bool quick)
{
    /// <summary>Records of a minibatch.</summary>
    public const int Minibatch = 2048;

    private const int SeldomSnapshots = 64, MaxMessageBytes = 64 << 20;

    private readonly int _batches = quick ? 3 : 15;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Many workers: what one reducer carries",
            $"Minibatches of {Minibatch}, medians of {_batches}, no broker. A worker's minibatch: E-step and the message's bytes "
                + "(CPU time of one thread, like the next two); restore: the newest parameters, taken before each; follow: a published "
                + "state read. Fold: a message decoded, checked and folded (wall time, like the next). Version: a snapshot made, with its "
                + $"text and hash: of each update by default, of one in {SeldomSnapshots} where snapshot_every_updates is "
                + $"{SeldomSnapshots}. Publish: the state's bytes, at the ceiling once in {Reduction.Batch} messages. Ceilings, and the "
                + $"workers that they are enough for: with a snapshot of each update / of one in {SeldomSnapshots}.",
            "covariance", "(D,K)", "message, kB", "state, kB", "worker's minibatch, ms", "restore, ms", "follow, ms", "fold, ms",
            "version, ms", "publish, ms", "messages/s", "MB/s", "workers");
        Costs.Of(isFull: true, dimension: 8, components: 8, 8 * _batches);
        foreach (bool isFull in (bool[])[false, true])
            foreach (int dimension in Sizes())
                foreach (int components in Sizes()) Measure(isFull, dimension, components);
    }

    private int[] Sizes() => quick ? [8, 32] : [8, 32, 256];

    private void Measure(bool isFull, int dimension, int components)
    {
        string kind = isFull ? "full" : "diag", shape = string.Create(CultureInfo.InvariantCulture, $"({dimension},{components})");
        double bytes = 8.0 * components * (1 + dimension + (isFull ? dimension * (dimension + 1) / 2 : dimension));
        if (bytes > MaxMessageBytes)
        {
            report.Row(kind, shape, $"{bytes * 1e-3:F0}", "over what a message holds", "", "", "", "", "", "", "", "", "");
            return;
        }

        var costs = Costs.Of(isFull, dimension, components, bytes > 1e6 ? Math.Min(3, _batches) : _batches);
        double often = 1 / costs.PerMessage(1), seldom = 1 / costs.PerMessage(SeldomSnapshots);
        string Both(Func<double, string> text) => $"{text(often)} / {text(seldom)}";
        report.Row(
            kind, shape, $"{costs.Bytes * 1e-3:F1}", $"{costs.StateBytes * 1e-3:F0}", Ms(costs.Minibatch), Ms(costs.Restore),
            Ms(costs.Follow), Ms(costs.Fold), Ms(costs.Version), Ms(costs.Publish), Both(rate => $"{rate:G3}"),
            Both(rate => $"{rate * costs.Bytes * 1e-6:G3}"),
            Both(rate => $"{rate * costs.PerWorker:F1}"));
    }

    private static string Ms(double seconds) => $"{seconds * 1e3:G3}";

    /// <summary>Seconds of CPU of every part.</summary>
    private sealed record Costs(
        long Bytes, long StateBytes, double Minibatch, double Restore, double Follow, double Fold, double Version, double Publish)
    {
        /// <summary>What a message costs the reducer.</summary>
        public double PerMessage(int snapshotEvery) => Fold + Version / snapshotEvery + Publish / Reduction.Batch;

        /// <summary>What a message costs the worker that makes it.</summary>
        public double PerWorker => Minibatch + Restore;

        public static Costs Of(bool isFull, int dimension, int components, int batches)
        {
            ModelOptions options = Options(isFull, dimension, components, int.MaxValue), often = Options(isFull, dimension, components, 1);
            var mixture = new SyntheticMixture(dimension, components);
            var start = new Learner(options.Model, options.Schema, options.Learning, new InitialParameters(
                new Dictionary<string, double[]>(StringComparer.Ordinal)
                {
                    ["weights"] = mixture.Weights,
                    ["means"] = mixture.Means,
                    ["covariances"] = mixture.Parameters(isFull)[(components * (1 + dimension))..],
                }), threads: 1);
            Checkpoint first = Reduction.Begin(options, start, next: 0, TimeProvider.System).Capture(DateTimeOffset.UnixEpoch);
            Minibatch rows = mixture.Draw(ReducerCeiling.Minibatch);

            var messages = new List<byte[]>();
            double minibatch = Median(batches, () =>
            {
                Learner worker = OneThread(options, first);
                return Seconds(() =>
                {
                    worker.Add(rows, 0, rows.Count);
                    messages.Add(Message(first, worker.Contribute(), messages.Count));
                });
            });
            Learner one = OneThread(options, first);
            while (messages.Count < Reduction.Batch)
            {
                one.Add(rows, 0, rows.Count);
                messages.Add(Message(first, one.Contribute(), messages.Count));
            }

            double fold = Folding(options, first, messages, batches, out Checkpoint _, out double publish);
            double whole = Folding(often, first, messages, batches, out Checkpoint last, out _);
            byte[] state = CheckpointFile.Encode(last);
            return new Costs(messages[0].Length, state.Length, minibatch,
                Median(batches, () => Seconds(() => StateRestore.Learner(options, last, binding: null))),
                Median(batches, () => Seconds(() => CheckpointFile.DecodeState(state))), fold, Math.Max(0, whole - fold), publish);
        }

        /// <summary>Seconds a message, and a state that is published.</summary>
        private static double Folding(
            ModelOptions options, Checkpoint first, List<byte[]> messages, int batches, out Checkpoint last, out double publish)
        {
            Checkpoint? made = null;
            var publishing = new List<double>();
            double seconds = Median(batches, () =>
            {
                Reduction reduction = Reduction.Restore(options, first);
                double started = Clock.Wall();
                for (int at = 0; at < Reduction.Batch; at++) reduction.Take(at, messages[at], DateTimeOffset.UnixEpoch);
                long written = reduction.TakeSnapshots().Sum(made => made.Json.Length);
                double taken = Clock.Wall() - started;
                if (reduction[Verdict.Accepted] != Reduction.Batch) throw new InvalidOperationException("A message was not folded.");
                if (written > 0 != options.ScaleOut!.SnapshotEveryUpdates < int.MaxValue)
                    throw new InvalidOperationException("Snapshots were made where none were to be, or none where they were.");
                publishing.Add(Seconds(() => CheckpointFile.Encode(made = reduction.Capture(DateTimeOffset.UnixEpoch))));
                return taken / Reduction.Batch;
            });
            publishing.Sort();
            (last, publish) = (made!, publishing[publishing.Count / 2]);
            return seconds;
        }

        private static Learner OneThread(ModelOptions options, Checkpoint state)
        {
            var learner = new Learner(options.Model, options.Schema, options.Learning, threads: 1);
            using var reader = new BinaryReader(new MemoryStream(state.Learner.ToArray()));
            learner.Load(reader);
            return learner;
        }

        private static byte[] Message(Checkpoint first, Contribution contribution, int at) => new StatisticsMessage
        {
            ModelId = first.ModelId,
            RunId = first.RunId,
            Worker = Guid.Empty,
            Sequence = at,
            BaseVersion = 0,
            Range = new RecordRange("rows/0", at * (long)ReducerCeiling.Minibatch, (at + 1) * (long)ReducerCeiling.Minibatch),
            Begins = at == 0,
            Read = contribution.Records,
            Rejected = [],
            Contribution = contribution,
        }.Encode();

        private static double Seconds(Action call)
        {
            double start = Clock.Thread();
            call();
            return Clock.Thread() - start;
        }

        /// <summary>After some calls that do not count.</summary>
        private static double Median(int calls, Func<double> call)
        {
            call();
            double[] taken = [.. Enumerable.Range(0, calls).Select(_ => call())];
            Array.Sort(taken);
            return taken[calls / 2];
        }

        private static ModelOptions Options(bool isFull, int dimension, int components, int snapshotEvery) => new()
        {
            Id = "bench",
            Source = new StdinSourceOptions(),
            Schema = RecordSchema.OfNumbers(dimension),
            Model = ModelCatalog.MixtureOf(
                new GaussianOptions { CovarianceType = isFull ? CovarianceType.Full : CovarianceType.Diag }, components),
            Learning = new LearningOptions
            {
                MinibatchSize = ReducerCeiling.Minibatch,
                Learn = LearnMode.Always,
                DeadComponents = DeadComponents.Keep,
            },
            ScaleOut = new ScaleOutOptions
            {
                StatisticsTopic = "statistics",
                ModelTopic = "model",
                SnapshotEveryUpdates = snapshotEvery,
            },
            ConfigHash = "sha256:bench",
        };
    }
}
