using System.Diagnostics;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Deployments.Shapes;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Deployments;

/// <summary>The services of a compose file, and what they read, fit together.</summary>
public sealed partial class ComposeTests
{
    private const string File = "deploy/compose.yaml", ScaleFile = "deploy/compose.scale.yaml",
        Scraped = "deploy/prometheus/prometheus.yaml",
        ScaleScraped = "deploy/prometheus/prometheus.scale.yaml", Folders = "deploy/grafana/provisioning/dashboards/streamem.yaml",
        Sources = "deploy/grafana/provisioning/datasources/prometheus.yaml";

    [Theory]
    [InlineData(File)]
    [InlineData(ScaleFile)]
    public void Services_FitTogether(string file) => Violations.None(Broken(new DeployedFiles(), file));

    [Theory]
    [InlineData(File, "kafka: { condition: service_healthy }", "broker: { condition: service_healthy }", "there is no service broker")]
    [InlineData(File, "kafka: { condition: service_healthy }", "grafana: { condition: service_healthy }",
        "grafana says nothing of its health")]
    [InlineData(File, "- state:/var", "- states:/var", "there is no volume states")]
    [InlineData(File, "  state:\n", "  state:\n  other:\n", "volume other is used by no service")]
    [InlineData(File, "./replay.sh:", "./play.sh:", "deploy/play.sh is not there")]
    [InlineData(File, "STREAMEM_TOKEN: ", "STREAMEM_TOKENS: ", "deploy/streamem.yaml reads ${STREAMEM_TOKEN}")]
    [InlineData(File, "}:8080\n", "}:8081\n", "the worker listens at 8080")]
    [InlineData(File, "deploy/Dockerfile", "deploy/Containerfile", "there is no deploy/Containerfile")]
    [InlineData(File, "alerts.yaml:ro", "rules.yaml:ro", "/etc/prometheus/alerts.yaml is not mounted")]
    [InlineData(File, "/var/lib/grafana/dashboards/streamem.json:ro", "/var/lib/grafana/streamem.json:ro", "/var/lib/grafana/dashboards")]
    [InlineData(Scraped, "worker:8080", "streamem:8080", "there is no service streamem")]
    [InlineData(Sources, "prometheus:9090", "metrics:9090", "there is no service metrics")]
    [InlineData(ScaleFile, "STREAMEM_TOKEN: ", "STREAMEM_TOKENS: ", "deploy/streamem.scale.yaml reads ${STREAMEM_TOKEN}")]
    [InlineData(ScaleFile, "streamem.scale.yaml:/etc", "scaled.yaml:/etc", "deploy/scaled.yaml is not there")]
    [InlineData(ScaleFile, "}:8080\n", "}:8081\n", "the worker listens at 8080")]
    [InlineData(ScaleFile, "kafka: { condition: service_healthy }", "broker: { condition: service_healthy }", "there is no service broker")]
    [InlineData(ScaleScraped, "names: [worker]", "names: [streamem]", "there is no service streamem")]
    public void Mistake_BetweenServices_IsFound(string file, string found, string instead, string said) =>
        Assert.Contains(
            Broken(new DeployedFiles().With(file, found, instead), file is ScaleFile or ScaleScraped ? ScaleFile : File),
            broken => broken.Contains(said, StringComparison.Ordinal));

    [Theory]
    [InlineData("docker", "compose")]
    [InlineData("docker-compose")]
    public async Task Files_PassDockersOwnCheck(string program, params string[] verb)
    {
        Assert.SkipUnless((await Run(program, [.. verb, "version"])).Code == 0,
            $"{program} {string.Join(' ', verb)} is not installed (Debian: apt-get install docker-compose).");
        foreach (string file in (string[])[File, ScaleFile])
        {
            (int code, string output) = await Run(program, [.. verb, "-f", Repository.PathOf(file), "config", "-q"]);
            Assert.True(code == 0, $"{file}: {output}");
        }
    }

    private static IEnumerable<string> Broken(DeployedFiles files, string file)
    {
        Compose compose = files.The<Compose>(file);
        return
        [
            .. Dependencies(compose), .. Volumes(compose),
            .. Worker(compose, file.Replace("compose", "streamem", StringComparison.Ordinal)),
            .. Monitoring(files, compose, file == File ? Scraped : ScaleScraped),
            .. compose.Services.ContainsKey("grafana") ? Dashboards(files, compose) : [],
        ];
    }

    private static IEnumerable<string> Dependencies(Compose compose)
    {
        foreach ((string name, ComposeDependency when) in compose.Services.Values.SelectMany(service => service.DependsOn?.Services ?? new
            Dictionary<string, ComposeDependency>()))
        {
            if (!compose.Services.TryGetValue(name, out ComposeService? needed)) yield return $"depends_on: there is no service {name}";
            else if (when.Condition == "service_healthy" && needed.Healthcheck is null)
                yield return $"depends_on: {name} says nothing of its health";
        }

        foreach ((string name, ComposeService service) in compose.Services)
        {
            if (service.Image is null && service.Build is null) yield return $"service {name} has no image";
            if (service.Build is { } build && !Path.Exists(Repository.PathOf(build.Dockerfile ?? "Dockerfile")))
                yield return $"there is no {build.Dockerfile}";
        }
    }

    private static IEnumerable<string> Volumes(Compose compose)
    {
        string[] named = [.. compose.Volumes?.Keys ?? []];
        string[] used = [.. compose.Services.Values.SelectMany(service => service.Volumes ?? []).Select(volume => volume.Split(':')[0])];
        foreach (string volume in used.Where(volume => char.IsLetter(volume[0])).Except(named)) yield return $"there is no volume {volume}";
        foreach (string volume in named.Except(used)) yield return $"volume {volume} is used by no service";
        string folder = Repository.PathOf("deploy");
        foreach (string path in used.Where(volume => volume[0] == '.').Select(volume => Path.GetFullPath(volume, folder)))
            if (!Path.Exists(path)) yield return $"{Path.GetRelativePath(Repository.Root, path)} is not there";
    }

    private static IEnumerable<string> Worker(Compose compose, string file)
    {
        ComposeService worker = compose.Services["worker"];
        string configuration = Repository.Read(file);
        foreach (Match variable in Variable().Matches(configuration))
            if (worker.Environment?.ContainsKey(variable.Groups["name"].Value) != true)
                yield return $"{file} reads ${{{variable.Groups["name"].Value}}}, which the worker is not given";
        string port = Port().Match(configuration).Groups["port"].Value;
        if (worker.Ports?.Any(published => published.EndsWith($":{port}", StringComparison.Ordinal)) != true)
            yield return $"the worker listens at {port}, which is not published";
        if (!Mounted(worker).Contains("/etc/streamem/streamem.yaml")) yield return "the worker's configuration is not mounted";
    }

    private static IEnumerable<string> Monitoring(DeployedFiles files, Compose compose, string scraped)
    {
        PrometheusConfiguration prometheus = files.The<PrometheusConfiguration>(scraped);
        IEnumerable<string> hosts = prometheus.ScrapeConfigs.SelectMany(job => job.StaticConfigs ?? []).SelectMany(set => set.Targets)
            .Select(target => target.Split(':')[0])
            .Concat(prometheus.ScrapeConfigs.SelectMany(job => job.DnsSdConfigs ?? []).SelectMany(names => names.Names));
        foreach (string host in hosts.Where(host => !compose.Services.ContainsKey(host))) yield return $"there is no service {host}";
        string[] read = [.. Mounted(compose.Services["prometheus"])];
        foreach (string rules in (prometheus.RuleFiles ?? []).Except(read)) yield return $"{rules} is not mounted";
    }

    private static IEnumerable<string> Dashboards(DeployedFiles files, Compose compose)
    {
        IEnumerable<string> hosts = files.The<GrafanaSources>(Sources).Datasources.Select(source => new Uri(source.Url!).Host);
        foreach (string host in hosts.Where(host => !compose.Services.ContainsKey(host))) yield return $"there is no service {host}";
        string[] shown = [.. Mounted(compose.Services["grafana"])];
        foreach (string folder in files.The<GrafanaProviders>(Folders).Providers.Select(provider => provider.Options.Path))
            if (!shown.Any(path => path.StartsWith($"{folder}/", StringComparison.Ordinal))) yield return $"nothing is mounted in {folder}";
        string? home = compose.Services["grafana"].Environment?["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
        if (!shown.Contains(home)) yield return $"{home} is not mounted";
    }

    private static IEnumerable<string> Mounted(ComposeService service) => (service.Volumes ?? []).Select(volume => volume.Split(':')[1]);

    private static async Task<(int Code, string Output)> Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments)
            { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, await output + await errors);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (-1, missing.Message);
        }
    }

    [GeneratedRegex("\\$\\{(?<name>[A-Z_]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Variable();

    [GeneratedRegex("address: \"[0-9.]+:(?<port>[0-9]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Port();
}
