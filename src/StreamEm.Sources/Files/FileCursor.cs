namespace StreamEm.Sources.Files;

/// <summary>How far one partition, a path as it was written, has been read.</summary>
internal sealed class FileCursor : IDisposable
{
    /// <summary>Starts at <paramref name="next"/> of an open file.</summary>
    public FileCursor(string partitionName, OpenFile file, long next)
    {
        PartitionName = partitionName;
        File = file;
        Next = next;
        Identity = file.Fingerprint();
    }

    /// <summary>The name of the partition: the path as matched.</summary>
    public string PartitionName { get; }

    /// <summary>The file being read; after a rotation not the one the path leads to.</summary>
    public OpenFile File { get; private set; }

    /// <summary>Its fingerprint.</summary>
    public string Identity { get; private set; }

    /// <summary>Where the next record starts.</summary>
    public long Next { get; set; }

    /// <summary>Length on disk when its end was last reached; -1 before.</summary>
    public long ReadLength { get; set; } = -1;

    /// <summary>Whether the file will not grow any more: what is left after the last line end is a record too.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Takes a longer fingerprint when the file has grown past the first one.</summary>
    public void RefreshIdentity()
    {
        if (Fingerprint.IsPartial(Identity) && File.StoredLength > Fingerprint.Length(Identity)) Identity = File.Fingerprint();
    }

    /// <summary>Goes on with another file, or with the same one, at its start.</summary>
    public void Restart(OpenFile file)
    {
        if (!ReferenceEquals(file, File)) File.Dispose();
        File = file;
        Identity = file.Fingerprint();
        Next = 0;
        ReadLength = -1;
        IsComplete = false;
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();
}
