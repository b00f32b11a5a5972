using System.Globalization;
using StreamEm.Benchmarks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
double peak = FmaProbe.OneThread();
Console.WriteLine($"FMA peak {peak:F1} GFLOP/s");
foreach ((int d, int k) in new[] { (2, 3), (8, 8), (16, 16), (32, 16), (64, 32) })
{
    var phases = new Phases(d, k);
    double e = phases.Triangular(), s = phases.OuterProducts(), de = phases.Diagonal(), ds = phases.Squares(), n = phases.Normalize();
    Console.WriteLine($"({d},{k}) transpose {phases.Transpose():F2}  full E {e:F1} ns ({phases.FullFlops / e / peak:P0})  S {s:F1} ({phases.FullFlops / s / peak:P0})  diag E {de:F1} ({phases.DiagonalFlops / de / peak:P0}) S {ds:F1} ({phases.DiagonalFlops / ds / peak:P0})  lse {n:F2} = {n / k:F3} per (row, component)  masses {phases.Masses():F2}  probe {FmaProbe.OneThread():F1}");
}
