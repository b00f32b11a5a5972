namespace StreamEm.Core.Models.Regression;

/// <summary>Models whose latent variables are of the whole stream, not of a record.</summary>
internal static class GlobalLatents
{
    /// <summary>Why the parameter recursion is wrong for them.</summary>
    /// <param name="latents">What is latent, plural.</param>
    public static string ProblemOf(string latents) =>
        $"its {latents} are latent for the whole stream, and what maximises a minibatch's own Q counts the prior once per minibatch, so "
            + "that it never washes out; the statistics recursion keeps the moments of the data instead";
}
