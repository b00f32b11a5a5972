using StreamEm.House.Tests.Clients;

namespace StreamEm.House.Tests.Approved;

/// <summary>The API's document that the docs have is the one that is served.</summary>
public sealed class ApiTests
{
    [Fact]
    public async Task Document_OfTheApi_IsTheApprovedOne()
    {
        string text = await ApiDescription.ReadAsync();

        Approval.VerifyFile("docs/openapi.json", "docs/openapi.received.json", text, approved => approved, text);
    }
}
