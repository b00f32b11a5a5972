namespace StreamEm.Worker.WhatIf;

/// <summary>What replaying records under a configuration came to.</summary>
/// <param name="Updates">Updates of the parameters.</param>
/// <param name="Records">Records that the mean is of: all but those that the first parameters were found in.</param>
/// <param name="MeanLogLikelihood">Test-then-train, nats per record; null where no record could be used.</param>
/// <param name="Curve">How it went.</param>
/// <param name="Alarms">The alarms; null where none are raised.</param>
/// <param name="Seconds">What it took.</param>
public sealed record ReplayOutcome(
    long Updates, long Records, double? MeanLogLikelihood, ReplayCurve Curve, ReplayAlarms? Alarms, double Seconds);

/// <summary>
/// The log-likelihood over the records, in at most some hundred points, each the mean of the minibatches since the one before.
/// </summary>
/// <param name="Records">Records replayed so far.</param>
/// <param name="MeanLogLikelihood">Test-then-train, nats per record.</param>
public sealed record ReplayCurve(IReadOnlyList<long> Records, IReadOnlyList<double> MeanLogLikelihood);

/// <summary>The alarms of a replay.</summary>
/// <param name="Raised">How many were raised.</param>
/// <param name="Cleared">How many ended.</param>
/// <param name="Active">How many last.</param>
/// <param name="First">The first of them.</param>
public sealed record ReplayAlarms(long Raised, long Cleared, int Active, IReadOnlyList<ReplayAlarm> First);

/// <summary>An alarm.</summary>
/// <param name="Record">Which of the replayed records raised it, from 0.</param>
/// <param name="Key">Its key; null without.</param>
/// <param name="Timestamp">Its time; null without.</param>
/// <param name="PValue">Its p-value.</param>
public sealed record ReplayAlarm(long Record, string? Key, DateTimeOffset? Timestamp, double PValue);

/// <summary>A model as it is configured and as it might be, on the same records from the same start.</summary>
/// <param name="Records">Records that were replayed.</param>
/// <param name="AsItIs">Under the configuration that runs.</param>
/// <param name="WhatIf">Under the changed one.</param>
/// <param name="AreComparable">Whether the log-likelihoods are of the same features, so that one may be set against the other.</param>
/// <param name="Settings">The changes, as <c>--set</c> takes them.</param>
/// <param name="Configuration">The changes, as a configuration file has them.</param>
public sealed record WhatIfAnswer(
    long Records, ReplayOutcome AsItIs, ReplayOutcome WhatIf, bool AreComparable, IReadOnlyList<string> Settings, string Configuration);
