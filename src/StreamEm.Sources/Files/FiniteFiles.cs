namespace StreamEm.Sources.Files;

/// <summary>The files there are, one after the other, each to its end.</summary>
internal sealed class FiniteFiles(FileRegister register) : FileQueue(register)
{
    private Queue<KnownFile>? _files;
    private KnownFile? _current;
    private bool _hasRead;

    /// <inheritdoc/>
    public override bool IsEndless => false;

    /// <inheritdoc/>
    public override KnownFile? Take()
    {
        _files ??= Find();
        while (_current is null && _files.TryDequeue(out KnownFile? file))
        {
            // A compressed file that was read to its end has nothing to tell.
            if (file.IsPacked && !file.HasMore)
            {
                _hasRead = true;
                continue;
            }
            file.IsComplete = true;
            if (file.TryOpen()) _current = file;
        }
        if (_current is null && !_hasRead && Register.Aside.First is { } failure) throw failure;
        return _current;
    }

    /// <inheritdoc/>
    public override void AtEnd(KnownFile file)
    {
        _hasRead = true;
        _current = null;
        Register.Finish(file);
    }

    /// <inheritdoc/>
    public override bool TrySetAside(KnownFile file, SourceException failure)
    {
        _current = null;
        return base.TrySetAside(file, failure);
    }

    private Queue<KnownFile> Find()
    {
        Register.Scan();
        if (Register.Empty.Count > 0) throw Register.Aside.First ?? NoMatch(Register.Empty[0]);
        return new Queue<KnownFile>(Register.Files.Where(file => file.SetAside is null));
    }
}
