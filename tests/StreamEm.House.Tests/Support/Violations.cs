namespace StreamEm.House.Tests.Support;

/// <summary>What breaks a rule, one a line.</summary>
internal static class Violations
{
    /// <summary>Fails with all of them.</summary>
    public static void None(IEnumerable<string> found)
    {
        string[] all = [.. found];
        Assert.True(all.Length == 0, $"{all.Length} found\n{string.Join('\n', all)}");
    }
}
