using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>A snapshot is named by the address of the worker that has it, wherever one is taken.</summary>
public sealed class RemoteSnapshotTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpListener _listener = new();
    private readonly string _address;
    private readonly Task _serving;
    private byte[] _snapshot = [];

    public RemoteSnapshotTests()
    {
        _address = $"http://127.0.0.1:{FreePort()}/";
        _listener.Prefixes.Add(_address);
        _listener.Start();
        _serving = ServeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
        _directory.Dispose();
    }

    [Fact]
    public async Task Score_UnderASnapshotOfAWorker_IsThatUnderItsFile()
    {
        string data = _directory["data.csv"], file = _directory["snapshot.json"];
        await File.WriteAllTextAsync(data, Rows(), TestContext.Current.CancellationToken);
        CommandRun fitted = await CommandRun.Of(FitCommand.Create(), data, "--components", "2", "-o", file);
        Assert.True(fitted.ExitCode == 0, fitted.Error);
        _snapshot = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);

        CommandRun remote = await CommandRun.Of(ScoreCommand.Create(), $"{_address}v1/models/boiler", data);

        Assert.True(remote.ExitCode == 0, remote.Error);
        Assert.Equal((await CommandRun.Of(ScoreCommand.Create(), file, data)).Output, remote.Output);
    }

    [Theory]
    [InlineData("v1/models/nobody", 66)]
    [InlineData("v1/models/secret", 77)]
    [InlineData("", 64)]
    public async Task Inspect_WhatIsNoSnapshot_SaysWhy(string path, int code)
    {
        CommandRun run = await CommandRun.Of(InspectCommand.Create(), _address + path);

        Assert.Equal(code, run.ExitCode);
        Assert.Contains(_address, run.Error, StringComparison.Ordinal);
    }

    private static string Rows()
    {
        var text = new StringBuilder("x,y\n");
        for (int row = 0; row < 2000; row++)
            text.Append(CultureInfo.InvariantCulture, $"{row % 2 * 10 + row % 7},{row % 5 - row % 2 * 10}\n");
        return text.ToString();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                string name = context.Request.Url!.AbsolutePath.Split('/')[^1];
                context.Response.StatusCode = name switch { "boiler" => 200, "secret" => 401, _ => 404 };
                if (name == "boiler") await context.Response.OutputStream.WriteAsync(_snapshot);
                context.Response.Close();
            }
            catch (Exception failure) when (failure is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
