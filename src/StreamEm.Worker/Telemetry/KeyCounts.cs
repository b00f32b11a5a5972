namespace StreamEm.Worker.Telemetry;

/// <summary>How many keys there are that have a model of their own, and what these take.</summary>
/// <param name="Known">Keys there are.</param>
/// <param name="InMemory">Those whose model is in memory.</param>
/// <param name="Bytes">Bytes of these models.</param>
/// <param name="Returned">Models that came back from disk since the start.</param>
/// <param name="BytesOnDisk">Bytes of the log of models.</param>
public sealed record KeyCounts(long Known, long InMemory, long Bytes, long Returned, long BytesOnDisk);
