using System.Runtime.Intrinsics;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The bytes that cut a text into numbers, as constants of a type, so that the loops that read them are compiled for each choice and pay
/// nothing for there being a choice.
/// </summary>
internal interface IMarks
{
    /// <summary>Between two columns.</summary>
    static abstract byte Separator { get; }

    /// <summary>Before a number's fraction.</summary>
    static abstract byte Point { get; }

    /// <summary>32 of <see cref="Point"/>, a constant: made of a member's value it would be put together again for every number.</summary>
    static abstract Vector256<byte> Points { get; }
}

/// <summary>RFC 4180, and the numbers of JSON.</summary>
internal readonly struct CommaAndPoint : IMarks
{
    public static byte Separator => (byte)',';

    public static byte Point => (byte)'.';

    public static Vector256<byte> Points => Vector256.Create((byte)'.');
}

/// <summary>Semicolons, <c>1.5</c>.</summary>
internal readonly struct SemicolonAndPoint : IMarks
{
    public static byte Separator => (byte)';';

    public static byte Point => (byte)'.';

    public static Vector256<byte> Points => Vector256.Create((byte)'.');
}

/// <summary>Semicolons, <c>1,5</c>: what spreadsheets write where the comma is the decimal mark.</summary>
internal readonly struct SemicolonAndComma : IMarks
{
    public static byte Separator => (byte)';';

    public static byte Point => (byte)',';

    public static Vector256<byte> Points => Vector256.Create((byte)',');
}

/// <summary>Tabs, <c>1.5</c>.</summary>
internal readonly struct TabAndPoint : IMarks
{
    public static byte Separator => (byte)'\t';

    public static byte Point => (byte)'.';

    public static Vector256<byte> Points => Vector256.Create((byte)'.');
}

/// <summary>Tabs, <c>1,5</c>.</summary>
internal readonly struct TabAndComma : IMarks
{
    public static byte Separator => (byte)'\t';

    public static byte Point => (byte)',';

    public static Vector256<byte> Points => Vector256.Create((byte)',');
}

/// <summary>Bars, <c>1.5</c>.</summary>
internal readonly struct BarAndPoint : IMarks
{
    public static byte Separator => (byte)'|';

    public static byte Point => (byte)'.';

    public static Vector256<byte> Points => Vector256.Create((byte)'.');
}

/// <summary>Bars, <c>1,5</c>.</summary>
internal readonly struct BarAndComma : IMarks
{
    public static byte Separator => (byte)'|';

    public static byte Point => (byte)',';

    public static Vector256<byte> Points => Vector256.Create((byte)',');
}
