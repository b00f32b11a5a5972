namespace StreamEm.Worker.Storage;

/// <summary>What is done to a file or directory that has to survive a power cut.</summary>
internal enum DurableAct
{
    /// <summary>Bytes are handed to the kernel.</summary>
    Write,

    /// <summary>A file's bytes are forced to disk.</summary>
    Sync,

    /// <summary>A file takes another name, and the place of what had it.</summary>
    Rename,

    /// <summary>Which names a directory holds is forced to disk.</summary>
    SyncDirectory,

    /// <summary>A file is deleted.</summary>
    Delete,
}

/// <summary>One step of <see cref="DurableFile"/>.</summary>
/// <param name="Act">What is done.</param>
/// <param name="Path">To which file or directory; the new name of a renamed one.</param>
/// <param name="From">The name before, of a renamed one.</param>
internal readonly record struct DurableStep(DurableAct Act, string Path, string? From = null);
