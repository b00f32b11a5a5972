namespace StreamEm.Worker.Plotting;

/// <summary>The colours of the pictures.</summary>
internal static class Palette
{
    /// <summary>What is neither a component nor a level of its own.</summary>
    public const string Other = "#d0d0d0";

    /// <summary>Ten colours that stay apart for most colour-blind readers (Tableau 10).</summary>
    private static readonly string[] Components =
        ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#9c755f", "#ff9da7", "#7f7f7f"];

    /// <summary>Light colours on which dark text can be read (ColorBrewer Set2).</summary>
    private static readonly string[] Lights = ["#8da0cb", "#fc8d62", "#66c2a5", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494"];

    /// <summary>How many levels have a colour of their own.</summary>
    public static int Levels => Lights.Length;

    /// <summary>The colour of a component.</summary>
    public static string Component(int k) => Components[k % Components.Length];

    /// <summary>The colour of a level.</summary>
    /// <param name="rank">Its place, 0 .. <see cref="Levels"/> - 1.</param>
    public static string Level(int rank) => Lights[rank];

    /// <summary>White for 0, the first component's colour for 1.</summary>
    public static string Shade(double part) => Mix(part, 0x4e, 0x79, 0xa7);

    /// <summary>The same of values below 0: white for 0, a dark orange for 1.</summary>
    public static string ShadeBelow(double part) => Mix(part, 0xc0, 0x64, 0x12);

    private static string Mix(double part, int red, int green, int blue)
    {
        int Of(int full) => (int)Math.Round(255 + Math.Clamp(part, 0, 1) * (full - 255));
        return $"#{Of(red):x2}{Of(green):x2}{Of(blue):x2}";
    }
}
