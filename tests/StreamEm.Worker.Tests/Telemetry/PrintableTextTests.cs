using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Telemetry;

public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("'a.csv' has no column 'gr\u00F6\u00DFe'\n\tx", "'a.csv' has no column 'gr\u00F6\u00DFe'\n\tx")]
    [InlineData("\u001B[2Jx", "?[2Jx")]
    [InlineData("a\rb\u0007\0\u009B1m", "a?b???1m")]
    [InlineData("abc\u202Egnp", "abc?gnp")]
    public void Of_Text_HasNoOrdersForATerminal(string text, string expected) => Assert.Equal(expected, PrintableText.Of(text));
}
