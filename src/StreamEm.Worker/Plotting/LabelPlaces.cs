namespace StreamEm.Worker.Plotting;

/// <summary>Keeps the labels of one picture apart: one that would lie over another is moved up or down until it does not.</summary>
internal sealed class LabelPlaces
{
    private const int MostSteps = 12;

    private readonly List<(double Left, double Right, double Y)> _taken = [];

    /// <summary>Takes a place for a text, as near as can be to where it belongs; there, when all is full.</summary>
    /// <param name="left">Where the text begins.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="text">The text.</param>
    /// <param name="size">Its size.</param>
    /// <returns>Its base line.</returns>
    public double Place(double left, double y, string text, double size)
    {
        double right = left + SvgCanvas.WidthOf(text, size), place = y;
        for (int step = 1; step <= 2 * MostSteps && IsTaken(left, right, place, size); step++)
            place = y + (step % 2 == 1 ? 1 : -1) * ((step + 1) / 2) * size;
        if (IsTaken(left, right, place, size)) place = y;
        _taken.Add((left, right, place));
        return place;
    }

    private bool IsTaken(double left, double right, double y, double size) =>
        _taken.Exists(other => left < other.Right && right > other.Left && Math.Abs(y - other.Y) < size);
}
