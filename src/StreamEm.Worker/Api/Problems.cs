namespace StreamEm.Worker.Api;

/// <summary>Errors of the API as <c>application/problem+json</c>: what was found, what was expected, what to do.</summary>
internal static class Problems
{
    /// <summary>An error answer.</summary>
    public static IResult Of(int status, string title, string detail, object? found = null, object? expected = null)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (found is not null) extensions["found"] = found;
        if (expected is not null) extensions["expected"] = expected;
        return Results.Problem(detail, instance: null, status, title, type: null, extensions);
    }

    /// <summary>No model has this id.</summary>
    public static IResult UnknownModel(string id, IEnumerable<string> known) =>
        Of(StatusCodes.Status404NotFound, "Unknown model", $"There is no model '{id}'.", id, known.ToArray());

    /// <summary>A parameter of the request cannot be used.</summary>
    public static IResult BadParameter(string name, string? found, string expected) =>
        Of(StatusCodes.Status400BadRequest, "Bad parameter", $"Parameter '{name}' is '{found}'; expected {expected}.", found, expected);
}
