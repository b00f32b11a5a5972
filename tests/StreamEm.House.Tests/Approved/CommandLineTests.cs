using System.Text;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Commands;

namespace StreamEm.House.Tests.Approved;

/// <summary>What the executable prints: the help of every verb, the lists, and what it says when something is wrong.</summary>
public sealed class CommandLineTests
{
    private const string Boiler = "Fixtures/boiler.json";

    private static readonly string[] WrongCalls =
    [
        "",
        "lern",
        "fit --batsh data.csv",
        "score boiler.json",
        "models --log.level loud",
        "validate -c wrong.yaml",
        "validate -c right.yaml -s models.boiler.model.componets=3",
        "run --once -c right.yaml --log.level none",
        "fit data.csv -c right.yaml -s models.boiler.features=[temperature,humidity]",
        "fit nothing.csv -c right.yaml",
        "score nothing.json data.csv",
        "score data.csv data.csv",
        "score cut.json data.csv",
        "score boiler.json nothing.csv",
        "score boiler.json other.csv",
        "inspect wrong.yaml",
        "inspect cut.sem",
        "inspect kafka://localhost",
        "plot boiler.json data.csv",
        "plot boiler.json nothing.csv -o picture.svg",
        "healthcheck --url http://127.0.0.1:1/readyz",
    ];

    [Fact]
    public async Task Help_OfEveryVerb_IsTheApprovedOne()
    {
        IEnumerable<string> verbs = Verbs.CreateRoot().Subcommands.Select(command => command.Name);
        Approval.Verify("help", await Transcript([.. verbs.Select(verb => $"{verb} --help").Prepend("--help")]));
    }

    [Fact]
    public async Task Models_IsTheApprovedList() => Approval.Verify("models", await Transcript("models", "models --json"));

    [Fact]
    public async Task Inspect_OfASnapshot_IsTheApprovedTable() => Approval.Verify("inspect", await Transcript("inspect boiler.json"));

    [Fact]
    public async Task Errors_AreTheApprovedMessages() => Approval.Verify("errors", await Transcript(WrongCalls));

    /// <summary>The calls, what each printed and, when it was not 0, its exit code.</summary>
    private static async Task<string> Transcript(params string[] calls)
    {
        using var folder = new TemporaryFolder();
        string snapshot = Repository.Read($"tests/StreamEm.House.Tests/{Boiler}");
        folder.Write("boiler.json", snapshot);
        folder.Write("cut.json", snapshot[..(snapshot.Length / 2)]);
        folder.Write("cut.sem", "SEMB and no more");
        folder.Write("data.csv", "temperature,pressure\n71.5,1.25\n20,\n19.75,0.98\nwarm,1\n");
        folder.Write("other.csv", "humidity\n0.5\n");
        folder.Write("right.yaml", Configuration("temperature, pressure", "model: { type: gaussian_mixture, components: 2 }"));
        folder.Write("wrong.yaml",
            Configuration("temperature, temperature", "model: { type: gaussian_mixtur, components: two }\n    lerning: {}"));
        var text = new StringBuilder();
        foreach (string call in calls)
        {
            (int code, string output, string error) =
                await Executable.RunAsync(folder.Path, [.. call.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
            text.Append("$ streamem ").Append(call).Append('\n').Append(output).Append(error);
            if (code != 0) text.Append("[exit code ").Append(code).Append("]\n");
            text.Append('\n');
        }

        return text.Replace(folder.Path, "FOLDER").ToString();
    }

    private static string Configuration(string features, string model) => $$"""
        http: { address: "127.0.0.1:0" }
        models:
          - id: boiler
            source: { file: { path: [nothing/*.csv] } }
            features: [{{features}}]
            {{model}}
        """;
}
