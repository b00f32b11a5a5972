using System.Buffers;

namespace StreamEm.Core.Snapshots;

/// <summary>The snapshot as JSON, <c>application/vnd.streamem.snapshot+json;v=1</c>: numbers in shortest round-trip form, no NaN, no infinity.</summary>
public static class SnapshotJson
{
    /// <summary>Writes the snapshot as one JSON object, on one line unless <paramref name="indented"/>.</summary>
    public static void Write(ModelSnapshot snapshot, IBufferWriter<byte> output, bool indented = false) => throw new NotImplementedException();

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot, of an unknown version, or its shapes, weights or covariances are not valid.</exception>
    public static ModelSnapshot Read(ReadOnlySpan<byte> json) => throw new NotImplementedException();

    /// <summary>Reads parameters to start at: a snapshot, or just <c>{"parameters": {...}}</c>.</summary>
    /// <exception cref="InvalidDataException">Neither.</exception>
    public static Estimation.InitialParameters ReadInitialParameters(ReadOnlySpan<byte> json) => throw new NotImplementedException();
}
