using System.Net.Sockets;
using System.Text;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// Tells the service manager that started the process how it is doing: the protocol of <c>sd_notify(3)</c>, a datagram to the socket that
/// <c>NOTIFY_SOCKET</c> names (systemd, <c>Type=notify</c>; Podman and others speak it too). Where nobody listens nothing is said.
/// </summary>
/// <param name="address">A path, or with @ a name in the abstract space; null tells nobody.</param>
public sealed class ServiceManager(string? address)
{
    private const string Variable = "NOTIFY_SOCKET", Ready = "READY=1", Stopping = "STOPPING=1";

    /// <summary>The one that started this process, if any did.</summary>
    public static ServiceManager OfProcess() => new(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The state directory is ours and the API listens.</summary>
    /// <param name="status">For a person who asks for the service's status.</param>
    public void IsReady(string status) => Tell($"{Ready}\nSTATUS={status}");

    /// <summary>A stop was asked for, or all is done.</summary>
    public void IsStopping() => Tell(Stopping);

    private void Tell(string state)
    {
        if (string.IsNullOrEmpty(address)) return;
        string path = address[0] == '@' ? $"\0{address[1..]}" : address;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path));
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException or PlatformNotSupportedException)
        {
            // Whoever asked to be told is not there: that ends no worker.
        }
    }
}
