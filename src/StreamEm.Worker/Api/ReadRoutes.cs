namespace StreamEm.Worker.Api;

/// <summary>Routes that only tell something.</summary>
internal static class ReadRoutes
{
    private static readonly string[] Head = [HttpMethods.Head];

    /// <summary>Maps GET, and HEAD with it: the same headers without a body.</summary>
    public static RouteHandlerBuilder MapRead(this IEndpointRouteBuilder routes, string pattern, Delegate handler)
    {
        routes.MapMethods(pattern, Head, handler).ExcludeFromDescription();
        return routes.MapGet(pattern, handler);
    }
}
