
namespace StreamEm.Worker.Tests.Support.Rooms.One;

/// <summary>A door to the other room, in a signature.</summary>
internal static class Here
{
    public static void Open(Other.There? there) => _ = there;
}
