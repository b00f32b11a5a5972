using System.Text.Json;

namespace StreamEm.Worker.Tests.Support;

/// <summary>
/// Three sensors in one stream, two features each: one is well, one drifts by 20 deviations, one breaks after 60 % of the stream and stays
/// broken; and what is asked of the scores of their readings.
/// </summary>
internal static class ThreeSensors
{
    public const int Readings = 15_000, Broken = 9_000;

    /// <summary>Readings from which on the scale is found, and all are looked at.</summary>
    private const int Begun = 2000;

    /// <summary>The readings, the sensors in turn.</summary>
    public static IReadOnlyList<double[]?> Draw(int seed)
    {
        Random random = new(seed);
        var rows = new double[]?[Readings];
        for (int row = 0; row < Readings; row++)
        {
            double x = Normal(random), y = Normal(random);
            rows[row] = (row % 3) switch
            {
                0 => [20 + x, 100 + 3 * y],
                1 => [40 + 20.0 * row / Readings + x, 120 + 3 * (0.5 * x + y)],
                _ => row < Broken ? [30 + x, 80 + 3 * y] : [0.1 * x, 10 + 0.3 * y],
            };
        }

        return rows;
    }

    /// <summary>
    /// 95 % of the broken readings are in alarm, also of the last ones, the first of them within ten; of the others not more than .5 %.
    /// </summary>
    /// <param name="lines">A line of scores for every reading after the first ones.</param>
    public static void AssertReported(IEnumerable<string> lines)
    {
        var alarms = new bool?[Readings];
        foreach (string line in lines)
        {
            JsonElement score = JsonDocument.Parse(line).RootElement;
            int record = score.GetProperty("record").GetInt32();
            Assert.Null(alarms[record]);
            JsonElement p = score.GetProperty("p_value");
            alarms[record] = p.ValueKind == JsonValueKind.Number && p.GetDouble() < 0.001;
        }

        Assert.DoesNotContain(null, alarms[Begun..]);
        bool[] broken = [.. alarms.Where((_, row) => row >= Broken && row % 3 == 2).Select(alarm => alarm == true)];
        Assert.True(Share(broken) >= 0.95, $"{Share(broken):P1} of the broken readings");
        Assert.True(Share(broken[^200..]) >= 0.95, $"{Share(broken[^200..]):P1} of the last broken readings");
        Assert.Contains(true, broken[..10]);
        for (int sensor = 0; sensor < 3; sensor++)
        {
            int end = sensor == 2 ? Broken : Readings;
            bool[] well = [.. alarms.Where((_, row) => row >= Begun && row < end && row % 3 == sensor).Select(alarm => alarm == true)];
            Assert.True(Share(well) <= 0.005, $"{Share(well):P2} of sensor {sensor} while it is well");
        }
    }

    private static double Share(bool[] alarms) => alarms.Count(alarm => alarm) / (double)alarms.Length;

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
