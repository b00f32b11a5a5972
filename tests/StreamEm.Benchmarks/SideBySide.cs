using StreamEm.Core.Data;

namespace StreamEm.Benchmarks;

/// <summary>
/// The run that <c>./build.sh bench</c> makes: agreement first, then every rate beside its peer and beside the FMA probe.
/// </summary>
internal sealed class SideBySide(Report report, Peers peers, bool quick, string? only = null)
{
    /// <summary>Parts that can be run alone.</summary>
    public static readonly string[] Parts =
    [
        "one-thread", "two-threads", "extremes", "families", "latent", "phases", "minibatches", "sparse", "single-event", "batch-scoring",
        "ingest", "worker", "scores", "metric", "keys", "growth", "kafka", "scale-out", "scale-out-workers", "keys-restore",
        "micro",
    ];

    private const int Samples = 5;
    private readonly double _sampleSeconds = quick ? 0.05 : 0.3;
    private readonly Goals _goals = new();

    /// <summary>Runs everything.</summary>
    public void Run()
    {
        report.Line("# StreamEM beside its peers");
        report.Line();
        report.Line($"{Report.Cpu()}. {(quick ? "Quick run: few rows, indicative only." : "")}");
        report.Line(
            "Rates are rows per second of one EM iteration (E-step, statistics, M-step) in float64 on the same data, medians of at least "
                + "5;");
        report.Line(
            "one thread: its own CPU time; two threads: wall time. GFLOP/s leaves exp and log out. The FMA probe runs beside every line.");
        var problems = Shape.All(quick).Select(shape => new Problem(shape)).ToList();
        if (only is null or "one-thread" or "two-threads")
        {
            peers.SetUp(line => report.Line($"- {line}"));
            foreach (Problem problem in problems) peers.Write(problem.Data, problem.Batch);
            if (peers.HasSklearn) CompareResults(problems);
        }
        Action[] parts =
        [
            () => OneThread(problems), () => SeveralThreads(problems), new Extremes(report, _goals, quick).Run,
            new FamilyRates(report, peers, _goals, quick).Run, new LatentRates(report, peers, _goals, quick).Run, PhaseTable,
            () => Minibatches(problems), Sparse, SingleEvents,
            new BatchScoring(report, _goals, quick).Run, new Ingest(report, quick).Run, Worker,
            new ScoredStream(report, _goals, quick).Run, new MetricRate(report, _goals, quick).Run,
            new KeyedModels(report, _goals, quick).Run, new Growth(report, quick).Run,
            new KafkaThroughput(report, _goals, quick).Run, new ReducerCeiling(report, quick).Run,
            new ScaleOutThroughput(report, _goals, quick).Run, new KeyRestoring(report, _goals, quick).Run,
            () => MicroRun.Run(report, quick),
        ];
        for (int part = 0; part < parts.Length; part++)
            if (only is null || only == Parts[part]) parts[part]();
        _goals.Write(report);
    }

    private void CompareResults(List<Problem> problems)
    {
        report.Table(
            "Agreement with scikit-learn",
            "Largest differences; above 1e-10 the run fails. Responsibilities absolute, the rest relative to the largest entry.",
            "covariance", "(D,K)", "responsibilities", "statistics", "next parameters", "mean log-likelihood");
        foreach (bool full in (bool[])[true, false])
            foreach (Problem problem in problems) report.Line(Agreement.Check(peers, problem.Shape, problem.Data, problem.Batch, full));
    }

    private void OneThread(List<Problem> problems)
    {
        report.Table(
            "One thread", "\"fit\": the whole array per call. \"best\": the best of blocks of 256, 1000, 4096 and the whole array.",
            "covariance", "(D,K)", "StreamEM", "GFLOP/s", "FMA probe", "of peak", "sklearn fit", "x", "sklearn best", "x", "Armadillo", "x",
            "OpenCV", "x");
        var theirs = problems.ToDictionary(
            problem => problem,
            problem =>
                ((string[])["scikit-learn", "armadillo", "opencv"]).Select(peer => peers.Rates(peer, problem.Shape, 1, Samples)).ToArray());
        foreach (bool full in (bool[])[true, false])
            foreach (Problem problem in problems)
            {
                string kind = full ? "full" : "diag";
                double probe = FmaProbe.OneThread(), rate = problem.Iteration(full).Rate(problem.Batch, 1, Samples, _sampleSeconds);
                double flops = rate * problem.Shape.Flops(full) * 1e-9;
                double Their(int peer, string measure) => theirs[problem][peer].GetValueOrDefault($"{kind} {measure}");
                double fit = Their(0, "fit"), best = Their(0, "best"), armadillo = Their(1, "fit"), opencv = Their(2, "fit");
                report.Row(
                    kind, problem.Shape.ToString(), Report.Rate(rate), $"{flops:F1}", $"{probe:F1}", $"{flops / probe:P0}",
                    Report.Rate(fit), Report.Ratio(rate, fit),
                    Report.Rate(best), Report.Ratio(rate, best), Report.Rate(armadillo), Report.Ratio(rate, armadillo), Report.Rate(opencv),
                    Report.Ratio(rate, opencv));
                _goals.Ratio(kind, problem.Shape, "scikit-learn fit", rate, fit);
                _goals.Ratio(kind, problem.Shape, "scikit-learn best", rate, best);
                _goals.Ratio(kind, problem.Shape, "Armadillo", rate, armadillo);
                _goals.Peak(kind, problem.Shape, 1, flops / probe);
            }
    }

    private void SeveralThreads(List<Problem> problems)
    {
        if (Environment.ProcessorCount < 2) return;
        report.Table(
            "Two threads",
            "Wall time; the probe runs on both cores at once, so a share of the peak is comparable on a machine whose cores are shared "
                + "with others.",
            "covariance", "(D,K)", "StreamEM", "scaling", "GFLOP/s", "FMA probe", "of peak", "sklearn fit", "x", "Armadillo", "x");
        foreach (bool full in (bool[])[true, false])
            foreach (Problem problem in problems)
            {
                string kind = full ? "full" : "diag";
                double one = problem.Iteration(full).Rate(problem.Batch, 1, Samples, _sampleSeconds);
                double probe = FmaProbe.Threads(2), rate = problem.Iteration(full).Rate(problem.Batch, 2, 2 * Samples + 1, _sampleSeconds);
                double flops = rate * problem.Shape.Flops(full) * 1e-9;
                double sklearn = Their("scikit-learn"), armadillo = Their("armadillo");
                report.Row(
                    kind, problem.Shape.ToString(), Report.Rate(rate), $"{rate / one:F2}", $"{flops:F1}", $"{probe:F1}",
                    $"{flops / probe:P0}",
                    Report.Rate(sklearn), Report.Ratio(rate, sklearn), Report.Rate(armadillo), Report.Ratio(rate, armadillo));
                _goals.Peak(kind, problem.Shape, 2, flops / probe);
                if (full && problem.Shape.Dimension >= 8) _goals.AtLeast($"scaling to two threads {kind} {problem.Shape}", rate / one, 1.8);

                double Their(string peer) => quick ? 0 : problem.TwoThreads(peers, peer).GetValueOrDefault($"{kind} fit");
            }
    }

    private void PhaseTable()
    {
        report.Table(
            "Where the time goes",
            "Nanoseconds per row of every kernel on one block of 256 rows in cache, one thread; in brackets the share of the FMA peak.",
            "(D,K)", "transpose", "full E", "full statistics", "diag E", "diag statistics", "log-sum-exp", "per (row, component)", "masses",
            "Cholesky and inverse, us");
        foreach (Shape shape in Shape.All(quick))
        {
            var phases = new Phases(shape.Dimension, shape.Components);
            double peak = FmaProbe.OneThread();
            string Cell(double ns, double flops) => $"{ns:F1} ({flops / ns / peak:P0})";
            double lse = phases.Normalize();
            report.Row(
                shape.ToString(), $"{phases.Transpose():F1}", Cell(phases.Triangular(), phases.FullFlops),
                Cell(phases.OuterProducts(), phases.FullFlops),
                Cell(phases.Diagonal(), phases.DiagonalFlops), Cell(phases.Squares(), phases.DiagonalFlops), $"{lse:F1}",
                $"{lse / shape.Components:F2}", $"{phases.Masses():F1}", $"{phases.Factor():F2}");
            _goals.AtMost($"log-sum-exp {shape}, ns per (row, component)", lse / shape.Components, 0.75);
        }
    }

    private void Minibatches(List<Problem> problems)
    {
        int[] sizes = [64, 256, 1024, 4096, 16384];
        report.Table(
            "Minibatches", "Rows per second when every minibatch ends with an M-step and factors its result; one thread.",
            ["covariance", "(D,K)", .. sizes.Select(size => $"{size}"), "1024 / 16384", "M-step, us"]);
        foreach (bool full in (bool[])[true, false])
            foreach (Problem problem in problems)
            {
                Minibatch rows = problem.Data.Draw(sizes[^1]);
                double[] rates = sizes.Select(size =>
                {
                    var batch = new Minibatch(rows.Dimension, size);
                    batch.Append(rows, 0, size);
                    return problem.Iteration(full).Rate(batch, 1, Samples, _sampleSeconds / 3);
                }).ToArray();
                double maximize = problem.Iteration(full).MaximizeSeconds(rows, _sampleSeconds / 3) * 1e6;
                string kind = full ? "full" : "diag";
                report.Row([kind, problem.Shape.ToString(), .. rates.Select(Report.Rate), $"{rates[2] / rates[4]:P0}", $"{maximize:F1}"]);
                _goals.AtLeast($"minibatch of 1024 / 16384, {kind} {problem.Shape}", rates[2] / rates[4], 0.85);
            }
    }

    private void Sparse()
    {
        report.Table(
            "Sparse statistics",
            "Full covariance, statistics of one block with rows below the threshold skipped against all rows; it switches itself on where "
                + "that pays.",
            "(D,K)", "data", "active", "switched on", "dense, ns/row", "sparse, ns/row", "iteration with / without");
        foreach (Shape shape in Shape.All(quick).Where(shape => shape.Dimension >= 8))
            foreach ((string name, double distance) in (ReadOnlySpan<(string, double)>)[("overlapping", 4), ("separated", 12)])
            {
                var comparison = new SparseComparison(shape, distance);
                (double active, bool on, double dense, double sparse, double e) = comparison.Measure(_sampleSeconds / 3);
                double gain = (e + dense) / (e + (on ? sparse : dense));
                report.Row(shape.ToString(), name, $"{active:P0}", on ? "yes" : "no", $"{dense:F1}", $"{sparse:F1}", $"{gain:F2}");
                if (name == "separated" && shape.Dimension >= 32)
                    _goals.AtLeast($"sparse gain {shape} separated", gain, shape.Dimension == 32 ? 1.5 : 1.7);
            }
        ActiveComparison.Run(report, _goals, _sampleSeconds / 3);
    }

    private void Worker()
    {
        new Overlap(report, quick).Run();
        new CandidateCost(report, _goals, quick).Run();
        VersionCost.Run(report, quick);
    }

    private void SingleEvents()
    {
        report.Table("Scoring one event", "Log-density and responsibilities of one row, call by call, one thread.", "covariance", "(D,K)",
            "ns per event", "allocated, bytes");
        foreach (bool full in (bool[])[true, false])
            foreach (Shape shape in Shape.All(quick))
            {
                (double ns, double bytes) = SingleEvent.Measure(shape, full, _sampleSeconds / 3);
                report.Row(full ? "full" : "diag", shape.ToString(), $"{ns:F0}", $"{bytes:F1}");
                if (shape.Dimension == 8) _goals.AtMost($"scoring one event {(full ? "full" : "diag")} {shape}, ns", ns, full ? 75 : 65);
            }
    }

    private sealed class Problem(Shape shape)
    {
        private readonly Dictionary<string, Dictionary<string, double>> _twoThreads = [];
        private Iteration? _full, _diagonal;

        public Shape Shape => shape;

        public SyntheticMixture Data { get; } = new(shape.Dimension, shape.Components);

        public Minibatch Batch => field ??= Data.Draw(shape.Rows);

        public Iteration Iteration(bool full) => full ? _full ??= new Iteration(Data, true) : _diagonal ??= new Iteration(Data, false);

        public Dictionary<string, double> TwoThreads(Peers peers, string peer)
        {
            if (!_twoThreads.TryGetValue(peer, out Dictionary<string, double>? rates))
                _twoThreads[peer] = rates = peers.Rates(peer, shape, 2, Samples);
            return rates;
        }
    }
}
