using System.Globalization;
using BenchmarkDotNet.Running;
using StreamEm.Benchmarks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--micro", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(MicroBenchmarks).Assembly).Run(args.Length > 1 ? args[1..] : ["--filter", "*"]);
    return 0;
}
if (args is not ([] or ["--quick"]))
{
    Console.Error.WriteLine("usage: StreamEm.Benchmarks [--quick | --micro [BenchmarkDotNet options]]");
    return 64;
}
var report = new Report();
using var peers = new Peers();
new SideBySide(report, peers, args.Length == 1).Run();
Console.WriteLine();
Console.WriteLine($"Written to {report.Save(args.Length == 1)}");
return 0;
