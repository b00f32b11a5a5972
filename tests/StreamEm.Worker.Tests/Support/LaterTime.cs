namespace StreamEm.Worker.Tests.Support;

/// <summary>The machine's clock, of which some time may pass at once. Any thread.</summary>
internal sealed class LaterTime : TimeProvider
{
    private long _passed;

    public void Pass(TimeSpan time) => Interlocked.Add(ref _passed, time.Ticks * (TimestampFrequency / TimeSpan.TicksPerSecond));

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _passed);
}
