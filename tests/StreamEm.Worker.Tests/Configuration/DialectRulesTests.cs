namespace StreamEm.Worker.Tests.Configuration;

public sealed class DialectRulesTests
{
    [Theory]
    [InlineData("{stdin: {format: csv, separator: ';', decimal: ','}}")]
    [InlineData("{stdin: {format: csv, separator: tab, comment: '#', skip_lines: 2}}")]
    [InlineData("{stdin: {format: csv, separator: ' '}}")]
    [InlineData("{stdin: {format: csv, columns: [pressure, t, temperature]}}")]
    [InlineData("{stdin: {format: csv, separator: '|'}}")]
    [InlineData("{http: {separator: ';', decimal: ','}}")]
    public void WhatGoesTogether_IsTaken(string source) =>
        Assert.Empty(ConfigFile.ProblemsOf(ConfigFile.Minimal, [$"models.0.source={source}"]));

    [Theory]
    [InlineData("{stdin: {format: csv, separator: ',', decimal: ','}}", "decimal is the same character as separator, ','")]
    [InlineData("{stdin: {format: csv, separator: ;;}}", "expected one ASCII character such as ',', ';' or '|', or tab")]
    [InlineData("{stdin: {format: csv, separator: a}}", "expected one ASCII character")]
    [InlineData("{stdin: {format: csv, separator: '\"'}}", "expected one ASCII character")]
    [InlineData("{stdin: {format: csv, decimal: ';'}}", "expected '.' or ','")]
    [InlineData("{stdin: {format: csv, comment: ''}}", "expected what comments begin with")]
    [InlineData("{stdin: {format: csv, comment: ';x', separator: ;}}", "comment begins with the separator")]
    [InlineData("{stdin: {format: csv, skip_lines: -1}}", "expected an integer, at least 0")]
    [InlineData("{stdin: {format: csv, columns: [t, pressure]}}", "columns has no 'temperature'; it names t, pressure")]
    [InlineData("{stdin: {format: csv, columns: [temperature, pressure, pressure]}}", "twice")]
    [InlineData("{stdin: {separator: ';', skip_lines: 1}}", "warning: separator, skip_lines say how csv is written and have no effect")]
    public void WhatCannotBe_IsSaid(string source, string problem) => Assert.Contains(problem,
        Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, [$"models.0.source={source}"])), StringComparison.Ordinal);

    [Theory]
    [InlineData("timestamp_unit=fortnight", "one of auto, s, ms, us, ns")]
    [InlineData("missing_values=['']", "a text that is not empty")]
    public void SpellingThatCannotBe_IsSaid(string key, string problem) => Assert.Contains(problem,
        Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, [$"models.0.{key}"])), StringComparison.Ordinal);
}
