using System.Globalization;

namespace StreamEm.Sources.Tests.Files;

/// <summary>
/// Random histories of a followed log and its rotated files - written to, rotated, compressed, copied and truncated, replaced, read, kept,
/// stopped and killed - against what should have been learned: every record once.
/// </summary>
public sealed class FileHistoryTests
{
    private const int Steps = 60, PollsToSettle = 80;

    /// <summary>1 to 60, or those of STREAMEM_HISTORY_SEEDS: <c>2000-2299</c>.</summary>
    public static TheoryData<int> Seeds
    {
        get
        {
            int[] ends = [.. (Environment.GetEnvironmentVariable("STREAMEM_HISTORY_SEEDS") ?? "1-60").Split('-').Select(int.Parse)];
            return [.. Enumerable.Range(ends[0], ends[^1] - ends[0] + 1)];
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task EveryRecord_IsLearnedOnce(int seed)
    {
        await using var history = new History(seed);
        await history.RunAsync(Steps);
        Assert.True(history.IsAsItShouldBe, history.Describe());
    }

    private sealed class History(int seed) : IAsyncDisposable
    {
        private readonly Random _random = new(seed);
        private readonly FollowedFolder _folder = new(capacity: 3);
        private readonly List<string> _steps = [];
        private readonly string _header = seed % 3 == 0 ? "x,a\n" : "a\n";
        private readonly int _longRows = seed % 4 == 0 ? 3000 : 0;
        private readonly bool _compressesElsewhere = seed % 5 == 3;
        private SourcePosition _kept = new();
        private double[] _keptLearned = [];
        private int _written, _files;
        private bool _isPartial;

        public bool IsAsItShouldBe => _folder.Rejected == 0
            && _folder.Learned.Order().SequenceEqual(Enumerable.Range(1, _written).Select(value => (double)value));

        public string Describe()
        {
            var found = _folder.Learned.GroupBy(value => value).ToDictionary(group => group.Key, group => group.Count());
            string lost = string.Join(' ', Enumerable.Range(1, _written).Where(value => !found.ContainsKey(value)));
            string twice = string.Join(' ', found.Where(pair => pair.Value > 1).Select(pair => pair.Key));
            return $"seed {seed}: lost {lost}; twice {twice}; rejected {_folder.Rejected}; {string.Join("\n  ", _steps)}";
        }

        public async Task RunAsync(int steps)
        {
            Begin();
            _folder.Open("log*");
            for (int step = 0; step < steps; step++) await StepAsync();
            if (_isPartial) Complete();
            await SettleAsync();
        }

        public ValueTask DisposeAsync() => _folder.DisposeAsync();

        private async Task StepAsync()
        {
            int dice = _random.Next(100);
            string step = dice switch
            {
                < 34 => Append(),
                < 44 => Rotate(),
                < 52 => await CompressAsync(),
                < 58 => CopyAndTruncate(),
                < 61 => await ReplaceAsync(),
                < 64 => await TruncateAsync(),
                < 80 => await ReadAsync(_random.Next(1, 5)),
                < 86 => await SettleAsync(),
                < 92 => Keep(),
                < 96 => await StopAsync(),
                _ => await KillAsync(),
            };
            _steps.Add($"{step} {_folder.TakeTrace()}");
        }

        private string Append()
        {
            if (_isPartial) Complete();
            int rows = _random.Next(1, 12);
            string text = string.Concat(Enumerable.Range(0, rows).Select(_ => Row(++_written) + "\n"));
            if (_random.Next(6) == 0)
            {
                text += Row(++_written);
                _isPartial = true;
            }
            _folder.Append("log", text);
            return $"append to {_written}{(_isPartial ? " in part" : "")}";
        }

        private string Rotate()
        {
            bool isPartial = _isPartial;
            Shift();
            _folder.Move("log", "log.1");
            _isPartial = false;
            // Its writer ends its line, and perhaps another, in the file it has open.
            if (isPartial) _folder.Append("log.1", "\n");
            if (_random.Next(2) == 0) _folder.Append("log.1", Row(++_written) + "\n");
            Begin();
            return "rotate";
        }

        private async Task<string> CompressAsync()
        {
            int[] plain = [.. Enumerable.Range(1, _files).Where(number => File.Exists(_folder.File($"log.{number}")))];
            if (plain.Length == 0) return "nothing";
            string name = $"log.{plain[_random.Next(plain.Length)]}";
            string ending = _random.Next(2) == 0 ? ".gz" : ".zst";
            if (!_compressesElsewhere)
            {
                _folder.Compress(name, name + ending);
                return $"compress {name}";
            }
            _folder.Move(name, "elsewhere");
            await SettleAsync();
            _folder.Compress("elsewhere", name + ending);
            return $"compress {name} elsewhere";
        }

        private string CopyAndTruncate()
        {
            if (_isPartial) Complete();
            Shift();
            _folder.Copy("log", "log.1");
            Begin();
            return "copy and truncate";
        }

        /// <summary>
        /// A longer file takes the place of the log, as programs do that write beside and rename. What was there has been read: a log that
        /// is replaced and truncated before anybody looked is a limit that docs/files.md names.
        /// </summary>
        private async Task<string> ReplaceAsync()
        {
            if (_isPartial) Complete();
            await SettleAsync();
            _folder.Copy("log", "beside");
            _folder.Append("beside", Row(++_written) + "\n");
            _folder.Move("beside", "log");
            return "replace";
        }

        /// <summary>What was not read before a truncation without a copy is lost by whoever truncated.</summary>
        private async Task<string> TruncateAsync()
        {
            if (_isPartial) Complete();
            await SettleAsync();
            Keep();
            Begin();
            return "truncate";
        }

        private async Task<string> ReadAsync(int batches)
        {
            for (int batch = 0; batch < batches && await _folder.ReadBatchAsync(); batch++)
            {
            }
            _folder.Elapse();
            return $"read {batches}";
        }

        private async Task<string> SettleAsync()
        {
            await _folder.ReadAsync(polls: PollsToSettle);
            return "settle";
        }

        private string Keep()
        {
            _kept = _folder.Position.Copy();
            _keptLearned = [.. _folder.Learned];
            return "keep";
        }

        private async Task<string> StopAsync()
        {
            await _folder.CloseAsync();
            Keep();
            _folder.Open("log*");
            return "stop and start";
        }

        private async Task<string> KillAsync()
        {
            await _folder.CloseAsync();
            _folder.Position = _kept.Copy();
            _folder.Learned.Clear();
            _folder.Learned.AddRange(_keptLearned);
            _folder.Open("log*");
            return "kill and start";
        }

        private void Begin() => File.WriteAllText(_folder.File("log"), _header);

        private void Complete()
        {
            _folder.Append("log", "\n");
            _isPartial = false;
        }

        private void Shift()
        {
            for (int number = _files++; number >= 1; number--)
                foreach (string ending in (string[])["", ".gz", ".zst"])
                    if (File.Exists(_folder.File($"log.{number}{ending}")))
                        _folder.Move($"log.{number}{ending}", $"log.{number + 1}{ending}");
        }

        private string Row(int value) => (_header.Length > 2 ? new string('7', _longRows) + "," : "")
            + value.ToString(CultureInfo.InvariantCulture);
    }
}
