using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Proposals;

/// <summary>Where the records of a proposal come from.</summary>
internal sealed record ProposedSource
{
    private ProposedSource()
    {
    }

    /// <summary>Files and globs; none where it is a topic.</summary>
    public IReadOnlyList<string> Paths { get; private init; } = [];

    /// <summary>Whether files are read on as they grow.</summary>
    public bool Follow { get; private init; }

    /// <summary>The topic; null where they are files.</summary>
    public TopicAddress? Topic { get; private init; }

    /// <summary>Settings of the Kafka client as the user gave them: <c>name_file</c> stays a path.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; private init; } = new Dictionary<string, string>();

    /// <summary>What a person calls it.</summary>
    public string Name => Topic?.ToString() ?? Paths[0];

    /// <summary>The part of the name that an id is made of.</summary>
    public string Stem => Topic?.Topic ?? Path.GetFileName(Paths[0]).Split('.')[0];

    /// <summary>Files.</summary>
    public static ProposedSource OfFiles(IReadOnlyList<string> paths, bool follow = false) => new() { Paths = paths, Follow = follow };

    /// <summary>A topic.</summary>
    public static ProposedSource OfTopic(TopicAddress topic, IReadOnlyDictionary<string, string> properties) =>
        new() { Topic = topic, Properties = properties };
}
