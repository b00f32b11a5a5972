using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Worker.Commands;

namespace StreamEm.Benchmarks;

/// <summary>
/// What the samples find in labelled streams, one configuration for all of them and alarms as they are raised: files of the Numenta Anomaly
/// Benchmark, and tables with a column <c>label</c> that is 1 where something was wrong. Beside them scikit-learn's IsolationForest.
/// </summary>
internal sealed class AnomalyDetection(Report report)
{
    private const string Usage =
        "usage: ./build.sh bench anomaly [NAB] [--tables FOLDER]\n  NAB: a folder, or an archive, with data/*/*.csv and "
            + "labels/combined_windows.json (https://github.com/numenta/NAB)\n  FOLDER: CSV files of numbers with a column label";

    private static readonly AlarmOptions Forest = new() { Rest = 100, RestShare = 0.075, RestAtMost = 375 };

    private readonly string _folder = Directory.CreateTempSubdirectory("streamem-anomaly-").FullName;

    /// <summary>Runs what the arguments name.</summary>
    /// <returns>The exit code.</returns>
    public int Run(string[] args)
    {
        string? nab = args.Length > 0 && args[0] != "--tables" ? args[0] : null;
        int at = Array.IndexOf(args, "--tables");
        string? tables = at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        if (nab is null && tables is null)
        {
            Console.Error.WriteLine(Usage);
            return 64;
        }
        try
        {
            if (nab is not null) Streams(Unpacked(nab));
            if (tables is not null) Tables(tables);
        }
        finally
        {
            Directory.Delete(_folder, recursive: true);
        }
        return 0;
    }

    private void Streams(string pack)
    {
        using JsonDocument labels = JsonDocument.Parse(
            File.ReadAllBytes(Directory.EnumerateFiles(pack, "combined_windows.json", SearchOption.AllDirectories).First()));
        var ours = new NabScore();
        var forest = new NabScore();
        var seconds = new Stopwatch();
        long records = 0;
        foreach (JsonProperty file in labels.RootElement.EnumerateObject())
        {
            string? path = Directory.EnumerateFiles(pack, Path.GetFileName(file.Name), SearchOption.AllDirectories).FirstOrDefault();
            if (path is null) continue;
            (DateTime, DateTime)[] windows = [.. file.Value.EnumerateArray()
                .Select(window => (NabScore.Time(window[0].GetString()!), NabScore.Time(window[1].GetString()!)))];
            DateTime[] times = [.. File.ReadLines(path).Skip(1).Where(line => line.Length > 0)
                .Select(line => NabScore.Time(line[..line.IndexOf(',', StringComparison.Ordinal)]))];
            seconds.Start();
            JsonElement[] scores = Score("anomaly-metric.yaml", path);
            seconds.Stop();
            records += times.Length;
            ours.Add(times, windows, [.. scores.Select(IsRaised)]);
            if (ForestPValues("stream", path) is { } p) forest.Add(times, windows, Alarms(p));
        }
        report.Table("Numenta Anomaly Benchmark",
            "Standard profile at the alarms as raised: samples/anomaly-metric.yaml, fit with --scores; IsolationForest learns the first "
                + "15 % of a file (at most 750), its p-values are ranks among them, with the same rest after an alarm.",
            "detector", "score", "windows found", "false alarms");
        foreach ((string name, NabScore score) in new[] { ("StreamEM", ours), ("scikit-learn IsolationForest", forest) })
        {
            if (score.Windows == 0) report.Line($"skipped {name}: python3 cannot import sklearn (Debian: python3-sklearn)");
            else report.Row(name, $"{score.Normalised:F1}", $"{score.Found} of {score.Windows}", $"{score.FalseAlarms}");
        }
        report.Line();
        report.Line($"{records} records in {seconds.Elapsed.TotalSeconds:F1} s, reading and writing included.");
    }

    private void Tables(string folder)
    {
        report.Table("Labelled tables",
            "Area under the ROC curve of the p-value, from the first record on that has one: samples/anomaly-table.yaml as it is and with "
                + "learn: gated; IsolationForest has seen the whole table.",
            "table", "records", "abnormal", "as it is", "gated", "scikit-learn IsolationForest");
        foreach (string path in Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal))
        {
            string[] columns = File.ReadLines(path).First().Split(',');
            int label = Array.IndexOf(columns, "label");
            if (label < 0) continue;
            bool[] isWrong = [.. File.ReadLines(path).Skip(1).Where(line => line.Length > 0)
                .Select(line => double.Parse(line.Split(',')[label], CultureInfo.InvariantCulture) > 0)];
            string features = $"models.0.features=[{string.Join(',', columns.Where(name => name is not ("label" or "timestamp")))}]";
            double own = Area(PValues(Score("anomaly-table.yaml", path, "-s", features)), isWrong),
                gated = Area(
                    PValues(Score("anomaly-table.yaml", path, "-s", features, "-s", "models.0.learning.learn=gated")), isWrong);
            string forest = ForestPValues("table", path) is { } p ? $"{Area(p, isWrong):F3}" : "-";
            report.Row(Path.GetFileNameWithoutExtension(path), $"{isWrong.Length}", $"{isWrong.Count(wrong => wrong)}", $"{own:F3}",
                $"{gated:F3}", forest);
        }
    }

    /// <summary>The lines that <c>fit --scores</c> writes of a file.</summary>
    private JsonElement[] Score(string sample, string path, params string[] more)
    {
        string output = Path.Combine(_folder, "scores.ndjson");
        var said = new StringWriter();
        string configuration = Path.Combine(Report.RepositoryFolder(), "samples", sample);
        int code = Cli.RunAsync(Verbs.CreateRoot(), ["fit", path, "-c", configuration, "--scores", output, .. more], said, said)
            .GetAwaiter().GetResult();
        if (code != 0) throw new InvalidOperationException($"fit {path} ended with {code}: {said}");
        return [.. File.ReadLines(output).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static bool IsRaised(JsonElement score) =>
        score.TryGetProperty("alarm_event", out JsonElement what) && what.GetString() == "raised";

    private static double[] PValues(JsonElement[] scores) => [.. scores.Select(score =>
        score.TryGetProperty("p_value", out JsonElement p) && p.ValueKind == JsonValueKind.Number ? p.GetDouble() : double.NaN)];

    private static bool[] Alarms(double[] pValues)
    {
        var watch = new AlarmWatch(Forest, ["value"]);
        return [.. pValues.Select(p => watch.Take(null, Minibatch.NoTimestamp, p, p, -1, []) == AlarmMark.Raised)];
    }

    /// <summary>P(a wrong record is less probable than another), equal ones half (Mann &amp; Whitney 1947).</summary>
    private static double Area(double[] pValues, bool[] isWrong)
    {
        int[] rows = [.. Enumerable.Range(0, pValues.Length).Where(row => !double.IsNaN(pValues[row])).OrderBy(row => pValues[row])];
        double wrong = 0, right = 0, sum = 0;
        for (int at = 0; at < rows.Length;)
        {
            double wrongHere = 0, rightHere = 0;
            int first = at;
            for (; at < rows.Length && pValues[rows[at]] == pValues[rows[first]]; at++)
                if (isWrong[rows[at]]) wrongHere++;
                else rightHere++;
            sum += rightHere * (wrong + wrongHere / 2);
            (wrong, right) = (wrong + wrongHere, right + rightHere);
        }
        return sum / (wrong * right);
    }

    private double[]? ForestPValues(string kind, string path)
    {
        var start = new ProcessStartInfo("/usr/bin/python3")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "peers", "isolation_forest_peer.py"), kind, path])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync();
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return process.ExitCode != 0 ? null : [.. lines.Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
    }

    private string Unpacked(string pack)
    {
        if (Directory.Exists(pack)) return pack;
        using Process tar = Process.Start("tar", ["-xf", pack, "-C", _folder]);
        tar.WaitForExit();
        return tar.ExitCode == 0 ? _folder : throw new InvalidOperationException($"tar cannot unpack {pack}.");
    }
}
