using Spectre.Console;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Tests.Display;

public sealed class ColumnBandsTests
{
    [Theory]
    [InlineData(200, 1)]
    [InlineData(60, 2)]
    [InlineData(40, 3)]
    public void Write_ColumnsThatDoNotFit_GoBelowUnderTheSameNames(int width, int bands)
    {
        string[] lines = Write(width, columns: 5, rows: 20);

        Assert.All(lines, line => Assert.True(line.TrimEnd().Length <= width, line));
        Assert.Equal(bands, lines.Count(line => line.TrimStart().StartsWith("component", StringComparison.Ordinal)));
        Assert.Equal(bands, lines.Count(line => line.TrimStart().StartsWith("c19 ", StringComparison.Ordinal)));
        for (int column = 0; column < 5; column++)
            Assert.Single(lines, line => line.Contains($"feature_{column}", StringComparison.Ordinal));
        for (int column = 0; column < 5; column++) Assert.Single(lines, line => line.Contains($"{column}.0019", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_ManyColumnsOfFewRows_ChangesRowsAndColumns()
    {
        string[] lines = Write(width: 60, columns: 24, rows: 3);

        Assert.Single(lines, line => line.Contains("c0", StringComparison.Ordinal) && line.Contains("c2", StringComparison.Ordinal));
        string last = Assert.Single(lines, line => line.TrimStart().StartsWith("feature_23 ", StringComparison.Ordinal));
        Assert.Contains("23.0002", last, StringComparison.Ordinal);
    }

    private static string[] Write(int width, int columns, int rows)
    {
        using var output = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = width;
        var table = new ColumnBands("component", [.. Enumerable.Range(0, rows).Select(row => $"c{row}")]);
        for (int column = 0; column < columns; column++)
            table.Add($"feature_{column}", [.. Enumerable.Range(0, rows).Select(row => $"{column}.{row:D4}")]);
        table.Write(console);
        return output.ToString().Split('\n');
    }
}
