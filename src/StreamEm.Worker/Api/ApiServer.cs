using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;
using Kestrel = Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StreamEm.Worker.Api;

/// <summary>The HTTP API: Kestrel with tight limits in front of the endpoints.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    /// <summary>
    /// The slowest a client may read an answer, bytes a second: one that does not read holds what it was to read only so long.
    /// </summary>
    private const double SlowestReader = 8 * 1024;

    /// <summary>How long requests may take that are open when the worker stops.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;
    private readonly HttpOptions _options;
    private readonly TimeProvider _time;
    private readonly WorkerHistograms _histograms;
    private readonly ConnectionLimits _connections = new();

    /// <summary>A server that does not listen yet.</summary>
    /// <exception cref="CommandException">The address cannot be used, or would be open to others without a token (78).</exception>
    public ApiServer(HttpOptions options, WorkerStatus status, TimeProvider time, ILoggerProvider logs)
    {
        (_options, _time, _histograms) = (options, time, status.Histograms);
        _histograms.TellProcess();
        ListenAddress address = ListenAddress.Parse(options.Address);
        if (!address.IsLoopback && string.IsNullOrEmpty(options.AuthToken))
        {
            throw new CommandException(ExitCode.Configuration,
                $"http.address {options.Address} can be reached from other machines and no token protects it. Set http.auth_token_file, or "
                    + "listen on 127.0.0.1.");
        }

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // RequestBody sets the limit. The server's own would close the connection over what is still being sent, and a client that is
            // busy sending would meet a broken pipe where it should read 413; without it what comes after an answer is thrown away for a
            // while.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            kestrel.Limits.MinResponseDataRate = new Kestrel.MinDataRate(SlowestReader, TimeSpan.FromSeconds(5));
            kestrel.Listen(address.Ip, address.Port, listen =>
            {
                listen.Protocols = Kestrel.HttpProtocols.Http1;
                _connections.Watch(listen);
            });
        });
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.Services.AddSingleton(options).AddSingleton(status).AddSingleton(time)
            .AddSingleton(new AuditLog(options, logs.CreateLogger("worker")));
        builder.Services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        builder.Services.AddProblemDetails();
        builder.Services.AddApiDocument();
        builder.Services.AddRequestLimits();
        _app = builder.Build();
        _app.Use(Begin);
        _app.UseExceptionHandler(
            new ExceptionHandlerOptions
            {
                ExceptionHandler = ExplainAsync,
                SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException
            });
        _app.UseStatusCodePages(status => UnroutedAsync(status.HttpContext));
        _app.UseRateLimiter();
        _app.UseMiddleware<AccessGuard>();
        _app.MapOpenApi();
        MapEndpoints(_app);
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:8080</c>, with the port taken.</summary>
    public string Address =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    /// <summary>What it answers, for tests.</summary>
    internal IEnumerable<Endpoint> Endpoints => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints);

    /// <summary>Starts listening.</summary>
    /// <exception cref="CommandException">The address is taken or not one of this machine (74).</exception>
    public async Task StartAsync(ILogger log, CancellationToken cancellationToken)
    {
        try
        {
            await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
        {
            throw new CommandException(ExitCode.InputOutput,
                $"The HTTP API cannot listen on {_options.Address}: {failure.Message} Choose another address, for example with --set "
                    + "http.address=127.0.0.1:0.", failure);
        }

        WorkerLog.HttpListening(log, Address, $"{Address}/ui/");
    }

    /// <summary>Ends streams and long polls, then stops listening; requests that are not over soon (a slow upload) are cut off.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(deadline);
        patience.CancelAfter(StopPatience);
        await _app.StopAsync(patience.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void MapEndpoints(WebApplication app)
    {
        OperationsEndpoints.Map(app);
        ModelEndpoints.Map(app);
        StreamEndpoint.Map(app);
        ScoreEndpoint.Map(app);
        RecordsEndpoint.Map(app);
        FeedbackEndpoint.Map(app);
        AdministrationEndpoints.Map(app);
        RecentEndpoint.Map(app);
        PictureEndpoints.Map(app);
        DashboardEndpoint.Map(app);
        WorkersEndpoint.Map(app);
        KeysEndpoint.Map(app);
        WhatIfEndpoint.Map(app);
    }

    private static Task ExplainAsync(HttpContext context)
    {
        if (context.Features.Get<IExceptionHandlerFeature>()?.Error is not BadHttpRequestException bad)
            return ErrorAnswer.Of(StatusCodes.Status500InternalServerError, "Internal error",
                "The request met a fault in the program; the log has it.").ExecuteAsync(context);
        return ErrorAnswer.OfRequest(bad).ExecuteAsync(context);
    }

    /// <summary>First and last of every request.</summary>
    private Task Begin(HttpContext context, RequestDelegate next)
    {
        _connections.Begin(context);
        long began = _time.GetTimestamp();
        context.Response.OnCompleted(() =>
        {
            string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
            _histograms.Answered(context.Request.Method, route,
                context.Response.StatusCode.ToString(CultureInfo.InvariantCulture), _time.GetElapsedTime(began));
            return Task.CompletedTask;
        });
        context.Response.OnStarting(() =>
        {
            // What is told here is what it is called, whatever a browser sees in it.
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Task.CompletedTask;
        });
        return next(context);
    }

    /// <summary>A request that no endpoint took.</summary>
    private static Task UnroutedAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        IResult problem = response.StatusCode switch
        {
            StatusCodes.Status404NotFound =>
                ErrorAnswer.Of(response.StatusCode, "Unknown path", "There is nothing at this path; /openapi/v1.json describes every call.",
                context.Request.Path.Value,
                "/v1/models or /v1/models/{id}, its /snapshots, /stream, /score, /records, /feedback, /what-if, /keys, /recent, "
                    + "/components, /layout, /diff or /graph; /v1/admin; /ui/; or /livez, /readyz, /startupz, /metrics, /version"),
            StatusCodes.Status405MethodNotAllowed =>
                ErrorAnswer.Of(response.StatusCode, "Method not allowed", $"This path does not answer {context.Request.Method}.",
                context.Request.Method, response.Headers.Allow.ToString()),
            _ => ErrorAnswer.Of(response.StatusCode, ((HttpStatusCode)response.StatusCode).ToString(), "The request cannot be answered."),
        };
        return problem.ExecuteAsync(context);
    }

    /// <summary>The process has signals of its own to mind; the host inside must not.</summary>
    private sealed class OwnLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
