using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using StreamEm.Core.Data;

namespace StreamEm.Benchmarks;

/// <summary>
/// Other implementations of the same iteration, as processes on the same files. One that cannot be had is skipped with a line that says
/// why.
/// </summary>
internal sealed class Peers : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private readonly string _folder = Directory.CreateTempSubdirectory("streamem-bench-").FullName;
    private readonly string _scripts = Path.Combine(AppContext.BaseDirectory, "peers");

    /// <summary>Why a peer is missing, by its name.</summary>
    public SortedDictionary<string, string> Skipped { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether scikit-learn can be run.</summary>
    public bool HasSklearn { get; private set; }

    private readonly HashSet<string> _programs = [];

    /// <summary>Finds or installs what the peers need and compiles the C++ ones.</summary>
    public void SetUp(Action<string> say)
    {
        bool sklearn = Works(Python, "-c", "import sklearn, numpy");
        bool armadillo = File.Exists("/usr/include/armadillo"), opencv = File.Exists("/usr/include/opencv4/opencv2/ml.hpp");
        if (!(sklearn && armadillo && opencv)) Install(say);
        HasSklearn = Works(Python, "-c", "import sklearn, numpy");
        if (!HasSklearn) Skipped["scikit-learn"] = $"{Python} cannot import sklearn (Debian: python3-sklearn)";
        Compile("armadillo", "-fopenmp", "-DARMA_NO_DEBUG", "-larmadillo");
        Compile("opencv", "-I/usr/include/opencv4", "-lopencv_core", "-lopencv_ml");
        foreach ((string name, string reason) in Skipped) say($"skipped {name}: {reason}");
    }

    /// <summary>Writes the rows and parameters that every peer reads.</summary>
    public void Write(SyntheticMixture data, Minibatch rows)
    {
        WriteDoubles("x", rows.Values);
        WriteDoubles("w", data.Weights);
        WriteDoubles("m", data.Means);
        WriteDoubles("c", data.Covariances);

        void WriteDoubles(string name, ReadOnlySpan<double> values)
        {
            using FileStream file = File.Create(Path.Combine(_folder, $"{data.Dimension}_{data.Components}.{name}.bin"));
            file.Write(MemoryMarshal.AsBytes(values));
        }
    }

    /// <summary>scikit-learn's responsibilities, statistics and next parameters, as its script orders them.</summary>
    public double[] Reference(Shape shape, int rows, bool full)
    {
        string path = Path.Combine(_folder, $"{shape.Dimension}_{shape.Components}.{(full ? "full" : "diag")}.reference.bin");
        if (!File.Exists(path))
        {
            string[] arguments = [Path.Combine(_scripts, "sklearn_peer.py"), "check", _folder, Number(shape.Dimension),
                Number(shape.Components), Number(rows)];
            (int code, _, string errors) = Run(Python, 1, arguments);
            if (code != 0) throw new InvalidOperationException($"The scikit-learn reference failed: {errors}");
        }
        return MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(path)).ToArray();
    }

    /// <summary>Rates by "covariance measure", as in <c>full fit</c>; empty when the peer is missing.</summary>
    public Dictionary<string, double> Rates(string peer, Shape shape, int threads, int repetitions)
    {
        string[] problem = [_folder, Number(shape.Dimension), Number(shape.Components)];
        (int code, string output, string errors) result;
        if (peer == "scikit-learn")
        {
            if (!HasSklearn) return [];
            result = Run(Python, threads,
                [Path.Combine(_scripts, "sklearn_peer.py"), "time", .. problem, Number(shape.Rows), Number(repetitions)]);
        }
        else
        {
            if (!_programs.Contains(peer)) return [];
            result = Run(Program(peer), threads, [.. problem, Number(shape.SlowRows), Number(repetitions), Number(threads)]);
        }
        if (result.code != 0) throw new InvalidOperationException($"{peer} failed on {shape}: {result.errors}");
        return result.output.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["RESULT", ..])
            .ToDictionary(words => $"{words[1]} {words[2]}", words => double.Parse(words[3], CultureInfo.InvariantCulture),
                StringComparer.Ordinal);
    }

    /// <summary>
    /// What a script that makes its own data measures on one thread, by the name it gives; empty, and a line that says why, where it cannot
    /// run.
    /// </summary>
    /// <param name="name"><c>flexmix</c>, <c>kmeans</c>, <c>kmeans-jvm</c>, <c>hmm</c>, <c>ppca</c> or <c>lda</c>.</param>
    /// <param name="arguments">Its arguments, blanks between them.</param>
    public Dictionary<string, double> Script(string name, string arguments)
    {
        (string file, string needs, string[] works, string[] worksInFull) = name switch
        {
            "flexmix" => ("flexmix_peer.R", "r-base-core r-cran-flexmix", ["-e", "library(flexmix)"], ["-e", "library(flexmix)"]),
            "kmeans-jvm" => ("KMeansLoop.java", "default-jdk-headless", ["--describe-module", "jdk.compiler"],
                ["--describe-module", "jdk.compiler"]),
            "lda" => ("lda_peer.py", "python3-sklearn python3-numpy python3-gensim", Import("sklearn"), Import("sklearn, gensim")),
            _ => ($"{name}_peer.py", "python3-sklearn python3-numpy", Import("sklearn"), Import("sklearn")),
        };
        string program = name switch { "flexmix" => "Rscript", "kmeans-jvm" => "java", _ => Python };
        if (!Works(program, worksInFull)) InstallPackages(needs);
        if (!Works(program, works))
        {
            Skipped[name] = $"{program} or its library is missing (Debian: {needs})";
            Console.WriteLine($"- skipped {name}: {Skipped[name]}");
            return [];
        }

        (int code, string output, string errors) = Run(program, 1, [Path.Combine(_scripts, file), .. arguments.Split(' ')]);
        if (code != 0) throw new InvalidOperationException($"{name} failed: {errors}");
        return output.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["RESULT", ..])
            .ToDictionary(words => words[1], words => double.Parse(words[2], CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Import(string modules) => ["-c", $"import {modules}"];

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private string Program(string peer) => Path.Combine(_folder, peer);

    private void Install(Action<string> say)
    {
        say("installing peers with apt-get");
        foreach (string packages in (string[])["python3-sklearn python3-numpy", "g++ libarmadillo-dev", "g++ libopencv-dev"])
            InstallPackages(packages);
    }

    private static void InstallPackages(string packages)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/bin/apt-get")) return;
        Run("apt-get", 1, ["update", "-q"]);
        Run("apt-get", 1, ["install", "-y", "-q", "--no-install-recommends", .. packages.Split(' ')]);
    }

    private void Compile(string peer, params string[] flags)
    {
        string source = Path.Combine(_scripts, $"{peer}_peer.cpp");
        try
        {
            (int code, _, string errors) = Run("g++", 1, ["-O3", "-march=native", "-std=c++17", source, "-o", Program(peer), .. flags]);
            if (code == 0) _programs.Add(peer);
            else
                Skipped[peer] = "does not compile: " + errors.Split('\n')
                    .FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal));
        }
        catch (Win32Exception)
        {
            Skipped[peer] = "there is no g++";
        }
    }

    private static bool Works(string program, params string[] arguments)
    {
        try
        {
            return Run(program, 1, arguments).Code == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Output, string Errors) Run(string program, int threads, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = start.Environment["OPENBLAS_NUM_THREADS"] = Number(threads);
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        start.Environment["PYTHONWARNINGS"] = "ignore";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
