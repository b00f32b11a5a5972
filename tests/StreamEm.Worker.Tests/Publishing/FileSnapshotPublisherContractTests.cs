using System.Text;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Tests.Contracts;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Publishing;

/// <summary>What every publisher promises, of a log in a file.</summary>
[ContractOf(nameof(FileSnapshotPublisher))]
public sealed class FileSnapshotPublisherContractTests : SnapshotPublisherContract, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Log => _directory["out/log.ndjson"];

    public void Dispose() => _directory.Dispose();

    protected override Task<SnapshotPublisher> CreateAsync() =>
        Task.FromResult<SnapshotPublisher>(new FileSnapshotPublisher(new FilePublisherOptions { Path = Log }, new ListLogger()));

    protected override IReadOnlyList<byte[]> Published() => File.Exists(Log) ? [.. File.ReadLines(Log).Select(Encoding.UTF8.GetBytes)] : [];
}
