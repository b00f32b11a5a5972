using System.Diagnostics;
using System.Globalization;
using StreamEm.Lab;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string folder = Path.Combine(Environment.GetEnvironmentVariable("STREAMEM_CHECKOUT") ?? Environment.CurrentDirectory, Pages.Folder);
string[] unknown = [.. args.Where(name => Laboratory.Experiments.All(experiment => experiment.Name != name))];
if (unknown.Length > 0)
{
    Console.Error.WriteLine($"There is no experiment '{string.Join("', '", unknown)}'. There are:");
    foreach (Experiment experiment in Laboratory.Experiments) Console.Error.WriteLine($"  {experiment.Name,-24} {experiment.Title}");
    return 64;
}

Directory.CreateDirectory(folder);
int failed = 0;
foreach (Experiment experiment in Laboratory.Experiments.Where(one => args.Length == 0 || args.Contains(one.Name)))
{
    long begun = Stopwatch.GetTimestamp();
    Finding finding = experiment.Run();
    if (!finding.Holds) failed++;
    File.WriteAllText(Path.Combine(folder, $"{experiment.Name}.md"), Pages.Page(experiment, finding));
    File.WriteAllText(Path.Combine(folder, $"{experiment.Name}.svg"), finding.Figure);
    Console.WriteLine($"{(finding.Holds ? "ok  " : "FAIL")} {experiment.Name} ({Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} s)");
    Console.WriteLine($"     {finding.Sentence}");
}
File.WriteAllText(Path.Combine(folder, "README.md"), Pages.Index(Laboratory.Experiments));
Console.WriteLine(failed == 0 ? $"All sentences hold; pages are in {Pages.Folder}." : $"{failed} sentence(s) do not hold any more.");
return failed == 0 ? 0 : 1;
