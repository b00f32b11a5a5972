using System.Buffers.Binary;
using System.Globalization;

namespace StreamEm.Sources.Avro;

/// <summary>
/// Reads the binary encoding of Apache Avro 1.12, value after value. What is damaged is noted once, in <see cref="Damage"/>; from there on
/// every value is empty and the end is reached, so that nobody has to ask after each.
/// </summary>
/// <param name="data">The bytes.</param>
internal ref struct AvroBytes(ReadOnlySpan<byte> data)
{
    /// <summary>How deep records, arrays and maps may be nested.</summary>
    public const int MaxDepth = 64;

    /// <summary>Records within it and elements of arrays and maps that a record may have in all.</summary>
    private const int MaxElements = 1 << 20;

    private const string TooMany = "it has too many records and elements";

    private readonly ReadOnlySpan<byte> _data = data;
    private int _at, _depth, _elements;

    /// <summary>What is wrong, for a person; null as long as nothing is.</summary>
    public string? Damage { get; private set; }

    /// <summary>Bytes that were not read.</summary>
    public readonly int Left => _data.Length - _at;

    /// <summary>An integer of at most 64 bits: 7 bits a byte, the lowest first, zigzag.</summary>
    public long Long()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_at == _data.Length) return (long)Fail("it ends within a number");
            byte next = _data[_at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80 && (shift < 63 || next <= 1)) return (long)(value >> 1) ^ -(long)(value & 1);
        }
        return (long)Fail("an integer has more than 64 bits");
    }

    /// <summary>An integer of at most 32 bits.</summary>
    public int Int()
    {
        long value = Long();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : (int)Fail("an integer has more than 32 bits");
    }

    /// <summary>A number of single precision.</summary>
    public float Float() => Take(sizeof(float)) is { Length: sizeof(float) } bytes ? BinaryPrimitives.ReadSingleLittleEndian(bytes) : 0;

    /// <summary>A number of double precision.</summary>
    public double Double() => Take(sizeof(double)) is { Length: sizeof(double) } bytes ? BinaryPrimitives.ReadDoubleLittleEndian(bytes) : 0;

    /// <summary>True or false.</summary>
    public bool Boolean()
    {
        if (Take(1) is not [var value]) return false;
        if (value > 1) Fail("what is to be true or false is neither");
        return value == 1;
    }

    /// <summary>Bytes or a text, with their length in front.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        long length = Long();
        if (length >= 0 && length <= Left) return Take((int)length);
        Fail("a text or bytes are longer than what is left");
        return default;
    }

    /// <summary>So many bytes as they are; none where there are fewer.</summary>
    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > Left)
        {
            Fail("it ends within a value");
            return default;
        }
        ReadOnlySpan<byte> taken = _data.Slice(_at, length);
        _at += length;
        return taken;
    }

    /// <summary>Which of <paramref name="count"/>: the branch of a union, the symbol of an enum.</summary>
    public int Choice(int count)
    {
        long chosen = Long();
        return chosen >= 0 && chosen < count ? (int)chosen : (int)Fail(string.Create(CultureInfo.InvariantCulture,
            $"a choice among {count} is none of them"));
    }

    /// <summary>How many elements the next block of an array or map has; 0 at the end.</summary>
    public int Block()
    {
        long count = Long();
        if (count < 0)
        {
            Long();
            count = -count;
        }
        if (Damage is not null || count == 0) return 0;
        if (count < 0 || count > MaxElements - _elements) return (int)Fail(TooMany);
        _elements += (int)count;
        return (int)count;
    }

    /// <summary>Begins a value that holds others; false, and nothing to read, where they are nested too deep.</summary>
    public bool Enter()
    {
        // Records of no bytes within records of no bytes cost time too.
        if (++_elements > MaxElements) Fail(TooMany);
        else if (_depth == MaxDepth) Fail(string.Create(CultureInfo.InvariantCulture, $"values are nested deeper than {MaxDepth} levels"));
        if (Damage is not null) return false;
        _depth++;
        return true;
    }

    /// <summary>Ends it.</summary>
    public void Leave() => _depth--;

    /// <summary>Passes over a value.</summary>
    public void Skip(AvroType type)
    {
        switch (type.Kind)
        {
            case AvroKind.Boolean:
                Boolean();
                break;
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                Long();
                break;
            case AvroKind.Float:
                Take(sizeof(float));
                break;
            case AvroKind.Double:
                Take(sizeof(double));
                break;
            case AvroKind.Bytes or AvroKind.Text:
                Bytes();
                break;
            case AvroKind.Fixed:
                Take(type.Size);
                break;
            case AvroKind.Union:
                SkipBranch(type);
                break;
            case AvroKind.Record or AvroKind.Array or AvroKind.Map when Enter():
                SkipSeveral(type);
                Leave();
                break;
        }
    }

    private void SkipBranch(AvroType union)
    {
        int chosen = Choice(union.Branches.Length);
        if (Damage is null) Skip(union.Branches[chosen]);
    }

    private void SkipSeveral(AvroType type)
    {
        if (type.Kind == AvroKind.Record)
        {
            foreach (AvroField field in type.Fields) Skip(field.Type);
            return;
        }
        for (int count = Block(); count > 0; count = Block())
        {
            for (int i = 0; i < count && Damage is null; i++)
            {
                if (type.Kind == AvroKind.Map) Bytes();
                Skip(type.Items!);
            }
        }
    }

    private double Fail(string damage)
    {
        Damage ??= damage;
        _at = _data.Length;
        return 0;
    }
}
