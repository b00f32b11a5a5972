namespace StreamEm.Tests.Shared;

/// <summary>Says of which entry of a catalogue a test class holds the contract. The house rules ask one for every entry.</summary>
/// <param name="entry">The name of a model, as a configuration says it; the class of a source or of a publisher.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ContractOfAttribute(string entry) : Attribute
{
    public string Entry { get; } = entry;
}
