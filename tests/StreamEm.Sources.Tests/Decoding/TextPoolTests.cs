using System.Text;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Tests.Decoding;

public sealed class TextPoolTests
{
    [Fact]
    public void Get_SameBytes_IsTheSameObject()
    {
        var pool = new TextPool();
        string[] first = [.. Enumerable.Range(0, 5000).Select(i => pool.Get(Encoding.UTF8.GetBytes($"\u00E9{i}")))];
        for (int i = 0; i < first.Length; i++)
        {
            Assert.Equal($"\u00E9{i}", first[i]);
            Assert.Same(first[i], pool.Get(Encoding.UTF8.GetBytes($"\u00E9{i}")));
        }
    }

    [Fact]
    public void Get_EndlessNewTexts_KeepsMemoryBounded()
    {
        var pool = new TextPool();
        WeakReference early = Ask(pool, "early");
        for (int i = 0; i <= TextPool.MaxCount; i++) Assert.Equal(i.ToString(System.Globalization.CultureInfo.InvariantCulture), pool.Get(Encoding.UTF8.GetBytes($"{i}")));
        GC.Collect();
        Assert.False(early.IsAlive);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference Ask(TextPool pool, string text) => new(pool.Get(Encoding.UTF8.GetBytes(text)));
}
