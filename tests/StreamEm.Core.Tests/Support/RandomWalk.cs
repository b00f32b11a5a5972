using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Support;

/// <summary>Options of <see cref="RandomWalk"/>.</summary>
internal sealed record RandomWalkOptions : LatentModelOptions
{
    private static readonly ModelEntry Own = new("random_walk", "a walk for every key.", entry => new RandomWalkOptions { Entry = entry });

    public int Keys { get; init; } = 64;

    public override bool NeedsKey => true;

    public override int MaxKeys => Keys;

    public static RandomWalkOptions Of(int keys) => new() { Entry = Own, Keys = keys };

    public override long RowsToStart(int dimension) => 2;

    public override LatentModel Create(FeatureSpace space) => new RandomWalk(space.Dimension);

    protected override Feature PlanFeature(string name) => new(name);
}

/// <summary>
/// The simplest model of sequences that remembers: x(t) = x(t-1) + noise of variance v[d], a sequence's first value N(0, 1). No components,
/// no latent variable. Parameters <c>variances [D]</c>; statistics <c>steps [D]</c> and <c>squares [D]</c>. A missing value is passed over:
/// the next step is from the value before it.
/// </summary>
internal sealed class RandomWalk(int dimension) : LatentModel
{
    private static readonly double LogTwoPi = Math.Log(2 * Math.PI);

    public override string Type => "random_walk";

    public override int Dimension => dimension;

    public override RowOrder Order => RowOrder.CarriedSequences;

    public override VectorLayout ParameterLayout { get; } = new VectorLayout().Add("variances", Units.Square, Domain.Positive, dimension);

    public override VectorLayout StatisticsLayout { get; } = new VectorLayout().Add("steps", dimension).Add("squares", dimension);

    /// <summary>The step taken [D], 0 for the first of a sequence.</summary>
    public override VectorLayout ScoreLayout { get; } = new VectorLayout().Add("step", Units.Deviation, Domain.Real, dimension);

    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) => new Prepared(dimension, parameters);

    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        for (int d = 0; d < dimension; d++)
            result[d] = statistics[d] * rows.Evidence > ComponentEvidence.Some ? statistics[dimension + d] / statistics[d] : previous[d];
    }

    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        result[..dimension].Fill(1);
        parameters[..dimension].CopyTo(result[dimension..]);
    }

    public override void Neutral(Span<double> result) => result[..dimension].Fill(1);

    public override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, chance =>
    {
        double[] theta = new double[dimension];
        for (int d = 0; d < dimension; d++) theta[d] = 0.1 + chance.NextDouble();
        return theta;
    });

    public override StreamMemory CreateMemory(int keys) => new Last(keys, dimension);

    /// <summary>The last value of every key and feature, NaN before the first.</summary>
    private sealed class Last : StreamMemory
    {
        private readonly int _dimension;
        private readonly double[] _values;

        public Last(int keys, int dimension)
        {
            _dimension = dimension;
            _values = new double[keys * dimension];
            Array.Fill(_values, double.NaN);
        }

        public Span<double> Of(int slot) => _values.AsSpan(slot * _dimension, _dimension);

        public override void Forget(int slot) => Of(slot).Fill(double.NaN);

        public override void CopyFrom(StreamMemory other) => ((Last)other)._values.CopyTo(_values, 0);

        public override void CopyFrom(StreamMemory other, int from, int to) => ((Last)other).Of(from).CopyTo(Of(to));

        public override void Save(BinaryWriter writer) => writer.WriteDoubles(_values);

        public override void Load(BinaryReader reader) => reader.ReadDoubles().CopyTo(_values, 0);
    }

    private sealed class Scratch : Workspace;

    private sealed class Prepared(int dimension, ReadOnlyMemory<double> variances) : EStep
    {
        public override Workspace CreateWorkspace() => new Scratch();

        public override Evidence Accumulate(
            Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace) =>
            Walk(batch, first, count, statistics, logDensities, default, workspace.Pass.Memory as Last);

        public override void Score(
            Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace) =>
            Walk(batch, first, count, default, logDensities, scores, workspace.Pass.Memory as Last);

        private Evidence Walk(
            Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Span<double> scores, Last? memory)
        {
            Evidence evidence = default;
            double[] fresh = new double[dimension];
            Span<double> last = fresh;
            Array.Fill(fresh, double.NaN);
            scores.Clear();
            for (int row = first; row < first + count; row++)
            {
                if (row == first || batch.SequenceStarts.Contains(row))
                {
                    Array.Fill(fresh, double.NaN);
                    last = memory is null ? fresh : memory.Of(batch.Key(row));
                }
                double logDensity = Step(
                    batch.Row(row), last, batch.Weight(row), statistics,
                    scores.IsEmpty ? default : scores.Slice((row - first) * dimension, dimension));
                logDensities[row - first] = logDensity;
                if (!double.IsNaN(logDensity)) evidence += new Evidence(batch.Weight(row), batch.Weight(row) * logDensity);
            }
            return evidence;
        }

        private double Step(ReadOnlySpan<double> x, Span<double> last, double weight, Span<double> statistics, Span<double> step)
        {
            double sum = 0;
            bool any = false;
            for (int d = 0; d < dimension; d++)
            {
                if (double.IsNaN(x[d])) continue;
                bool begins = double.IsNaN(last[d]);
                double taken = begins ? x[d] : x[d] - last[d], variance = begins ? 1 : variances.Span[d];
                sum -= 0.5 * (LogTwoPi + Math.Log(variance) + taken * taken / variance);
                if (!begins && !step.IsEmpty) step[d] = taken;
                if (!begins && !statistics.IsEmpty)
                {
                    statistics[d] += weight;
                    statistics[dimension + d] += weight * taken * taken;
                }
                last[d] = x[d];
                any = true;
            }
            return any ? sum : double.NaN;
        }
    }
}
