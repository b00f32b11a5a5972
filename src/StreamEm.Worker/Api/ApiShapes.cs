using System.Text.Json.Serialization;

namespace StreamEm.Worker.Api;

/// <summary>
/// Bodies and answers whose JSON is read and written by hand, as the API's document describes them; a test holds what is answered against
/// them. More members may come with the model's type.
/// </summary>
internal static class ApiShapes
{
    /// <summary>A version of a model: all that is needed to score records. docs/formats.md has every member.</summary>
    /// <param name="Format">streamem.snapshot.</param>
    /// <param name="FormatVersion">1.1; within 1 only members are added.</param>
    /// <param name="Model">Which model it is of.</param>
    /// <param name="Version">Strictly increasing within a run.</param>
    /// <param name="CreatedAt">When it was made.</param>
    /// <param name="Signature">What goes in and comes out.</param>
    /// <param name="Parameters">The blocks of parameters by name, in the units of the records.</param>
    /// <param name="AveragedParameters">The same, averaged over the last half of the stream.</param>
    /// <param name="ComponentIds">One stable id per component.</param>
    /// <param name="Labels">The label each component was named after, null where none.</param>
    /// <param name="Standardization">What features are taken off and divided by inside.</param>
    /// <param name="Training">How it was learned.</param>
    /// <param name="Source">The next record of every partition.</param>
    internal sealed record Snapshot(
        string Format, string FormatVersion, SnapshotModel Model, long Version, DateTimeOffset CreatedAt, SnapshotSignature Signature,
        IReadOnlyDictionary<string, SnapshotBlock> Parameters, IReadOnlyDictionary<string, SnapshotBlock>? AveragedParameters,
        IReadOnlyList<string> ComponentIds, IReadOnlyList<object?>? Labels, SnapshotStandardization Standardization,
        SnapshotTraining Training, IReadOnlyDictionary<string, long> Source);

    /// <summary>Which model a version is of.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Type">Its type in the catalogue.</param>
    /// <param name="Options">Every option of the type, as texts.</param>
    /// <param name="RunId">Identity of the run.</param>
    /// <param name="ConfigHash">Of the model's part of the configuration.</param>
    internal sealed record SnapshotModel(
        string Id, string Type, IReadOnlyDictionary<string, string> Options, string RunId, string ConfigHash);

    /// <summary>What goes in and comes out.</summary>
    /// <param name="Features">The features, in order.</param>
    /// <param name="Outputs">What scoring says of a record.</param>
    internal sealed record SnapshotSignature(IReadOnlyList<string> Features, IReadOnlyList<string> Outputs);

    /// <summary>A block of parameters.</summary>
    /// <param name="Shape">Its extents, outermost first.</param>
    /// <param name="Data">Its numbers, row by row.</param>
    internal sealed record SnapshotBlock(IReadOnlyList<int> Shape, IReadOnlyList<double> Data);

    /// <summary>What features are taken off and divided by inside.</summary>
    /// <param name="Location">What is taken off.</param>
    /// <param name="Scale">What they are divided by.</param>
    internal sealed record SnapshotStandardization(IReadOnlyList<double> Location, IReadOnlyList<double> Scale);

    /// <summary>How a version was learned.</summary>
    /// <param name="Recursion">statistics or parameters.</param>
    /// <param name="StepSize">The last step size.</param>
    /// <param name="Updates">Updates so far.</param>
    /// <param name="Records">Records learned from.</param>
    /// <param name="EffectiveRecords">How many records the parameters' precision is worth.</param>
    /// <param name="MeanLogLikelihood">Of the last minibatch before its update, nats per record.</param>
    /// <param name="Status">ok or degenerate.</param>
    /// <param name="Warnings">What a person should know.</param>
    internal sealed record SnapshotTraining(
        string Recursion, double StepSize, long Updates, long Records, double? EffectiveRecords, double? MeanLogLikelihood, string Status,
        IReadOnlyList<string> Warnings);

    /// <summary>Scores of several records.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="RunId">Its run.</param>
    /// <param name="Version">The version that they are from.</param>
    /// <param name="Records">One for each record, in order.</param>
    internal sealed record ScoreAnswer(string Model, string RunId, long Version, IReadOnlyList<Score> Records);

    /// <summary>What a model says of a record: docs/scores.md. One that cannot be used has an error instead.</summary>
    /// <param name="Record">Its number, from 0.</param>
    /// <param name="Key">Its key.</param>
    /// <param name="Timestamp">Its time.</param>
    /// <param name="LogDensity">The logarithm of its density.</param>
    /// <param name="Responsibilities">The probability of each component.</param>
    /// <param name="Component">The most probable component.</param>
    /// <param name="ComponentId">Its id.</param>
    /// <param name="Uncertainty">The probability that it is from another.</param>
    /// <param name="Class">The most probable class.</param>
    /// <param name="AnomalyScore">The share of records that are less strange.</param>
    /// <param name="PValue">The share of records that are as strange or stranger.</param>
    /// <param name="NoveltyPValue">The same as if what is new were strange; of a mixture that grows.</param>
    /// <param name="Version">The version that it is from.</param>
    /// <param name="Error">Why it cannot be used.</param>
    internal sealed record Score(
        long Record, string? Key, DateTimeOffset? Timestamp, double? LogDensity, IReadOnlyList<double?>? Responsibilities, int? Component,
        string? ComponentId, double? Uncertainty, string? Class, double? AnomalyScore, double? PValue, double? NoveltyPValue,
        long? Version, ScoreError? Error);

    /// <summary>Why a record cannot be used.</summary>
    /// <param name="Reason">From the closed list.</param>
    /// <param name="Detail">What was found and expected.</param>
    internal sealed record ScoreError(string Reason, string Detail);

    /// <summary>Records taken lately.</summary>
    /// <param name="Model">The model.</param>
    /// <param name="RunId">The run of the version that they are scored under; nothing before the first.</param>
    /// <param name="Version">That version.</param>
    /// <param name="Kind">sample, alarms or strangest.</param>
    /// <param name="OneIn">One of so many records is in the sample.</param>
    /// <param name="Records">The records.</param>
    internal sealed record RecentAnswer(
        string Model, string? RunId, long? Version, string Kind, long? OneIn, IReadOnlyList<RecentRecord> Records);

    /// <summary>A record taken lately: its score, and beside it the following.</summary>
    /// <param name="Record">Its number among all that were taken.</param>
    /// <param name="Partition">The partition it is from.</param>
    /// <param name="Offset">Its place there.</param>
    /// <param name="LogDensity">The logarithm of its density.</param>
    /// <param name="AnomalyScore">The share of records that are less strange.</param>
    /// <param name="PValue">The share of records that are as strange or stranger.</param>
    /// <param name="Alarm">Whether it was in alarm.</param>
    /// <param name="AlarmEvent">raised or cleared, of a record that did so.</param>
    /// <param name="Fields">What it held.</param>
    internal sealed record RecentRecord(
        long Record, string? Partition, long? Offset, double? LogDensity, double? AnomalyScore, double? PValue, bool? Alarm,
        string? AlarmEvent, IReadOnlyDictionary<string, object?> Fields);

    /// <summary>How two versions differ.</summary>
    /// <param name="A">The one.</param>
    /// <param name="B">The other.</param>
    /// <param name="Draws">Records drawn from each.</param>
    /// <param name="KlAB">The divergence of B from A, nats per record.</param>
    /// <param name="KlBA">That of A from B.</param>
    /// <param name="OnlyA">Components that B has not.</param>
    /// <param name="OnlyB">Components that A has not.</param>
    /// <param name="Components">The components that both have.</param>
    /// <param name="Parameters">How much each block changed.</param>
    internal sealed record Difference(
        ComparedVersion A, ComparedVersion B, int Draws, [property: JsonPropertyName("kl_a_b")] Divergence KlAB,
        [property: JsonPropertyName("kl_b_a")] Divergence KlBA, IReadOnlyList<string> OnlyA, IReadOnlyList<string> OnlyB,
        IReadOnlyList<ComparedComponent> Components, IReadOnlyDictionary<string, ComparedBlock> Parameters);

    /// <summary>A version that is compared.</summary>
    /// <param name="Model">Its model.</param>
    /// <param name="RunId">Its run.</param>
    /// <param name="Version">The version.</param>
    /// <param name="Records">Records learned from.</param>
    internal sealed record ComparedVersion(string Model, string RunId, long Version, long Records);

    /// <summary>A divergence by records that were drawn.</summary>
    /// <param name="Value">Nats per record; null where it is infinite.</param>
    /// <param name="StandardError">Its standard error.</param>
    /// <param name="Impossible">Records drawn that the other gives no probability to.</param>
    internal sealed record Divergence(double? Value, double? StandardError, long? Impossible);

    /// <summary>A component in two versions.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="WeightA">Its share in the one.</param>
    /// <param name="WeightB">Its share in the other.</param>
    /// <param name="Kl">The divergence of the component, exact; null where it is not known.</param>
    /// <param name="Feature">The feature that moved most.</param>
    /// <param name="Shift">By how many standard deviations.</param>
    /// <param name="Spread">Its standard deviation became so many times as large.</param>
    internal sealed record ComparedComponent(
        string Id, double? WeightA, double? WeightB, double? Kl, string? Feature, double? Shift, double? Spread);

    /// <summary>How much a block of parameters changed, over the components that both have.</summary>
    /// <param name="Largest">The largest change.</param>
    /// <param name="RootMeanSquare">The root of the mean of the squares.</param>
    internal sealed record ComparedBlock(double? Largest, double? RootMeanSquare);

    /// <summary>Says of a record, named by its number or by time and key, whether it was normal.</summary>
    /// <param name="Verdict">normal or abnormal.</param>
    /// <param name="Record">Its number.</param>
    /// <param name="Timestamp">Its time: an ISO 8601 text, or a number as the records have it.</param>
    /// <param name="Key">Its key, a text or a number.</param>
    /// <param name="MoveThreshold">Whether the threshold of the alarms shall move.</param>
    internal sealed record Feedback(string Verdict, long? Record, object? Timestamp, object? Key, bool? MoveThreshold);

    /// <summary>Names a version.</summary>
    /// <param name="Version">The version.</param>
    internal sealed record VersionName(long? Version);
}
