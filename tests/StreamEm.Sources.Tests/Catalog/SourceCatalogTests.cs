using StreamEm.Core.Features;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Files;
using StreamEm.Sources.Http;
using StreamEm.Sources.Stdin;

namespace StreamEm.Sources.Tests.Catalog;

public sealed class SourceCatalogTests
{
    private static readonly RecordSchema Schema = new() { Features = ["a"] };

    [Theory]
    [InlineData(typeof(FileSource), true)]
    [InlineData(typeof(StdinSource), false)]
    [InlineData(typeof(HttpPushSource), false)]
    public async Task Create_Options_GivesTheirSource(Type type, bool isReplayable)
    {
        SourceOptions options = type == typeof(FileSource)
            ? new FileSourceOptions { Path = ["a.csv"] }
            : type == typeof(StdinSource) ? new StdinSourceOptions() : new HttpSourceOptions();
        await using RecordSource source =
            SourceCatalog.Create(options, new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        Assert.IsType(type, source);
        Assert.Equal(isReplayable, source.IsReplayable);
    }

    [Fact]
    public void Create_UnknownOptions_SaysWhatIsKnown()
    {
        var failure = Assert.Throws<ArgumentException>(
            () => SourceCatalog.Create(new OtherOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System)));
        Assert.Contains(
            "No source is configured by a OtherOptions; expected one of FileSourceOptions, KafkaSourceOptions, MqttSourceOptions, "
                + "StdinSourceOptions, HttpSourceOptions", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_NamesAndOptions_AreUnique()
    {
        Assert.Equal(SourceCatalog.Types.Count, SourceCatalog.Types.Select(type => type.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(SourceCatalog.Types.Count, SourceCatalog.Types.Select(type => type.OptionsType).Distinct().Count());
    }

    private sealed record OtherOptions : SourceOptions;
}
