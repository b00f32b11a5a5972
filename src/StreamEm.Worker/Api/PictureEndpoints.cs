using System.Globalization;
using Microsoft.OpenApi;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>
/// What whoever draws a model needs beside its snapshot: what the axes of its blocks are, its components as ellipses in two features, its
/// graph, and how two versions differ.
/// </summary>
internal static class PictureEndpoints
{
    private const string Tag = "pictures";

    /// <summary>Records drawn for the divergence of two versions.</summary>
    private const int Draws = 2000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/v1/models/{id}/layout", Layout)
            .Called("get_layout", Tag, "The blocks of parameters: shapes, domains, what the places along each axis are called")
            .Produces<LayoutAnswer>().ProducesProblem(404);
        routes.MapRead("/v1/models/{id}/components", Components)
            .Called("list_components", Tag, "The components of the newest version, with their moments in two features where asked for")
            .WithParameter("x", "A feature.").WithParameter("y", "Another.")
            .Produces<ComponentsAnswer>().ProducesProblems(400, 404);
        routes.MapRead("/v1/models/{id}/graph", Graph)
            .Called("get_graph", Tag, "The model in plate notation").Produces<string>(200, "image/svg+xml").ProducesProblem(404);
        routes.MapRead("/v1/models/{id}/diff", Diff)
            .Called("compare_snapshots", Tag, "How two versions kept differ")
            .WithParameter("from", "The one.", JsonSchemaType.Integer, isRequired: true)
            .WithParameter("to", "The other.", JsonSchemaType.Integer, isRequired: true)
            .Produces<ApiShapes.Difference>(200, "application/json").ProducesProblems(400, 404, 503)
            .RequireRateLimiting(RequestLimits.Scores);
    }

    private static IResult Layout(string id, WorkerStatus status) =>
        Newest(id, status, out ModelSnapshot? snapshot) ?? Results.Ok(LayoutAnswer.Of(snapshot!));

    private static IResult Components(string id, WorkerStatus status, string? x = null, string? y = null)
    {
        if (Newest(id, status, out ModelSnapshot? newest) is { } refusal) return refusal;
        ModelSnapshot snapshot = newest!;
        int first = Place(snapshot, x), second = Place(snapshot, y);
        string features = $"one of {string.Join(", ", snapshot.Features)}";
        if (x is not null && first < 0) return ErrorAnswer.BadParameter("x", x, features);
        if (y is not null && second < 0) return ErrorAnswer.BadParameter("y", y, features);
        ComponentEllipse[]? ellipses = first >= 0 && second >= 0 ? ComponentEllipse.Of(snapshot, first, second) : null;
        return Results.Ok(new ComponentsAnswer(id, snapshot.RunId, snapshot.Version, ComponentAnswer.Of(snapshot, ellipses)));
    }

    private static IResult Graph(string id, WorkerStatus status) => Newest(id, status, out ModelSnapshot? snapshot)
        ?? Results.Text(GraphPlot.Draw(snapshot!.Model.Graph, $"{id}: {snapshot.Options.Type}"), "image/svg+xml");

    private static IResult Diff(string id, WorkerStatus status, string? from = null, string? to = null)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (Kept(model, "from", from, out SnapshotDocument? before) is { } refusal) return refusal;
        if (Kept(model, "to", to, out SnapshotDocument? after) is { } other) return other;
        try
        {
            (ModelSnapshot a, ModelSnapshot b) = (before!.Snapshot, after!.Snapshot);
            SnapshotDifference difference = SnapshotDifference.Of(a, b, Draws, seed: 1);
            return Results.Text(new DifferenceTable(a, b, difference, Draws).Json(), "application/json");
        }
        catch (Exception failure) when (failure is ArgumentException or ArithmeticException)
        {
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not comparable", $"The versions cannot be compared: {failure.Message}.",
                $"{from} and {to}", "two versions of the same features and levels");
        }
    }

    private static IResult? Kept(ModelPipeline model, string name, string? text, out SnapshotDocument? found)
    {
        found = null;
        IReadOnlyList<SnapshotDocument> kept = model.Feed.Versions;
        if (kept.Count == 0) return ErrorAnswer.NoSnapshot(model);
        string expected = string.Create(CultureInfo.InvariantCulture, $"a version from {kept[0].Version} to {kept[^1].Version}");
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long version))
            return ErrorAnswer.BadParameter(name, text, expected);
        found = kept.LastOrDefault(document => document.Version == version);
        return found is not null ? null : ErrorAnswer.Of(StatusCodes.Status404NotFound, "Version not kept",
            $"Version {version} of model '{model.Options.Id}' is not kept.", version, expected);
    }

    private static IResult? Newest(string id, WorkerStatus status, out ModelSnapshot? snapshot)
    {
        snapshot = null;
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        snapshot = model.Feed.Latest?.Snapshot;
        return snapshot is null ? ErrorAnswer.NoSnapshot(model) : null;
    }

    private static int Place(ModelSnapshot snapshot, string? feature)
    {
        for (int at = 0; at < snapshot.Features.Count; at++)
            if (snapshot.Features[at] == feature) return at;
        return -1;
    }

    /// <summary>The components of a version.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="RunId">Its run.</param>
    /// <param name="Version">The version.</param>
    /// <param name="Components">Its components; none of a model without.</param>
    internal sealed record ComponentsAnswer(string Model, string RunId, long Version, IReadOnlyList<ComponentAnswer> Components);

    /// <summary>A component.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Label">The label it was named after; nothing without.</param>
    /// <param name="Status">ok, no_evidence, covariance_floored, reseeded, dead or quarantined.</param>
    /// <param name="Share">How much of the stream it accounts for.</param>
    /// <param name="Ellipse">Its moments in the two features asked for; nothing where it has none.</param>
    internal sealed record ComponentAnswer(string Id, string? Label, string Status, double Share, EllipseAnswer? Ellipse)
    {
        public static IReadOnlyList<ComponentAnswer> Of(ModelSnapshot snapshot, ComponentEllipse[]? ellipses)
        {
            if (snapshot.Model is not ComponentModel model) return [];
            double[] shares = new ComponentProfile(snapshot, model).Weights;
            return [.. Enumerable.Range(0, model.Components).Select(k => new ComponentAnswer(
                snapshot.ComponentIds[k], k < snapshot.Labels.Count ? snapshot.Labels[k] : null, snapshot.ComponentStatus[k], shares[k],
                ellipses is null ? null : EllipseAnswer.Of(ellipses[k])))];
        }
    }

    /// <summary>Mean and covariance of two features under a component.</summary>
    internal sealed record EllipseAnswer(double X, double Y, double VarianceX, double Covariance, double VarianceY)
    {
        public static EllipseAnswer? Of(ComponentEllipse ellipse) =>
            double.IsFinite(ellipse.X + ellipse.Y + ellipse.VarianceX + ellipse.Covariance + ellipse.VarianceY)
                ? new EllipseAnswer(ellipse.X, ellipse.Y, ellipse.VarianceX, ellipse.Covariance, ellipse.VarianceY)
                : null;
    }
}
