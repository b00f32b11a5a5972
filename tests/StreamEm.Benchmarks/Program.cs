using System.Globalization;
using StreamEm.Benchmarks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--micro", ..])
{
    MicroRun.Switch(args[1..]);
    return 0;
}
if (args is ["anomaly", ..]) return new AnomalyDetection(new Report()).Run(args[1..]);
if (args is ["discoveries"]) return new FalseDiscoveries(new Report()).Run();
if (args is ["load", var executable, .. var load])
{
    double rate = load.Length > 0 ? double.Parse(load[0], CultureInfo.InvariantCulture) : 500;
    double seconds = load.Length > 1 ? double.Parse(load[1], CultureInfo.InvariantCulture) : 20;
    return await new Load(executable, (int)rate, seconds).RunAsync();
}
bool quick = args.Contains("--quick");
string[] rest = [.. args.Where(arg => arg != "--quick")];
string? only = rest is ["--only", var name] && SideBySide.Parts.Contains(name) ? name : null;
if (rest.Length > 0 && only is null)
{
    Console.Error
        .WriteLine(
            $"usage: StreamEm.Benchmarks [--quick] [--only {string.Join('|', SideBySide.Parts)}] | anomaly NAB [--tables FOLDER] "
                + "| discoveries | load EXECUTABLE [REQUESTS-A-SECOND [SECONDS]] | --micro [BenchmarkDotNet options]");
    return 64;
}
var report = new Report();
using var peers = new Peers();
new SideBySide(report, peers, quick, only).Run();
if (only is not null) return 0;
Console.WriteLine();
Console.WriteLine($"Written to {report.Save(quick)}");
return 0;
