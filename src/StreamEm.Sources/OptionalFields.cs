namespace StreamEm.Sources;

/// <summary>Fields that a record can do without: where one holds what cannot be read, the record is used as if it had none.</summary>
[Flags]
public enum OptionalFields
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The key.</summary>
    Key = 1,

    /// <summary>The event time.</summary>
    Timestamp = 2,
}
