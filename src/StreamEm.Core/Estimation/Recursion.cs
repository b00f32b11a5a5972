namespace StreamEm.Core.Estimation;

/// <summary>Which quantity the stepwise recursion interpolates.</summary>
public enum Recursion
{
    /// <summary>Theta(t) = (1 - gamma) Theta(t-1) + gamma argmax Q, Q from the current minibatch alone.</summary>
    Parameters,

    /// <summary>s(t) = (1 - gamma) s(t-1) + gamma s_bar(minibatch); Theta(t) = M(s(t)) (Cappé &amp; Moulines 2009, eq. 15).</summary>
    Statistics,
}
