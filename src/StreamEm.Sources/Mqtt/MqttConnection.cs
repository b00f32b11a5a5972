using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace StreamEm.Sources.Mqtt;

/// <summary>
/// The connection to a broker, made again whenever it is lost: connects, subscribes, takes messages into the inbox and acknowledges what
/// may be. Begins with <see cref="Start"/>.
/// </summary>
internal sealed class MqttConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), KeepAlive = TimeSpan.FromSeconds(15),
        FirstPause = TimeSpan.FromSeconds(0.5), LongestPause = TimeSpan.FromSeconds(10);

    private readonly MqttSourceOptions _options;
    private readonly SourceContext _context;
    private readonly MqttInbox _inbox;
    private readonly CancellationTokenSource _stop = new();
    private readonly bool _goesOn;
    private Task _running = Task.CompletedTask;
    private volatile string? _problem;
    private long? _since;

    /// <summary>A connection that is not made yet.</summary>
    /// <param name="options">To whom.</param>
    /// <param name="context">The clock, and who is told.</param>
    /// <param name="inbox">Where messages go.</param>
    /// <param name="goesOn">Whether there was a session before.</param>
    public MqttConnection(MqttSourceOptions options, SourceContext context, MqttInbox inbox, bool goesOn) =>
        (_options, _context, _inbox, _goesOn) = (options, context, inbox, goesOn);

    /// <summary>Why the broker cannot be reached; null when all is well.</summary>
    public string? Problem => _problem;

    /// <summary>Whether the broker was reached once.</summary>
    public bool HasSubscribed { get; private set; }

    /// <summary>Begins.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        TimeSpan pause = FirstPause;
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    if (await ConnectAsync().ConfigureAwait(false)) pause = FirstPause;
                }
                catch (Exception failure) when (IsPassing(failure) && !_stop.IsCancellationRequested)
                {
                    Lost(failure is OperationCanceledException ? "it does not answer" : failure.GetBaseException().Message.TrimEnd('.'));
                }

                _inbox.Disconnected();
                ThrowIfTooLong();
                await Task.Delay(pause, _context.Time, _stop.Token).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (Exception failure) when (_stop.IsCancellationRequested && IsPassing(failure))
        {
            // The source is closed, whatever it was about.
        }
        catch (SourceException failure)
        {
            _inbox.Fail(failure);
        }
        catch (Exception failure)
            when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            _inbox.Fail(new SourceException(SourceFailure.Configuration, $"source.mqtt: {failure.Message}", failure));
        }
    }

    /// <summary>Connects, and stays until the connection is lost.</summary>
    /// <returns>Whether it was made.</returns>
    private async Task<bool> ConnectAsync()
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        var gone = new TaskCompletionSource<MqttClientDisconnectedEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.DisconnectedAsync += args =>
        {
            gone.TrySetResult(args);
            return Task.CompletedTask;
        };
        bool isKnown = false;
        client.ApplicationMessageReceivedAsync += args =>
        {
            _inbox.Take(args);
            return Task.CompletedTask;
        };
        // Messages of a session may come before the answer to the connection is looked at.
        client.ConnectedAsync += args =>
        {
            isKnown = args.ConnectResult.IsSessionPresent;
            if (!isKnown) _inbox.SessionBegun();
            return Task.CompletedTask;
        };
        using (CancellationTokenSource late = Late())
        {
            MqttClientConnectResult result = await client.ConnectAsync(ClientOptions(), late.Token).ConfigureAwait(false);
            RefuseConnection(result);
            // What the session holds comes meanwhile, and may be kept and acknowledged before the broker has answered.
            Task subscribed = SubscribeAsync(client, late.Token);
            await AcknowledgeUntilAsync(gone.Task, subscribed).ConfigureAwait(false);
            if (_stop.IsCancellationRequested)
            {
                await subscribed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await LeaveAsync(client).ConfigureAwait(false);
                return true;
            }
            await subscribed.ConfigureAwait(false);
        }

        if (!isKnown && (_goesOn || HasSubscribed))
            _context.Tell?.Invoke($"The broker has no session for client_id '{_options.ClientId}' any more: messages sent while nobody "
                + "was there, and those that no checkpoint held, are lost. See session_expires_after, and the broker's persistence.");
        HasSubscribed = true;
        (_problem, _since) = (null, null);
        await AcknowledgeUntilAsync(gone.Task, until: gone.Task).ConfigureAwait(false);
        if (_stop.IsCancellationRequested)
        {
            await LeaveAsync(client).ConfigureAwait(false);
            return true;
        }

        MqttClientDisconnectedEventArgs how = await gone.Task.ConfigureAwait(false);
        if (how.Reason == MqttClientDisconnectReason.SessionTakenOver)
            throw new SourceException(SourceFailure.Configuration,
                $"Another client has connected to {_options.Server} with client_id '{_options.ClientId}' and has taken its session. Give "
                    + "every model, and every worker, a client_id of its own.");
        Lost(how.ReasonString ?? how.Exception?.GetBaseException().Message.TrimEnd('.')
            ?? $"it closed the connection, as brokers do when another client comes with client_id '{_options.ClientId}'");
        return true;
    }

    private async Task SubscribeAsync(IMqttClient client, CancellationToken cancellationToken)
    {
        var filters = new MqttClientSubscribeOptions
        {
            TopicFilters = [.. _options.Topics.Select(topic => new MqttTopicFilter
            {
                Topic = topic,
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                RetainHandling = MqttRetainHandling.DoNotSendOnSubscribe,
            })],
        };
        if (_options.Protocol == MqttProtocol.Mqtt311)
            foreach (MqttTopicFilter filter in filters.TopicFilters) filter.RetainHandling = MqttRetainHandling.SendAtSubscribe;
        MqttClientSubscribeResult result = await client.SubscribeAsync(filters, cancellationToken).ConfigureAwait(false);
        foreach (MqttClientSubscribeResultItem item in result.Items)
            if (item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2)
                throw new SourceException(SourceFailure.Denied,
                    $"The broker {_options.Server} refuses topic '{item.TopicFilter.Topic}' ({item.ResultCode}). Give the user "
                        + $"'{_options.Username ?? "(none)"}' the right to read it.");
    }

    /// <summary>
    /// Tells the broker what it may forget, until something has happened, the connection is lost, or the source is closed; then too what it
    /// may forget by then.
    /// </summary>
    private async Task AcknowledgeUntilAsync(Task gone, Task until)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = _stop.Token.Register(stopping.SetResult);
        bool isLast;
        do
        {
            isLast = until.IsCompleted || _stop.IsCancellationRequested;
            while (!gone.IsCompleted && _inbox.TryTakeAcknowledgement(out MqttApplicationMessageReceivedEventArgs? args))
                await args!.AcknowledgeAsync(CancellationToken.None).ConfigureAwait(false);
            if (!isLast) await Task.WhenAny(gone, until, _inbox.MayAcknowledge, stopping.Task).ConfigureAwait(false);
        }
        while (!isLast && !gone.IsCompleted);
    }

    /// <summary>Says goodbye, so that the broker keeps the session and does not wait for the keep-alive.</summary>
    private static async Task LeaveAsync(IMqttClient client)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await client.DisconnectAsync(new MqttClientDisconnectOptions(), deadline.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsPassing(failure))
        {
            // It was gone already.
        }
    }

    private MqttClientOptions ClientOptions()
    {
        var server = new Uri(_options.Server);
        MqttClientOptionsBuilder builder = new MqttClientOptionsBuilder()
            .WithClientId(_options.ClientId).WithCleanStart(false).WithKeepAlivePeriod(KeepAlive).WithTimeout(Patience)
            .WithTcpServer(server.Host, server.IsDefaultPort || server.Port < 0 ? null : server.Port)
            .WithTlsOptions(Tls(server));
        if (_options.Protocol == MqttProtocol.Mqtt311) builder.WithProtocolVersion(MqttProtocolVersion.V311);
        else
            builder.WithProtocolVersion(MqttProtocolVersion.V500).WithReceiveMaximum(_options.MostUnacknowledged)
                .WithSessionExpiryInterval((uint)Math.Min(uint.MaxValue - 1, _options.SessionExpiresAfter.TotalSeconds));
        if (_options.Username is { } user) builder.WithCredentials(user, _options.Password ?? "");
        return builder.Build();
    }

    private MqttClientTlsOptions Tls(Uri server)
    {
        if (server.Scheme != "mqtts") return new MqttClientTlsOptions { UseTls = false };
        var tls = new MqttClientTlsOptionsBuilder().UseTls().WithTargetHost(server.Host);
        if (_options.CaFile is { } ca)
        {
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPemFile(ca);
            tls = tls.WithTrustChain(trusted).WithRevocationMode(X509RevocationMode.NoCheck);
        }

        if (_options.CertificateFile is { } own)
            tls = tls.WithClientCertificates([X509Certificate2.CreateFromPemFile(own, _options.KeyFile ?? own)]);
        return tls.Build();
    }

    private void RefuseConnection(MqttClientConnectResult result)
    {
        string code = result.ResultCode.ToString();
        if (result.ResultCode == MqttClientConnectResultCode.Success) return;
        bool isDenied = result.ResultCode is MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized
            or MqttClientConnectResultCode.Banned or MqttClientConnectResultCode.BadAuthenticationMethod;
        if (isDenied)
            throw new SourceException(SourceFailure.Denied,
                $"The broker {_options.Server} refuses the connection ({code}). Check username, password_file and the broker's rights.");
        if (result.ResultCode is MqttClientConnectResultCode.ClientIdentifierNotValid
            or MqttClientConnectResultCode.UnsupportedProtocolVersion)
            throw new SourceException(SourceFailure.Configuration,
                $"The broker {_options.Server} refuses the connection ({code}). Choose another client_id, or protocol: mqtt311.");
        throw new MqttCommunicationException($"it answers {code} {result.ReasonString}".TrimEnd());
    }

    private void Lost(string reason)
    {
        _since ??= _context.Time.GetTimestamp();
        _problem = $"The broker {_options.Server} cannot be reached: {reason}. Trying again.";
    }

    private void ThrowIfTooLong()
    {
        if (_since is not { } since || _options.UnavailableAfter is not { } limit || _context.Time.GetElapsedTime(since) < limit) return;
        throw new SourceException(SourceFailure.Unavailable, string.Create(CultureInfo.InvariantCulture,
            $"{_problem?.Replace(" Trying again.", "", StringComparison.Ordinal)} That has lasted {limit.TotalSeconds:0.#} s, the limit "
                + $"source.mqtt.unavailable_after. Check the broker and the network."));
    }

    private CancellationTokenSource Late()
    {
        var late = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        late.CancelAfter(Patience);
        return late;
    }

    /// <summary>Whether trying again may help: the broker or the network is away, or it says no as it starts.</summary>
    private static bool IsPassing(Exception failure) => failure is MqttCommunicationException or MqttProtocolViolationException
        or SocketException or IOException or OperationCanceledException or AuthenticationException or InvalidOperationException
        && failure is not FileNotFoundException and not DirectoryNotFoundException;
}
