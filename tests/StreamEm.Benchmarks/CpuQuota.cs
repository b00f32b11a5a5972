using System.Diagnostics;
using System.Globalization;

namespace StreamEm.Benchmarks;

/// <summary>
/// A share of one core that a process gets and no more: a control group of its own, of version 2 (cpu.max) or 1 (cpu.cfs_quota_us). Needs
/// root, or a group handed over.
/// </summary>
internal sealed class CpuQuota : IDisposable
{
    /// <summary>Short beside a minibatch, and long beside a slice of the scheduler.</summary>
    private const int PeriodMicroseconds = 50_000;
    private const string Root = "/sys/fs/cgroup";

    private readonly string _folder;
    private readonly bool _isUnified;

    private CpuQuota(string folder, bool isUnified) => (_folder, _isUnified) = (folder, isUnified);

    /// <summary>A group without a limit; null where there can be none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="problem">Why there is none.</param>
    public static CpuQuota? TryCreate(string name, out string? problem)
    {
        bool isUnified = File.Exists($"{Root}/cgroup.controllers");
        string parent = isUnified ? Root : $"{Root}/cpu", folder = Path.Combine(parent, $"streamem-bench-{Environment.ProcessId}-{name}");
        problem = null;
        try
        {
            if (isUnified) File.WriteAllText($"{Root}/cgroup.subtree_control", "+cpu");
            if (!Directory.Exists(parent)) throw new DirectoryNotFoundException($"{parent} is not there.");
            Directory.CreateDirectory(folder);
            var quota = new CpuQuota(folder, isUnified);
            quota.Limit(share: null);
            // Before what else runs on the machine: what it may have, it gets.
            quota.Write(isUnified ? "cpu.weight" : "cpu.shares", isUnified ? "10000" : "262144");
            return quota;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            problem = $"there are no CPU quotas for this user: {failure.Message}";
            return null;
        }
    }

    /// <summary>What makes it, for a reader.</summary>
    public string Means => _isUnified ? "cpu.max of a control group" : "cpu.cfs_quota_us of a control group";

    /// <summary>Puts a process and all its threads under it.</summary>
    public void Take(Process process) => Write("cgroup.procs", process.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>A share of one core; null for all there is.</summary>
    public void Limit(double? share)
    {
        string quota = share is { } part
            ? ((int)(part * PeriodMicroseconds)).ToString(CultureInfo.InvariantCulture) : _isUnified ? "max" : "-1";
        if (_isUnified)
        {
            Write("cpu.max", $"{quota} {PeriodMicroseconds}");
            return;
        }

        Write("cpu.cfs_period_us", PeriodMicroseconds.ToString(CultureInfo.InvariantCulture));
        Write("cpu.cfs_quota_us", quota);
    }

    /// <summary>Takes the group away, whose processes have ended.</summary>
    public void Dispose()
    {
        try
        {
            Directory.Delete(_folder);
        }
        catch (IOException)
        {
            // Somebody is still in it: it stays, without harm.
        }
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text);
}
