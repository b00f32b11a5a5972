namespace StreamEm.Core.Models;

/// <summary>Whether a component has enough evidence for its maximiser to mean something.</summary>
internal static class ComponentEvidence
{
    /// <summary>
    /// One observation: a component with less keeps its parameters, where the maximiser would be a point (a mean with no spread; stepwise
    /// EM in parameter space skips it until it has some).
    /// </summary>
    public const double OneRow = 1;

    /// <summary>
    /// Any evidence at all, beyond rounding: enough where a fraction of a row has a maximiser that can be interpolated towards (a rate, a
    /// probability).
    /// </summary>
    public const double Some = 1e-8;

    /// <summary>Whether component k has the evidence needed; reports when not.</summary>
    /// <param name="mass">N_k.</param>
    /// <param name="effectiveRows">Observations the averages stand for.</param>
    /// <param name="component">k.</param>
    /// <param name="events">Told when there is too little.</param>
    /// <param name="needed">Evidence in rows.</param>
    public static bool IsEnough(double mass, double effectiveRows, int component, ModelEvents events, double needed = OneRow)
    {
        double evidence = mass * effectiveRows;
        if (evidence >= needed) return true;
        events.Add(ModelEventKind.NoEvidence, component, evidence);
        return false;
    }
}
