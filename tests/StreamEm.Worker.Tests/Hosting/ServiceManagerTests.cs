using System.Net.Sockets;
using System.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>What a service manager is told, by the protocol of sd_notify(3).</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Told_BothStates_ArriveAtTheSocket()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no datagrams between processes by a path.");
        string path = _directory["notify"];
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        var told = new ServiceManager(path);

        told.IsReady("listening at http://127.0.0.1:8080");
        told.IsStopping();

        Assert.Equal("READY=1\nSTATUS=listening at http://127.0.0.1:8080", Receive(manager));
        Assert.Equal("STOPPING=1", Receive(manager));
    }

    [Fact]
    public void Told_InTheAbstractSpace_Arrives()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has abstract addresses.");
        string name = $"streamem-test-{Guid.NewGuid():N}";
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint($"\0{name}"));

        new ServiceManager($"@{name}").IsStopping();

        Assert.Equal("STOPPING=1", Receive(manager));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/nowhere/at/all")]
    public void Told_WhereNobodyListens_IsNoMatter(string? address)
    {
        var told = new ServiceManager(address);

        told.IsReady("x");
        told.IsStopping();
    }

    private static string Receive(Socket manager)
    {
        byte[] buffer = new byte[1024];
        manager.ReceiveTimeout = (int)TimeSpan.FromSeconds(30).TotalMilliseconds;
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }
}
