
namespace StreamEm.Worker.Tests.Support.Rooms.Other;

/// <summary>A door back, in a body only.</summary>
internal sealed class There
{
    public void Back() => One.Here.Open(this);
}
