using System.Globalization;
using Spectre.Console;
using StreamEm.Worker.Api;
using StreamEm.Worker.Display;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Watching;

/// <summary>What a person sees of a worker: a few lines for each model, or a line for each change.</summary>
/// <param name="width">Columns of the terminal.</param>
/// <param name="isUnicode">Whether it can show blocks.</param>
internal sealed class WatchView(int width, bool isUnicode)
{
    private const int MostWeights = 16, LikelihoodWidth = 10;

    /// <summary>A piece of a line, and how it looks.</summary>
    public readonly record struct Piece(string Text, Style Style);

    private static readonly Style Plain = Style.Plain, Dim = new(decoration: Decoration.Dim), Bold = new(decoration: Decoration.Bold),
        Bad = new(Color.Red), Notable = new(Color.Yellow), Good = new(Color.Green);

    /// <summary>All lines, none wider than the terminal.</summary>
    /// <param name="address">The worker.</param>
    /// <param name="problem">Why it cannot be heard; null while it can.</param>
    /// <param name="models">Its models.</param>
    public IReadOnlyList<IReadOnlyList<Piece>> Lines(Uri address, string? problem, IReadOnlyCollection<WatchedModel> models)
    {
        var lines = new List<IReadOnlyList<Piece>>();
        string count = Invariant($"{models.Count} {(models.Count == 1 ? "model" : "models")}");
        lines.Add(Cut([new(address.ToString().TrimEnd('/'), Bold), new($"  {count}", Dim)]));
        if (problem is not null) lines.Add(Cut([new($"not reachable, trying again: {OneLine(problem)}", Bad)]));
        foreach (WatchedModel model in models) lines.AddRange(Of(model).Select(Cut));
        return lines;
    }

    /// <summary>A change of a model, for whoever reads lines.</summary>
    public static string Line(WatchedModel model, DateTimeOffset when)
    {
        ModelSummary? summary = model.Summary;
        string text = Invariant(
            $"{when.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} {model.Id} {summary?.Status} version={model.Version} records={model.Records}");
        if (model.RecordsPerSecond is { } rate) text += Invariant($" records_per_second={rate:F0}");
        if (double.IsFinite(model.MeanLogLikelihood)) text += Invariant($" mean_log_likelihood={model.MeanLogLikelihood:G6}");
        if (summary?.Alarms is { } alarms) text += Invariant($" alarms={alarms.Raised} alarms_active={alarms.Active}");
        if (summary?.Problem is { } problem) text += $" problem=\"{problem}\"";
        return OneLine(text);
    }

    private IEnumerable<IReadOnlyList<Piece>> Of(WatchedModel model)
    {
        yield return [];
        ModelSummary? summary = model.Summary;
        var head = new List<Piece>
        {
            new($"{model.Id}  ", Bold), new(summary?.Status ?? "", StyleOf(summary?.Status)),
            new(Invariant($"  version {model.Version}  {model.Records:N0} records"), Plain),
        };
        if (model.RecordsPerSecond is { } rate) head.Add(new(Invariant($"  {rate:N0}/s"), Plain));
        if (summary?.SourceLag is { } lag) head.Add(new(Invariant($"  {lag:N0} behind"), lag > 0 ? Notable : Plain));
        if (summary?.Alarms is { } alarms)
            head.Add(new(Invariant($"  {alarms.Raised:N0} alarms, {alarms.Active:N0} active"), alarms.Active > 0 ? Bad : Plain));
        yield return head;
        if (summary?.Progress is { } progress)
            yield return [new(Invariant($"  the first parameters come with {progress.Needed:N0} records, {progress.Records:N0} are here"),
                Dim)];
        if (double.IsFinite(model.MeanLogLikelihood))
        {
            string mean = Invariant($"{model.MeanLogLikelihood:G6}").PadRight(LikelihoodWidth);
            string line = Sparkline.Of(model.Likelihoods, Math.Max(0, width - 20 - LikelihoodWidth), isUnicode);
            yield return [new("  log-likelihood  ", Dim), new(mean, Plain), new($" {line}", Good)];
        }

        if (model.Weights.Count > 0)
        {
            string more = model.Weights.Count > MostWeights ? Invariant($" and {model.Weights.Count - MostWeights} more") : "";
            string shares = string.Join(' ', model.Weights.Take(MostWeights).Select(weight => Invariant($"{100 * weight:F1}")));
            yield return [new("  weights, %      ", Dim), new($"{shares}{more}", Plain)];
        }

        if (summary is null) yield break;
        long rejected = summary.RecordsRejected?.Values.Sum() ?? 0;
        if (rejected > 0) yield return [new(Invariant($"  {rejected:N0} records rejected"), Notable)];
        if (summary.Problem is { } problem) yield return [new($"  {OneLine(problem)}", Bad)];
        foreach (string warning in summary.Warnings) yield return [new($"  {OneLine(warning)}", Notable)];
    }

    private static Style StyleOf(string? status) => status switch
    {
        "learning" => Good,
        "failed" => Bad,
        "waiting" or "warming_up" => Notable,
        _ => Plain,
    };

    private static string OneLine(string text) => PrintableText.Of(text).ReplaceLineEndings(" ");

    /// <summary>The line as far as the terminal is wide.</summary>
    private IReadOnlyList<Piece> Cut(IReadOnlyList<Piece> line)
    {
        var cut = new List<Piece>();
        int left = width;
        foreach (Piece piece in line)
        {
            if (piece.Text.Length > left)
            {
                if (left > 0) cut.Add(piece with { Text = piece.Text[..left] });
                break;
            }

            cut.Add(piece);
            left -= piece.Text.Length;
        }

        return cut;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
