namespace StreamEm.Worker.Telemetry;

/// <summary>What messages that differ only in their numbers have in common, so that one that goes on is told once.</summary>
internal static class MessageKind
{
    /// <summary>The letters of a message.</summary>
    public static string Of(string message) => string.Concat(message.Where(char.IsAsciiLetter));
}
