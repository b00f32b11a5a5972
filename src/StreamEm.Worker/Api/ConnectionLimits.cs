using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StreamEm.Worker.Api;

/// <summary>
/// Keeps at most <see cref="Most"/> connections open and always takes a new one: for it, one that waits for its next request is closed, the
/// oldest of the client that has most of them. Connections that do nothing can so never keep a health check out.
/// </summary>
internal sealed class ConnectionLimits
{
    /// <summary>
    /// Connections at once; more than there may be requests (<see cref="RequestLimits.Most"/>), so that some are always idle.
    /// </summary>
    public const int Most = 256;

    private readonly Lock _lock = new();
    private readonly HashSet<OpenConnection> _open = [];
    private long _clock;

    /// <summary>Watches the connections of an address.</summary>
    public void Watch(ListenOptions listen) => listen.Use(next => async connection =>
    {
        OpenConnection own = Admit(connection);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _open.Remove(own);
        }
    });

    /// <summary>Notes that a request has begun on its connection, which is idle again when its answer was sent.</summary>
    public void Begin(HttpContext context)
    {
        if (context.Features.Get<OpenConnection>() is not { } connection) return;
        lock (_lock) connection.IdleSince = null;
        context.Response.OnCompleted(() =>
        {
            lock (_lock) connection.IdleSince = _clock++;
            return Task.CompletedTask;
        });
    }

    private OpenConnection Admit(ConnectionContext connection)
    {
        var own = new OpenConnection(connection);
        connection.Features.Set(own);
        OpenConnection? given = null;
        lock (_lock)
        {
            if (_open.Count >= Most) given = Idle();
            if (given is not null) _open.Remove(given);
            own.IdleSince = _clock++;
            _open.Add(own);
        }

        given?.Connection.Abort(new ConnectionAbortedException("An idle connection gave way to a new one."));
        return own;
    }

    /// <summary>The connection that has been idle longest of the client with most idle ones; null when all are busy.</summary>
    private OpenConnection? Idle() => _open.Where(connection => connection.IdleSince is not null)
        .GroupBy(connection => connection.Client).MaxBy(ofClient => ofClient.Count())?.MinBy(connection => connection.IdleSince);

    private sealed class OpenConnection(ConnectionContext connection)
    {
        public ConnectionContext Connection => connection;

        public IPAddress? Client { get; } = (connection.RemoteEndPoint as IPEndPoint)?.Address;

        /// <summary>When it began to wait for a request, by the order of such events; null while one is answered.</summary>
        public long? IdleSince { get; set; }
    }
}
