using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>A family in a hidden Markov model.</summary>
public abstract class HiddenMarkovOf<TFamily> : EmissionContract<TFamily>
    where TFamily : Family, new()
{
    protected override LatentModelOptions Options(int components, int dimension) =>
        Hosts.HiddenMarkov(components, EmissionParts.Of(Tested.Options));

    protected override RecordSchema Schema(int dimension) => base.Schema(dimension) with { Key = "device" };

    protected override ComponentModel Host(Emission emission) => new HiddenMarkov("hidden_markov", emission, Prior.None);

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        Sequences.Of(base.Rows(dimension, count, seed, missing), seed);

    protected override Minibatch Records(Minibatch rows) => Sequences.Interleaved(base.Records(rows));

    /// <summary>A row that says nothing of its values is still a step of the chain.</summary>
    protected override IEnumerable<VectorBlock> StatisticsOfRows(LatentModel model) =>
        base.StatisticsOfRows(model).Where(block => block.Name is not ("initial" or "transitions"));
}
