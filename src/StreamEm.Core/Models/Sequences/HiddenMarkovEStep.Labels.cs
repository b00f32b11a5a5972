using StreamEm.Core.Data;

namespace StreamEm.Core.Models.Sequences;

/// <summary>What labels say of a state.</summary>
internal sealed partial class HiddenMarkovEStep
{
    /// <summary>
    /// Multiplies p(x_t given z_t) by what the row's label says of every state; a label that leaves no state that can be is not used.
    /// </summary>
    /// <param name="batch">The rows.</param>
    /// <param name="row">The row.</param>
    /// <param name="predicted">p(z_t given the rows before) [K].</param>
    /// <param name="b">p(x_t given z_t) up to a factor [K]; changed.</param>
    private static void TakeLabel(Minibatch batch, int row, ReadOnlySpan<double> predicted, Span<double> b)
    {
        int label = batch.Label(row);
        if (label == Minibatch.Unlabelled) return;
        ReadOnlySpan<double> says = batch.Evidence(row);
        double left = 0;
        for (int k = 0; k < b.Length; k++)
            if (says.IsEmpty ? k == label : says[k] > 0) left += predicted[k] * b[k];
        if (!(left > 0)) return;
        for (int k = 0; k < b.Length; k++) b[k] = says.IsEmpty ? k == label ? b[k] : 0 : b[k] * says[k];
    }
}
