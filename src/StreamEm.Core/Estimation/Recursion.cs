namespace StreamEm.Core.Estimation;

/// <summary>
/// In which coordinates of Theta the recursion Theta(t) = (1 - gamma) Theta(t-1) + gamma argmax Q interpolates, Q from the current
/// minibatch alone. In the expectation parameters of the complete-data family argmax Q is the minibatch's averaged statistics, so there it
/// is the recursion of the statistics, without a bias of small minibatches; in other coordinates the minibatch's own maximiser is averaged,
/// with the bias it has.
/// </summary>
public enum Recursion
{
    /// <summary>In the coordinates that are shown: weights, means, covariances ...; biased where a component has few rows of a
    /// minibatch.</summary>
    Parameters,

    /// <summary>
    /// In expectation parameters: s(t) = (1 - gamma) s(t-1) + gamma s_bar(minibatch); Theta(t) = M(s(t)) (Cappé &amp; Moulines 2009,
    /// eq. 15).
    /// </summary>
    Statistics,
}
