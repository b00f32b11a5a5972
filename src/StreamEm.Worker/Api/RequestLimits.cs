using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Net.Http.Headers;

namespace StreamEm.Worker.Api;

/// <summary>
/// How many requests are worked on at once: <see cref="Most"/> in all, <see cref="MostOfOneClient"/> of them of one client address, and
/// <see cref="MostScores"/> that score, while a few more wait for those. Health checks and metrics always get through.
/// </summary>
internal static class RequestLimits
{
    /// <summary>Name of the limit on requests that score.</summary>
    public const string Scores = "scores";

    /// <summary>Requests at once.</summary>
    public const int Most = 192;

    /// <summary>Requests at once of one client address.</summary>
    public const int MostOfOneClient = 144;

    /// <summary>Requests that score at once.</summary>
    public const int MostScores = 16;

    /// <summary>Requests that wait to score.</summary>
    public const int MostWaitingScores = 64;

    /// <summary>Adds the limits.</summary>
    public static void AddRequestLimits(this IServiceCollection services) => services.AddRateLimiter(options =>
    {
        options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, bool>(context => AccessGuard.IsOpen(context.Request.Path)
                ? RateLimitPartition.GetNoLimiter(true)
                : RateLimitPartition.GetConcurrencyLimiter(false, _ => AtOnce(Most))),
            PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => AccessGuard.IsOpen(context.Request.Path)
                ? RateLimitPartition.GetNoLimiter(IPAddress.Any)
                : RateLimitPartition.GetConcurrencyLimiter(
                    context.Connection.RemoteIpAddress ?? IPAddress.None, _ => AtOnce(MostOfOneClient))));
        options.AddConcurrencyLimiter(Scores, limit =>
        {
            limit.PermitLimit = MostScores;
            limit.QueueLimit = MostWaitingScores;
            limit.QueueProcessingOrder = QueueProcessingOrder.OldestFirst;
        });
        options.OnRejected = (rejected, _) =>
        {
            HttpResponse response = rejected.HttpContext.Response;
            response.Headers[HeaderNames.RetryAfter] = "1";
            response.Headers.Connection = "close";
            return new ValueTask(ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Too many requests at once",
                "So many requests are being answered that this one is not begun; send it again.").ExecuteAsync(rejected.HttpContext));
        };
    });

    private static ConcurrencyLimiterOptions AtOnce(int most) => new() { PermitLimit = most, QueueLimit = 0 };
}
