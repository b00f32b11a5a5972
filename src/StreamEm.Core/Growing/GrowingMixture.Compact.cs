using StreamEm.Core.Data;

namespace StreamEm.Core.Growing;

/// <summary>Its state in few bytes, so that one machine serves the states of very many keys.</summary>
internal sealed partial class GrowingMixture
{
    /// <summary>Writes the whole state.</summary>
    public void Write(CompactWriter writer)
    {
        writer.Count(Records);
        writer.Count(Unlearned);
        writer.Count(Gated);
        writer.Count(_warm);
        writer.Count(_guardedFrom);
        writer.Number(_share);
        writer.Number(_owed);
        _scale.Write(writer);
        _components.Write(writer);
        _bulk.Write(writer);
        _all.Write(writer);
        _trusted.WriteBeside(_all, writer);
        _quarantine.Write(writer);
        writer.Count(_condemned.Count);
        if (_condemned.Count == 0) return;
        foreach (int number in _condemned) writer.Count(number);
    }

    /// <summary>Takes over what <see cref="Write"/> wrote, in place of all there is.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of other features.</exception>
    public void Read(ref CompactReader reader)
    {
        (Records, Unlearned, Gated) = (reader.Count(), reader.Count(), reader.Count());
        (_warm, _guardedFrom) = (reader.Count(), reader.Count());
        (_share, _owed) = (reader.Number(), reader.Number());
        _guardedFrom = _guard.FreezeAfter ?? _guardedFrom;
        if (Unlearned > Records || Gated > Unlearned || !(_share is >= 0 and <= 1) || !(_owed is >= 0 and <= MostOwed))
            throw new InvalidDataException("The state of a key is damaged: the counts of records taken are impossible.");
        _scale.Read(ref reader);
        _components.Read(ref reader);
        _bulk.Read(ref reader);
        _all.Read(ref reader);
        _trusted.ReadBeside(_all, ref reader);
        _quarantine.Read(ref reader);
        _events.Clear();
        _condemned.Clear();
        for (int left = reader.Count(_components.Count); left > 0; left--) TakeCondemned(reader.Count(int.MaxValue));
        if (!reader.IsAtEnd) throw new InvalidDataException("The state of a key is damaged: it goes on after its end.");
    }
}
