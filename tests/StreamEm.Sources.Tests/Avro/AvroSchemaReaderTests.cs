using StreamEm.Sources.Avro;

namespace StreamEm.Sources.Tests.Avro;

public sealed class AvroSchemaReaderTests
{
    [Theory]
    [InlineData("{", "it is no JSON")]
    [InlineData("7", "a type is neither a name, nor a list, nor an object")]
    [InlineData("\"Nobody\"", "it names a type that it does not declare")]
    [InlineData("[\"null\",[\"int\"]]", "a union holds a union")]
    [InlineData("{\"type\":\"record\",\"fields\":[]}", "a declaration has no 'name'")]
    [InlineData("{\"type\":\"record\",\"name\":\"R\",\"fields\":7}", "'fields' of a declaration is no list")]
    [InlineData("{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "a fixed has no size")]
    [InlineData("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}", "a symbol is no text")]
    public void SchemaThatIsNone_SaysWhy(string schema, string problem) =>
        Assert.Equal(problem, Assert.Throws<FormatException>(() => new AvroSchemaReader().Read(schema)).Message);

    [Fact]
    public void SchemaNestedTooDeep_IsRefused()
    {
        string schema = "\"int\"";
        for (int i = 0; i < 70; i++) schema = $"{{\"type\":\"array\",\"items\":{schema}}}";

        FormatException refusal = Assert.Throws<FormatException>(() => new AvroSchemaReader().Read(schema));

        Assert.Equal("its types are nested too deep", refusal.Message);
    }

    [Theory]
    [InlineData("int", "int")]
    [InlineData("\"int\"", "int")]
    [InlineData("{\"type\":\"int\"}", "int")]
    [InlineData("{\"type\":{\"type\":\"int\"}}", "int")]
    public void Primitive_WrittenAnyWay_IsOne(string schema, string kind) =>
        Assert.Equal(kind, new AvroSchemaReader().Read(schema).Kind.ToString().ToLowerInvariant());

    [Fact]
    public void Names_AreFoundInTheirNamespaces()
    {
        AvroType type = new AvroSchemaReader().Read("""
            {"type":"record","name":"a.b.R","fields":[
              {"name":"e","type":{"type":"enum","name":"E","symbols":["x"]}},
              {"name":"short","type":"E"},{"name":"full","type":"a.b.E"},
              {"name":"f","type":{"type":"fixed","name":"F","namespace":"c","size":2}},{"name":"of","type":["null","c.F"]},
              {"name":"next","type":["null","R"]}]}
            """);

        Assert.Same(type.Fields[0].Type, type.Fields[1].Type);
        Assert.Same(type.Fields[0].Type, type.Fields[2].Type);
        Assert.Same(type.Fields[3].Type, type.Fields[4].Type.Branches[1]);
        Assert.Same(type, type.Fields[5].Type.Branches[1]);
    }

    [Fact]
    public void SchemasReadBefore_CanBeReferredTo()
    {
        var reader = new AvroSchemaReader();
        AvroType point = reader.Read("""{"type":"record","name":"Point","namespace":"geo","fields":[{"name":"x","type":"double"}]}""");

        AvroType type = reader.Read("""{"type":"record","name":"R","fields":[{"name":"p","type":"geo.Point"}]}""");

        Assert.Same(point, type.Fields[0].Type);
    }
}
