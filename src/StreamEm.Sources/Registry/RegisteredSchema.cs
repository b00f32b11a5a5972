using StreamEm.Sources.Avro;

namespace StreamEm.Sources.Registry;

/// <summary>A schema as the registry has it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Language">What it is written in: <c>AVRO</c>, <c>JSON</c>, <c>PROTOBUF</c>; empty where there is none.</param>
/// <param name="Avro">The type that it declares, of one in Avro that can be read.</param>
/// <param name="Problem">Why nothing can be decoded with it, for a person; null when it can.</param>
/// <param name="IsUnknown">Whether the registry has none with this number, which may be otherwise later.</param>
internal sealed record RegisteredSchema(int Number, string Language, AvroType? Avro, string? Problem, bool IsUnknown = false);
