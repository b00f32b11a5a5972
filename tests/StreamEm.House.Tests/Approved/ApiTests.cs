using System.Text.Json;
using StreamEm.House.Tests.Clients;

namespace StreamEm.House.Tests.Approved;

/// <summary>The API's document that the docs have is the one that is served, and the Python module is made of it.</summary>
public sealed class ApiTests
{
    [Fact]
    public async Task Document_OfTheApi_IsTheApprovedOne()
    {
        string text = await ApiDescription.ReadAsync();

        Approval.VerifyFile("docs/openapi.json", "docs/openapi.received.json", text, approved => approved, text);
    }

    [Fact]
    public async Task Module_ForPython_IsMadeOfTheDocument()
    {
        using var document = JsonDocument.Parse(await ApiDescription.ReadAsync());
        string text = new PythonModule(document.RootElement).Write();

        Approval.VerifyFile("clients/python/streamem/client.py", "clients/python/client.received.py", text, approved => approved, text);
    }
}
