namespace StreamEm.Worker.Configuration.Text;

/// <summary>Where something was written.</summary>
/// <param name="Source">The file as the user named it, or the override (<c>--set a.b</c>).</param>
/// <param name="Line">1-based; 0 where there are no lines.</param>
/// <param name="Column">1-based.</param>
public readonly record struct Origin(string Source, int Line = 0, int Column = 0)
{
    /// <summary><c>streamem.yaml:12:7</c> or <c>--set a.b</c>.</summary>
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";
}
