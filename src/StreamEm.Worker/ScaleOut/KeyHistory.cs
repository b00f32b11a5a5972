using System.Runtime.InteropServices;
using StreamEm.Core.Alarms;
using StreamEm.Core.Learning;

namespace StreamEm.Worker.ScaleOut;

/// <summary>Where the models of the keys of a partition go on.</summary>
/// <param name="Position">All know what the records below say; reading goes on there.</param>
/// <param name="Begin">Where they began.</param>
/// <param name="Marked">The position of the mark: what is written of a lower one is said by no new mark.</param>
/// <param name="Ahead">Those that know more, and up to where.</param>
/// <param name="Behind">Those whose last state in the topic is not their furthest: that has to be written again, before it is compacted
/// away.</param>
/// <param name="Identity">What tells that the partition is the same one; null where nothing does.</param>
internal sealed record KeyStart(
    long Position, long Begin, long Marked, IReadOnlyDictionary<string, long> Ahead, IReadOnlyList<string> Behind, string? Identity);

/// <summary>
/// What the topic of keys says of one partition of the source, read in its order. Each state says itself up to where it is; of a key that
/// comes again the one that is furthest counts. A mark says that all states are at its position that its writer knew of or wrote. Not so a
/// state that another wrote after the writer had begun (one that did not know that it had lost the partition): where it is the last of its
/// key, a later one may have been compacted away for it, and the key is only as far as its states themselves are. Its records are then
/// read again from there, and learned by it alone.
/// </summary>
/// <param name="names">The names of its records.</param>
/// <param name="states">Takes the states.</param>
/// <param name="alarms">Takes what is known of the keys' alarms; null for nobody.</param>
internal sealed class KeyHistory(KeyNames names, KeyStates states, AlarmWatch? alarms = null)
{
    private const int Unreadable = -1, Nobody = -2;

    private readonly Dictionary<string, Found> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, int> _tenures = [];
    private KeyMark? _mark;

    /// <summary>Keys found.</summary>
    public int Keys => _found.Count;

    /// <summary>Keys that the mark counts and that were not found.</summary>
    public long Missing => Math.Max(0, (_mark?.Keys ?? 0) - _found.Count);

    /// <summary>What the models are of; null where there is no mark.</summary>
    public string? Schema => _mark?.Schema;

    /// <summary>Takes the next record of the topic, of this partition or not.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; null for none.</param>
    public void Take(long offset, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!names.TryRead(name, out string? key)) return;
        if (key is null)
        {
            // Each is true of what its writer knew of and wrote; the furthest says most.
            if (KeyMark.Decode(name, value.ToArray()) is { } mark && mark.Position >= (_mark?.Position ?? 0)) _mark = mark;
            return;
        }

        bool isSound = KeyEntry.TryDecode(
            name, value, out Guid tenure, out long to, out ReadOnlySpan<byte> alarm, out ReadOnlySpan<byte> state);
        ref Found found = ref CollectionsMarshal.GetValueRefOrAddDefault(_found, key, out bool isKnown);
        (found.LastOffset, found.LastTenure) = (offset, isSound ? NumberOf(tenure) : Unreadable);
        found.IsBehind = !isSound || (isKnown && to < found.To);
        if (found.IsBehind) return;
        found.To = to;
        states.Write(key, state);
        alarms?.Restore(key, alarm);
    }

    /// <summary>What all of it says; null where that is nothing.</summary>
    public KeyStart? Finish()
    {
        if (_mark is null && _found.Count == 0) return null;
        int writer = _mark is null ? Nobody : NumberOf(_mark.Tenure);
        (long begin, long marked, long known) = (_mark?.Begin ?? 0, _mark?.Position ?? 0, _mark?.Known ?? 0);
        long position = Missing > 0 ? begin : marked;
        foreach (Found found in _found.Values) position = Math.Min(position, To(found));
        var ahead = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((string key, Found found) in _found)
            if (To(found) > position) ahead.Add(key, To(found));
        string[] behind = [.. _found.Where(one => one.Value.IsBehind).Select(one => one.Key)];
        return new KeyStart(position, begin, marked, ahead, behind, _mark?.Identity);

        long To(in Found found) => Math.Max(found.To,
            found.LastTenure != Unreadable && (found.LastTenure == writer || found.LastOffset < known) ? marked : begin);
    }

    private int NumberOf(Guid tenure)
    {
        ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(_tenures, tenure, out bool isKnown);
        if (!isKnown) number = _tenures.Count;
        return number;
    }

    /// <summary>What is known of a key.</summary>
    private struct Found
    {
        /// <summary>Up to where the furthest of its states is.</summary>
        public long To;

        /// <summary>The offset of the last record of it.</summary>
        public long LastOffset;

        /// <summary>Who wrote that.</summary>
        public int LastTenure;

        /// <summary>Whether that is not the furthest.</summary>
        public bool IsBehind;
    }
}
