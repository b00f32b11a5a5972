using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>/openapi/v1.json</c>: every call with its name, parameters, bodies and answers. The endpoints say of themselves what is theirs; what
/// all have in common - the token, the errors of the guard - is added here. What a handler reads of the query it declares as a parameter,
/// so that no name is read that is not described.
/// </summary>
internal static class ApiDocument
{
    private const string Json = "application/json", ProblemType = "application/problem+json", Problem = "ProblemDetails", Token = "token";

    /// <summary>Adds the document.</summary>
    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.AddSchemaTransformer(TellSchemaAsync);
        options.AddDocumentTransformer(CompleteAsync);
    });

    /// <summary>Names a call: the name that clients made of the document have for it, once given never changed.</summary>
    public static RouteHandlerBuilder Called(this RouteHandlerBuilder route, string name, string tag, string summary) =>
        route.WithName(name).WithTags(tag).WithSummary(summary);

    /// <summary>Says by which errors the call may be answered, beside those that any may.</summary>
    public static RouteHandlerBuilder ProducesProblems(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (int status in statuses) route.ProducesProblem(status);
        return route;
    }

    /// <summary>Says what a parameter of the call is.</summary>
    public static RouteHandlerBuilder WithParameter(
        this RouteHandlerBuilder route, string name, string description, JsonSchemaType type = JsonSchemaType.String,
        bool isRequired = false, bool keepsSlashes = false, string[]? words = null) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            if (operation.Parameters?.SingleOrDefault(one => one.Name == name) is not OpenApiParameter parameter)
                throw new InvalidOperationException($"{operation.OperationId} has no parameter '{name}' to be described.");
            parameter.Description = description;
            parameter.Required |= isRequired;
            parameter.AllowReserved = keepsSlashes;
            parameter.Schema = new OpenApiSchema
            {
                Type = type,
                Enum = words is null ? null : [.. words.Select(word => (JsonNode)JsonValue.Create(word)!)],
            };
            return Task.CompletedTask;
        });

    /// <summary>Says that the call reads an object of JSON.</summary>
    public static RouteHandlerBuilder TakesObject<T>(this RouteHandlerBuilder route, bool isRequired = true) =>
        route.AddOpenApiOperationTransformer(async (operation, context, end) =>
        {
            OpenApiSchema schema = await context.GetOrCreateSchemaAsync(typeof(T), null, end).ConfigureAwait(false);
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = isRequired,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [Json] = new() { Schema = schema } },
            };
        });

    /// <summary>Says that the call reads records, in any form that <see cref="RequestRecords"/> takes.</summary>
    public static RouteHandlerBuilder TakesRecords(this RouteHandlerBuilder route) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            var records = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Record() };
            var wrapped = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Required = new HashSet<string>(StringComparer.Ordinal) { "records" },
                Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { ["records"] = records },
            };
            operation.RequestBody = new OpenApiRequestBody
            {
                Description = $"Records: {RequestRecords.Expected}.",
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    [Json] = new() { Schema = new OpenApiSchema { AnyOf = [wrapped, records, Record()] } },
                    [RequestRecords.LinesType] = new() { Schema = Record() },
                    [RequestRecords.CsvType] = new() { Schema = Text() },
                },
            };
            return Task.CompletedTask;
        });

    /// <summary>Says that the call answers with scores, in the form that is asked for.</summary>
    public static RouteHandlerBuilder AnswersScores(this RouteHandlerBuilder route) =>
        route.Produces<ApiShapes.ScoreAnswer>(StatusCodes.Status200OK, Json, RequestRecords.LinesType, RequestRecords.CsvType)
            .AddOpenApiOperationTransformer((operation, context, _) =>
            {
                IDictionary<string, OpenApiMediaType> forms = operation.Responses!["200"].Content!;
                forms[RequestRecords.LinesType] =
                    new OpenApiMediaType { Schema = new OpenApiSchemaReference(nameof(ApiShapes.Score), context.Document) };
                forms[RequestRecords.CsvType] = new OpenApiMediaType { Schema = Text() };
                return Task.CompletedTask;
            });

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    private static OpenApiSchema Record() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "A record: its fields by name.",
        AdditionalProperties = new OpenApiSchema(),
    };

    /// <summary>What the API writes and the schema of a type does not know: nothing for null, instants as texts.</summary>
    private static Task TellSchemaAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken end)
    {
        foreach (JsonPropertyInfo property in context.JsonTypeInfo.Properties)
            if (property.IsGetNullable) schema.Required?.Remove(property.Name);
        Type type = context.JsonTypeInfo.Type;
        if ((Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTimeOffset))
            (schema.Type, schema.Format) = (JsonSchemaType.String, "date-time");
        return Task.CompletedTask;
    }

    private static Task CompleteAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken end)
    {
        document.Info = new OpenApiInfo
        {
            Title = "StreamEM",
            Version = "1",
            Description = "A worker that learns latent variable models from streams. Errors are application/problem+json: `detail` says "
                + "what was found, what was expected and what to do. Within /v1 calls and members are added, never changed: leave unread "
                + "what you do not know.",
        };
        // Where it was asked for is no part of it.
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Token] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "`http.auth_token` of the configuration. A worker that only its own machine reaches may have none.",
            },
        };
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas[Problem] = ProblemSchema();
        foreach ((string path, IOpenApiPathItem item) in document.Paths)
        {
            if (item.Operations is null) continue;
            foreach ((HttpMethod method, OpenApiOperation operation) in item.Operations)
                Complete(operation, method, AccessGuard.IsOpen(path), document);
        }

        return Task.CompletedTask;
    }

    private static void Complete(OpenApiOperation operation, HttpMethod method, bool isOpen, OpenApiDocument document)
    {
        foreach (OpenApiParameter parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            if (parameter is { Name: "id", In: ParameterLocation.Path }) parameter.Description = "The model's id in the configuration.";
        if (!isOpen)
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Token, document)] = [] }];
            Add("401", "The token is missing or another.");
            Add("503", "Too many requests at once; send it again.");
        }

        if (method != HttpMethod.Get) Add("403", "Asked for by a page of another site.");
        Add("421", "The Host header names another host than this loopback address.");

        void Add(string status, string description)
        {
            operation.Responses ??= new OpenApiResponses();
            if (operation.Responses.ContainsKey(status)) return;
            operation.Responses[status] = new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    [ProblemType] = new() { Schema = new OpenApiSchemaReference(Problem, document) },
                },
            };
        }
    }

    private static OpenApiSchema ProblemSchema()
    {
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "An error, and what is to be done about it.",
            Required = new HashSet<string>(StringComparer.Ordinal) { "title", "status" },
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
            {
                ["type"] = Of("A page about the status.", JsonSchemaType.String),
                ["title"] = Of("What is wrong, in a word or two.", JsonSchemaType.String),
                ["status"] = Of("The status of the answer.", JsonSchemaType.Integer),
                ["detail"] = Of("What is wrong, and what to do.", JsonSchemaType.String),
                ["found"] = Of("What was found.", null),
                ["expected"] = Of("What was expected.", null),
                ["accepted"] = Of("Records taken: none.", JsonSchemaType.Integer),
                ["rejected"] = Of("Records that cannot be used.", JsonSchemaType.Integer),
                ["reasons"] = Of("How many of these for which reason.", JsonSchemaType.Object),
                ["first"] = Of("The first of these.", JsonSchemaType.Array),
            },
        };

        static OpenApiSchema Of(string description, JsonSchemaType? type) => new() { Type = type, Description = description };
    }
}
