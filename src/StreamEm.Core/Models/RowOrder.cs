namespace StreamEm.Core.Models;

/// <summary>What a model asks of the order of its rows.</summary>
public enum RowOrder
{
    /// <summary>Nothing: rows are exchangeable.</summary>
    Any,

    /// <summary>
    /// The rows of a key are one endless sequence: a minibatch holds them together, in their order, and what is known of the key is carried
    /// from one minibatch to the next (<see cref="StreamMemory"/>).
    /// </summary>
    CarriedSequences,

    /// <summary>The rows of a sequence come together in one minibatch, from its first row to its last; nothing is carried.</summary>
    WholeSequences,
}
