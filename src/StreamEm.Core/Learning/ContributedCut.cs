using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Endless sequences of which nothing is remembered here between minibatches: where each stands is bytes, which somebody else keeps. A
/// minibatch is a function of its rows and of the states of their keys. As bytes: <c>u8 form | what the model remembers, of one slot |
/// length and last time, where limits end sequences</c>.
/// </summary>
/// <param name="size">Rows of a minibatch, and so the most keys of one.</param>
/// <param name="model">A model of endless sequences.</param>
/// <param name="sequences">What ends a sequence: the key's next row begins another.</param>
internal sealed class ContributedCut(int size, LatentModel model, SequenceOptions sequences)
    : KeyedCut(size, size, model.CreateMemory(size)!, sequences)
{
    private const byte Form = 1;
    private const ulong FirstHash = 14695981039346656037, HashPrime = 1099511628211;

    private readonly StreamMemory _one = model.CreateMemory(1)!;
    private readonly SequenceLengths? _oneLength = sequences.HasLimits ? new(1, sequences) : null;
    private KeyStates? _states;

    /// <summary>For every slot a number that its key alone says (FNV-1a of its UTF-16).</summary>
    public long[] Numbers { get; } = new long[size];

    /// <summary>The next rows, their keys as states say that they stand.</summary>
    /// <param name="pending">The rows; user units, levels as codes.</param>
    /// <param name="states">The states.</param>
    /// <param name="count">How many rows these are.</param>
    /// <exception cref="InvalidDataException">A state is damaged, or of another model.</exception>
    public Minibatch Take(Minibatch pending, KeyStates states, out int count)
    {
        Table.Clear();
        _states = states;
        try
        {
            return Next(pending, CutMoment.Waited, out count)!;
        }
        finally
        {
            _states = null;
        }
    }

    /// <summary>Gives the states of the keys as they are after the minibatch.</summary>
    public void Give(KeyStates states)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        for (int slot = 0; slot < Table.Count; slot++)
        {
            bytes.SetLength(0);
            writer.Write(Form);
            _one.CopyFrom(Memory!, slot, 0);
            _one.Save(writer);
            _oneLength?.CopyFrom(Lengths!, slot, 0);
            _oneLength?.Save(writer);
            writer.Flush();
            states.Write(Table.KeyOf(slot), bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }
    }

    /// <inheritdoc/>
    protected override bool Recalls(string key, int slot)
    {
        ulong hash = FirstHash;
        foreach (char letter in key) hash = unchecked((hash ^ letter) * HashPrime);
        Numbers[slot] = unchecked((long)hash);
        ReadOnlySpan<byte> state = _states!.Read(key);
        if (state.IsEmpty) return false;
        using var bytes = new MemoryStream(state.ToArray());
        using var reader = new BinaryReader(bytes);
        try
        {
            if (reader.ReadByte() is var form && form != Form)
                throw new InvalidDataException($"The state of a key has form {form}; this program reads {Form}.");
            _one.Load(reader);
            _oneLength?.Load(reader);
        }
        catch (EndOfStreamException failure)
        {
            throw new InvalidDataException("The state of a key is cut off, or of another model.", failure);
        }

        if (bytes.Position < bytes.Length) throw new InvalidDataException("The state of a key is longer than one of this model.");
        Memory!.CopyFrom(_one, 0, slot);
        if (_oneLength is not null) Lengths!.CopyFrom(_oneLength, 0, slot);
        return true;
    }
}
