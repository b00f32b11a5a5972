using System.Runtime.InteropServices;
using System.Text;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Benchmarks;

/// <summary>What is printed and written: the same lines.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();

    /// <summary>Prints and keeps a line.</summary>
    public void Line(string line = "")
    {
        Console.WriteLine(line);
        _text.AppendLine(line);
    }

    /// <summary>A heading and a table's head.</summary>
    public void Table(string title, string explanation, params string[] columns)
    {
        Line();
        Line($"## {title}");
        Line();
        Line(explanation);
        Line();
        Line("| " + string.Join(" | ", columns) + " |");
        Line("|" + string.Concat(columns.Select(_ => "---|")));
    }

    /// <summary>One row of a table.</summary>
    public void Row(params string[] cells) => Line("| " + string.Join(" | ", cells) + " |");

    /// <summary>Writes the lines to the results folder of the project, under the CPU's name.</summary>
    public string Save(bool quick)
    {
        string folder = Path.Combine(ProjectFolder(), "results");
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, CpuFileName() + (quick ? ".quick" : "") + ".md");
        File.WriteAllText(path, _text.ToString());
        return path;
    }

    /// <summary>Model name, family and model of the CPU, and the path the kernels take on it.</summary>
    public static string Cpu()
    {
        string Field(string name) =>
            File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':')[1].Trim()
                ?? "?";
        string cpu = File.Exists("/proc/cpuinfo")
            ? $"{Field("model name")} (family {Field("cpu family")}, model {Field("model\t")})"
            : RuntimeInformation.ProcessArchitecture.ToString();
        return $"{cpu}, {Environment.ProcessorCount} cores, kernels {Kernels.Path}, {RuntimeInformation.FrameworkDescription}";
    }

    /// <summary>1.23M, 45.6k.</summary>
    public static string Rate(double rate) => rate switch
    {
        0 => "-",
        >= 99.95e6 => $"{rate * 1e-6:F0}M",
        >= 1e6 => $"{rate * 1e-6:F2}M",
        >= 1e4 => $"{rate * 1e-3:F0}k",
        _ => $"{rate * 1e-3:F1}k",
    };

    /// <summary>ours / theirs, or a dash.</summary>
    public static string Ratio(double ours, double theirs) => theirs > 0 ? $"{ours / theirs:F1}" : "-";

    private static string CpuFileName()
    {
        string name = Cpu().Split(", ").First() + " " + Cpu().Split(", ")[1].TrimEnd(')') + " " + Kernels.Path;
        return string.Join('-',
            new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')])
                .Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Where the repository is.</summary>
    public static string RepositoryFolder() => Path.GetFullPath(Path.Combine(ProjectFolder(), "..", ".."));

    private static string ProjectFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "StreamEm.Benchmarks.csproj"))) return folder.FullName;
        return Directory.GetCurrentDirectory();
    }
}
