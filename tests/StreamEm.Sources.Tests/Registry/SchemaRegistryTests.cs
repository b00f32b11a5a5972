using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Tests.Registry;

/// <summary>Who asks a registry waits for it, and takes only its own word for it that there is no schema.</summary>
public sealed class SchemaRegistryTests : IDisposable
{
    private const string Int = "\"int\"";

    private readonly StandInRegistry _server = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _server.Dispose();

    private SchemaRegistry Open(TimeSpan? unavailableAfter = null, Func<SchemaRegistryOptions, SchemaRegistryOptions>? with = null)
    {
        var options = new SchemaRegistryOptions { Url = [_server.Url] };
        return new SchemaRegistry(with?.Invoke(options) ?? options, unavailableAfter, _time);
    }

    /// <summary>Lets time pass, second after second, until a task has ended.</summary>
    private async Task EndOf(Task task)
    {
        await Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return task.IsCompleted;
        }, "the registry has been asked");
        await task;
    }

    [Fact]
    public async Task Schema_IsAskedForOnce()
    {
        int number = _server.Register("t-value", Int);
        using SchemaRegistry registry = Open();

        Assert.True(registry.Lacks(number));
        await registry.LearnAsync(number, TestContext.Current.CancellationToken);

        Assert.False(registry.Lacks(number));
        Assert.Equal((AvroKind.Int, null), (registry.Find(number)!.Avro!.Kind, registry.Find(number)!.Problem));
        Assert.Equal([$"/schemas/ids/{number}"], _server.Asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RegistryThatIsAwayOrNoRegistry_IsAskedUntilItAnswers(bool isAway)
    {
        int number = _server.Register("t-value", Int);
        (_server.IsAway, _server.IsOther) = (isAway, !isAway);
        using SchemaRegistry registry = Open();

        Task asked = registry.LearnAsync(number, TestContext.Current.CancellationToken);
        await Eventually.True(() => registry.Problem is not null, "the outage is told");
        Assert.Equal(
            $"The schema registry cannot be asked: {_server.Url}/ answers {(isAway ? 503 : 404)} to schemas/ids/{number}, which no schema "
                + "registry does. Trying again.", registry.Problem);
        (_server.IsAway, _server.IsOther) = (false, false);
        await EndOf(asked);

        Assert.Null(registry.Problem);
        Assert.Null(registry.Find(number)!.Problem);
    }

    [Fact]
    public async Task OutageThatLastsTooLong_EndsTheSource()
    {
        _server.IsAway = true;
        using SchemaRegistry registry = Open(TimeSpan.FromSeconds(5));

        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => EndOf(registry.LearnAsync(1, default)));

        Assert.Equal(SourceFailure.Unavailable, failure.Failure);
        Assert.Contains("That has lasted 5 s, the limit source.kafka.unavailable_after.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NumberThatIsNotThere_IsUnknownAfterThreeAnswers_AndAskedForAgainAfterAMinute()
    {
        using SchemaRegistry registry = Open();

        await EndOf(registry.LearnAsync(1, TestContext.Current.CancellationToken));
        Assert.Equal((true, "the schema registry has no schema 1"), (registry.Find(1)!.IsUnknown, registry.Find(1)!.Problem));
        Assert.Equal(3, _server.Asked.Count);
        Assert.False(registry.Lacks(1));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(registry.Lacks(1));
        Assert.True(registry.Find(1)!.IsUnknown);
        _server.Register("t-value", Int);
        await EndOf(registry.LearnAsync(1, TestContext.Current.CancellationToken));

        Assert.False(registry.Find(1)!.IsUnknown);
    }

    [Fact]
    public async Task NewSchema_ThatAFollowerLearnsOfLate_IsWaitedFor()
    {
        using SchemaRegistry registry = Open();

        Task asked = registry.LearnAsync(1, TestContext.Current.CancellationToken);
        await Eventually.True(() => !_server.Asked.IsEmpty, "it was asked");
        _server.Register("t-value", Int);
        await EndOf(asked);

        Assert.Null(registry.Find(1)!.Problem);
    }

    [Theory]
    [InlineData("me", "hush", null, "Basic bWU6aHVzaA==")]
    [InlineData(null, null, "abc", "Bearer abc")]
    public async Task Password_IsSent_AndAWrongOneEndsTheSource(string? username, string? password, string? token, string header)
    {
        int number = _server.Register("t-value", Int);
        _server.Authorization = header;
        using SchemaRegistry registry = Open(with: o => o with { Username = username, Password = password, Token = token });
        using SchemaRegistry stranger = Open();

        await registry.LearnAsync(number, TestContext.Current.CancellationToken);
        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => stranger.LearnAsync(number, default));

        Assert.NotNull(registry.Find(number));
        Assert.Equal(SourceFailure.Denied, failure.Failure);
        Assert.Contains("refuses access (401)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondAddress_IsAskedWhenTheFirstDoesNotAnswer()
    {
        int number = _server.Register("t-value", Int);
        using SchemaRegistry registry = Open(with: o => o with { Url = ["http://127.0.0.1:1", _server.Url] });

        await registry.LearnAsync(number, TestContext.Current.CancellationToken);

        Assert.Null(registry.Find(number)!.Problem);
    }

    [Fact]
    public async Task References_AreReadBeforeWhatRefersToThem()
    {
        _server.Register("unit", """{"type":"enum","name":"Unit","namespace":"geo","symbols":["m"]}""");
        _server.Register("point", """{"type":"record","name":"geo.Point","fields":[{"name":"in","type":"geo.Unit"}]}""", "AVRO",
            ("geo.Unit", "unit", 1));
        int number = _server.Register("t-value", """{"type":"record","name":"R","fields":[{"name":"p","type":"geo.Point"}]}""", "AVRO",
            ("geo.Point", "point", 1), ("geo.Unit", "unit", 1));
        int broken = _server.Register("u-value", """{"type":"record","name":"S","fields":[]}""", "AVRO", ("x", "nobody", 3));
        using SchemaRegistry registry = Open();

        await registry.LearnAsync(number, TestContext.Current.CancellationToken);
        await registry.LearnAsync(broken, TestContext.Current.CancellationToken);

        Assert.Equal(AvroKind.Enum, registry.Find(number)!.Avro!.Fields[0].Type.Fields[0].Type.Kind);
        Assert.Equal($"schema {broken} of the registry cannot be read: it refers to a schema that the registry does not have",
            registry.Find(broken)!.Problem);
    }

    [Fact]
    public void CertificateThatIsNotThere_IsToldAtOnce()
    {
        SourceException failure = Assert.Throws<SourceException>(() => Open(with: o => o with { CaFile = "/no/ca.pem" }));

        Assert.Equal(SourceFailure.Configuration, failure.Failure);
        Assert.Contains("/no/ca.pem", failure.Message, StringComparison.Ordinal);
    }
}
