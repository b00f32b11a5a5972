using System.Globalization;
using System.Text;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary><c>streamem test</c>: what is expected of records is compared with what the worker would say of them.</summary>
public sealed class TestCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public TestCommandTests()
    {
        var text = new StringBuilder("x,y,kind\n");
        foreach (double[]? row in Pipelines.Clouds(1200)) text.Append(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R},good\n");
        File.WriteAllText(_directory["normal.csv"], text.ToString());
        File.WriteAllText(_directory["theta.json"], """
            {"parameters": {"weights": {"shape": [2], "data": [0.5, 0.5]}, "means": {"shape": [2, 2], "data": [0, 0, 100, 100]},
             "covariances": {"shape": [2, 2, 2], "data": [1, 0, 0, 1, 1, 0, 0, 1]}}}
            """);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Test_ScoresAlarmsAndRejections_AreThoseOfTheWorker()
    {
        CommandRun run = await Test($$"""
              - name: all kinds
                learn: ['{{_directory["normal.csv"]}}']
                records:
                  - { x: -3, y: -6, kind: good }
                  - { x: 99, y: 0, kind: good }
                  - { x: hot, y: 0, kind: good }
                  - { x: hot, y: 0, kind: bad }
                expect:
                  - { alarm: false, p_value: { above: 0.01 }, key: null }
                  - { alarm: true, alarm_event: raised, anomaly_score: { above: 0.999 } }
                  - { rejected: not_a_number }
                  - { filtered: true }
                counts: { scored: 2, rejected: 1, filtered: 1, alarms: 1 }
            """, "where: kind == 'good'\n    alarms: { threshold: 0.001 }");

        Assert.Equal((0, "ok      all kinds (4 records)\n1 passed, 0 failed\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task Test_GivenParameters_ScoresUnderThemWithoutLearning()
    {
        // log p = log(1/2) - log(2 pi) - 1/2 r^2 at the first mean, the other being far away.
        double atMean = Math.Log(0.5) - Math.Log(2 * Math.PI);
        CommandRun run = await Test(string.Create(CultureInfo.InvariantCulture, $$"""
              - name: exact
                from: '{{_directory["theta.json"]}}'
                records: [ { x: 0, y: 0 }, { x: 1, y: 1 }, { x: 100 } ]
                tolerance: 1e-12
                expect:
                  - { log_density: {{atMean:R}}, responsibilities: [1, 0], component: 0, component_id: c0 }
                  - { log_density: {{atMean - 1:R}} }
                  - {}
            """));

        Assert.Equal((0, "ok      exact (3 records)\n1 passed, 0 failed\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Test_WhatIsNotAsExpected_IsToldRecordByRecordWhereItIsWritten()
    {
        CommandRun run = await Test($$"""
              - name: wrong in every way
                from: '{{_directory["theta.json"]}}'
                records: [ { x: 0, y: 0 }, { x: 0, y: 0 }, { x: hot, y: 0 }, { x: 0, y: 0 }, { x: 0, y: 0 } ]
                expect:
                  - { component: 1, responsibilities: [1, 0, 0], component_id: c1 }
                  - { log_densty: 0 }
                  - { component: 0 }
                  - { rejected: true }
                  - { log_density: { above: 0, below: -5 } }
                counts: { scored: 5 }
            """);

        Assert.Equal(ExitCode.TestsFailed, run.ExitCode);
        string[] lines =
            [.. run.Output.Split('\n').Select(line => line.Replace(_directory["streamem.yaml"], "S", StringComparison.Ordinal).Trim())];
        Assert.Equal(
            [
                "FAILED  wrong in every way",
                "S:8:5: counts: scored is 4; expected 5 within 0",
                "S:12:9: record 0: component is 0; expected 1 within 1E-09",
                "S:12:9: record 0: responsibilities is [1, 0]; expected [1, 0, 0]",
                "S:12:9: record 0: component_id is c0; expected c1",
                "S:13:9: record 1: there is no 'log_densty'; did you mean 'log_density'?",
                "S:14:9: record 2: rejected (not_a_number: field 'x' holds a text of 3 bytes, expected a number); expected to be scored",
                "S:15:9: record 3: scored; expected to be rejected",
                "S:16:9: record 4: log_density is -2.5310242469692907; expected a number above 0",
                "0 passed, 1 failed",
                "",
            ],
            lines.Where(line => !line.Contains("below -5", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Test_AFileOrAText_IsReadAsTheSourceReadsIt()
    {
        File.WriteAllText(_directory["more.csv"], "kind;x;y\na;1,5;2\nb;2,5;3\n");
        CommandRun run = await Test($$"""
              - name: text
                from: '{{_directory["theta.json"]}}'
                text: |
                  kind;x;y
                  a;0,5;0
                expect: [ { component: 0 } ]
              - name: file
                from: '{{_directory["theta.json"]}}'
                file: '{{_directory["more.csv"]}}'
                expect: [ { component: 0 }, { component: 0 } ]
            """, "missing: reject");

        Assert.Equal((0, "ok      text (1 record)\nok      file (2 records)\n2 passed, 0 failed\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Test_WithoutParameters_SaysWhatIsMissingAndTheOthersRun()
    {
        CommandRun run = await Test($$"""
              - { name: bare, records: [ { x: 1, y: 1 } ], expect: [ { component: 0 } ] }
              - { name: gone, learn: [nowhere.csv], records: [ { x: 1, y: 1 } ], expect: [ {} ] }
              - { name: good, from: '{{_directory["theta.json"]}}', records: [ { x: 1, y: 1 } ], expect: [ { component: 0 } ] }
            """);

        Assert.Equal(ExitCode.TestsFailed, run.ExitCode);
        Assert.Contains("record 0: not scored: there are no parameters yet", run.Output, StringComparison.Ordinal);
        Assert.Contains("nowhere.csv", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("ok      good (1 record)\n1 passed, 2 failed\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Test_FilesOfTestsAndNames_AreJoinedAndChosen()
    {
        File.WriteAllText(_directory["more.yaml"],
            $"tests: [ {{ name: other, from: '{_directory["theta.json"]}', records: [ {{ x: 1, y: 1 }} ], expect: [ {{ component: 1 }} ] "
                + $"}} ]\n");
        string first =
            $"  - {{ name: first, from: '{_directory["theta.json"]}', records: [ {{ x: 1, y: 1 }} ], expect: [ {{ component: 0 }} ] }}";

        CommandRun both = await Test(first, "", _directory["more.yaml"]);
        CommandRun one = await Test(first, "", _directory["more.yaml"], "--name", "FIR");
        CommandRun none = await Test(first, "", "--name", "nothing");

        Assert.EndsWith("1 passed, 1 failed\n", both.Output, StringComparison.Ordinal);
        Assert.EndsWith("1 passed, 0 failed\n", one.Output, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Usage, "No test has 'nothing' in its name; there are 'first'.\n"), (none.ExitCode, none.Error));
    }

    [Theory]
    [InlineData("{ records: [], expect: [] }", "missing key 'name' in tests.0")]
    [InlineData("{ name: a, records: [ x ], expect: [ {} ] }", "tests.0.records.0 is 'x'; expected a mapping of fields with their values")]
    [InlineData("{ name: a, expect: [ {} ] }", "a test has its records in one of records, text or file; found 0 of them")]
    [InlineData("{ name: a, text: x, file: y, expect: [ {} ] }", "found 2 of them")]
    [InlineData("{ name: a, text: x }", "the test expects nothing")]
    [InlineData("{ name: a, text: x, counts: { alarm: 1 } }", "unknown key 'alarm' in tests.0.counts; did you mean 'alarms'?")]
    [InlineData("{ name: a, model: cloud, text: x, counts: { alarms: 1 } }", "there is no model 'cloud'; did you mean 'clouds'?")]
    public async Task Test_Mistakes_AreErrorsOfTheConfiguration(string test, string message)
    {
        CommandRun run = await Test($"  - {test}");

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private Task<CommandRun> Test(string tests, string more = "", params string[] arguments)
    {
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            models:
              - id: clouds
                source: { file: { path: ['{{_directory["normal.csv"]}}'] } }
                features: [x, y]
                model: { type: gaussian_mixture, components: 2 }
            {{(more.Length == 0 ? "" : $"    {more}")}}
            tests:
            {{tests}}
            """);
        return CommandRun.Of(Verbs.CreateRoot(), ["test", "-c", _directory["streamem.yaml"], .. arguments]);
    }
}
