using System.Globalization;
using System.Net;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Api;

/// <summary>An error of the API as <c>application/problem+json</c>: what was found, what was expected, what to do.</summary>
internal static class ErrorAnswer
{
    /// <summary>An error answer.</summary>
    public static IResult Of(int status, string title, string detail, object? found = null, object? expected = null)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (found is not null) extensions["found"] = found;
        if (expected is not null) extensions["expected"] = expected;
        return With(status, title, detail, extensions);
    }

    /// <summary>An error answer with facts of its own.</summary>
    public static IResult With(int status, string title, string detail, IDictionary<string, object?> facts) =>
        Results.Problem(detail, instance: null, status, title, type: null, facts);

    /// <summary>A request that the server could not read.</summary>
    public static IResult OfRequest(BadHttpRequestException bad) =>
        Of(bad.StatusCode, ((HttpStatusCode)bad.StatusCode).ToString(), bad.Message);

    /// <summary>A body that is too large.</summary>
    /// <param name="most">Bytes.</param>
    /// <param name="how">In which state it is; as it comes where that is not said.</param>
    public static IResult TooLarge(int most, string how = "as it is sent") => Of(StatusCodes.Status413PayloadTooLarge, "Body too large",
        $"The body is too large {how}; split it over several requests.",
        expected: string.Create(CultureInfo.InvariantCulture, $"at most {most} bytes {how}"));

    /// <summary>No model has this id.</summary>
    public static IResult UnknownModel(string id, IEnumerable<string> known) =>
        Of(StatusCodes.Status404NotFound, "Unknown model", $"There is no model '{id}'.", id, known.ToArray());

    /// <summary>The model has not made a version yet that may be seen.</summary>
    public static IResult NoSnapshot(ModelPipeline model)
    {
        ModelSummary summary = ModelSummary.Of(model);
        string reason = (summary.Progress, model.State) switch
        {
            ({ } progress, _) => $"it is warming up: {progress.Records} of {progress.Needed} records",
            (_, ModelState.Learning) => "its first version is being written to the state directory and is shown after that",
            _ => $"its status is {summary.Status}",
        };
        return Of(StatusCodes.Status404NotFound, "No snapshot yet", $"Model '{model.Options.Id}' has no snapshot yet: {reason}.",
            summary.Status, "a model with a version");
    }

    /// <summary>A parameter of the request cannot be used.</summary>
    public static IResult BadParameter(string name, string? found, string expected) =>
        Of(StatusCodes.Status400BadRequest, "Bad parameter", $"Parameter '{name}' is '{found}'; expected {expected}.", found, expected);
}
