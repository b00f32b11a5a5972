using StreamEm.Worker.Shown;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// What every part of one model's pipeline may ask: how it is configured, what time it is, and where numbers and events are told.
/// </summary>
/// <param name="Options">The model's configuration.</param>
/// <param name="Metrics">Its numbers.</param>
/// <param name="Shown">What a person may want to see of its records.</param>
/// <param name="Time">The clock.</param>
/// <param name="Log">Where events are told.</param>
internal sealed record ModelContext(ModelOptions Options, ModelMetrics Metrics, ShownRecords Shown, TimeProvider Time, ILogger Log);
