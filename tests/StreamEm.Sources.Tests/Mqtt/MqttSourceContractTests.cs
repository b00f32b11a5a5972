using StreamEm.Sources.Mqtt;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Mqtt;

[ContractOf(nameof(MqttSource))]
public sealed class MqttSourceContractTests(MqttBroker broker) : RecordSourceContract, IClassFixture<MqttBroker>
{
    protected override RecordSource Open(SourcePosition start)
    {
        string name = MqttBroker.NewName();
        // The session is there before the messages, as it is after a first run.
        Task.Run(async () =>
        {
            await broker.Subscribe(name, $"{name}/#");
            await broker.Publish($"{name}/a", Lines);
        }).GetAwaiter().GetResult();
        return new MqttSource(Options(name), new SourceContext(Schema, start, TimeProvider.System) { Once = true });
    }

    protected override RecordSource OpenIdle() =>
        new MqttSource(Options(MqttBroker.NewName()), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));

    private MqttSourceOptions Options(string name) => new()
    {
        Server = broker.Address,
        Topics = [$"{name}/#"],
        ClientId = name,
        DrainedAfter = TimeSpan.FromMilliseconds(300),
    };
}
