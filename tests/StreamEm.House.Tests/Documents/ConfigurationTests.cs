using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>
/// The configurations of the documents and the samples pass <c>streamem validate</c>; a part of one, put where it belongs, too.
/// </summary>
public sealed partial class ConfigurationTests
{
    /// <summary>A model of which each key may be replaced by a document's.</summary>
    private static readonly (string Key, string Text)[] Model =
    [
        ("source", "source: { stdin: {} }"),
        ("features", "features: [temperature, pressure]"),
        ("model", "model: { type: gaussian_mixture }"),
    ];

    public static TheoryData<string, string> Snippets
    {
        get
        {
            var snippets = new TheoryData<string, string>();
            foreach (string file in Markdown.Files)
                foreach (Snippet block in Markdown.Snippets(file).Where(block => block.Language is "yaml" or "yml"))
                    snippets.Add(block.ToString(), block.Text);
            return snippets;
        }
    }

    public static TheoryData<string> Samples => [.. Repository.Files("samples", "*.yaml"), "deploy/streamem.yaml"];

    [Theory]
    [MemberData(nameof(Snippets))]
    public async Task Snippet_OfADocument_IsValid(string place, string yaml) => Violations.None(await ErrorsOf(place, Whole(yaml)));

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Sample_IsValid(string file) => Violations.None(await ErrorsOf(file, Repository.Read(file)));

    /// <summary>The configuration a part of one belongs to.</summary>
    private static string Whole(string part)
    {
        string[] keys = [.. part.Split('\n').Select(line => TopKey().Match(line)).Where(match => match.Success)
            .Select(match => match.Groups["key"].Value)];
        if (keys.Contains("models", StringComparer.Ordinal)) return part;
        if (keys is ["properties"])
            return Whole($"source:\n  kafka:\n    brokers: [localhost:9092]\n    topics: [sensors]\n{Indented(part, 4)}");
        IEnumerable<string> rest = Model.Where(entry => !keys.Contains(entry.Key, StringComparer.Ordinal)).Select(entry => entry.Text);
        return $"models:\n  - id: boiler\n{Indented(string.Join('\n', rest.Append(part)), 4)}";
    }

    private static string Indented(string text, int by) => string.Join('\n', text.Split('\n').Select(line => new string(' ', by) + line));

    /// <summary>Errors that <c>validate</c> finds; files of secrets and certificates the text names are there.</summary>
    private static async Task<IEnumerable<string>> ErrorsOf(string place, string yaml)
    {
        using var folder = new TemporaryFolder();
        folder.Write("secret", "x\n");
        folder.Write("ca.pem", Certificate());
        string here = SystemFile()
            .Replace(yaml,
                match => Path.Combine(folder.Path, match.Value.EndsWith(".pem", StringComparison.Ordinal) ? "ca.pem" : "secret"));
        folder.Write("streamem.yaml", here);
        (int code, string output, string error) = await Executable.RunAsync(folder.Path, "validate");
        return code == 0 ? [] : [$"{place}: {output}{error}"];
    }

    private static string Certificate()
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem();
    }

    [GeneratedRegex("^(?<key>[a-z_]+):", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TopKey();

    [GeneratedRegex("/(etc|run)/[\\w./-]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SystemFile();
}
