using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Reads YAML into nodes that know their place. A plain subset: no anchors, aliases, tags, merge keys or second documents; no key twice; at
/// most <see cref="MaxBytes"/> and <see cref="MaxDepth"/>. Whatever is wrong becomes a problem, never an exception.
/// </summary>
public sealed class YamlText
{
    /// <summary>The most a file may hold.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The deepest nesting allowed.</summary>
    public const int MaxDepth = 64;

    private readonly Func<Mark, Origin> _origin;
    private readonly VariableSubstitution _substitution;
    private readonly Problems _problems;
    private readonly Parser _parser;
    private readonly string _text;

    private YamlText(string text, Func<Mark, Origin> origin, VariableSubstitution substitution, Problems problems)
    {
        (_origin, _substitution, _problems) = (origin, substitution, problems);
        _text = text;
        _parser = new Parser(new StringReader(References.Hide(text)));
    }

    /// <summary>Reads a file.</summary>
    /// <returns>Its top value; null, and a problem, when there is none.</returns>
    public static ConfigNode? ReadFile(string path, VariableSubstitution substitution, Problems problems)
    {
        var whole = new Origin(path);
        try
        {
            if (Directory.Exists(path) || !File.Exists(path))
            {
                problems.Error(whole,
                    Directory.Exists(path) ? "is a directory; expected a YAML file" : "no such file; name the configuration with -c FILE");
                return null;
            }

            string text = SmallFile.Read(path, MaxBytes, out string? problem);
            if (problem is not null)
            {
                problems.Error(whole, $"the file {problem}");
                return null;
            }

            return Read(text, mark => new Origin(path, (int)mark.Line, (int)mark.Column), substitution, problems);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            problems.Error(whole, $"cannot be read: {failure.Message}");
            return null;
        }
    }

    /// <summary>Reads the one document of a text.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="origin">Turns a place in the text into what is shown to the user.</param>
    /// <param name="substitution">Replaces variables in values (not in keys).</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <returns>The value; null, and a problem, when the text is no YAML.</returns>
    public static ConfigNode? Read(string text, Func<Mark, Origin> origin, VariableSubstitution substitution, Problems problems)
    {
        var reader = new YamlText(text, origin, substitution, problems);
        try
        {
            return reader.ReadDocument();
        }
        catch (YamlException failure)
        {
            (Mark place, string what) = YamlFault.Of(text, failure);
            problems.Error(origin(place), $"not valid YAML: {what}");
            return null;
        }
        catch (TooDeepException failure)
        {
            problems.Error(origin(failure.Start), $"nested deeper than {MaxDepth} levels");
            return null;
        }
    }

    private ParsingEvent Next => _parser.Current!;

    private ConfigNode ReadDocument()
    {
        MoveNext();
        Skip<StreamStart>();
        if (Next is StreamEnd) return new ScalarNode(_origin(Next.Start), null);
        Skip<DocumentStart>();
        ConfigNode root = ReadNode(0);
        Skip<DocumentEnd>();
        if (Next is not StreamEnd) _problems.Error(_origin(Next.Start), "a second document starts here; expected one");
        return root;
    }

    private ConfigNode ReadNode(int depth)
    {
        if (depth > MaxDepth) throw new TooDeepException(Next.Start);
        if (Next is NodeEvent node) RefuseProperties(node);
        switch (Next)
        {
            case Scalar scalar:
                MoveNext();
                return ReadScalar(scalar);
            case SequenceStart:
                return ReadSequence(depth);
            case MappingStart:
                return ReadMapping(depth);
            case AnchorAlias alias:
                _problems.Error(_origin(alias.Start), $"alias '*{alias.Value}' is not allowed; write the value itself");
                MoveNext();
                return new ScalarNode(_origin(alias.Start), null);
            default:
                throw new SemanticErrorException(Next.Start, Next.End, $"found {Next.GetType().Name}, expected a value");
        }
    }

    private void RefuseProperties(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
            _problems.Error(_origin(node.Start), $"anchor '&{node.Anchor.Value}' is not allowed; write the value where it is used");
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            _problems.Error(_origin(node.Start), $"tag '{node.Tag.Value}' is not allowed; write the value alone");
    }

    private ScalarNode ReadScalar(Scalar scalar)
    {
        Origin origin = _origin(scalar.Start);
        string text = _substitution.Replace(References.Show(scalar.Value), origin, _problems, out bool readsFile);
        bool isNull = scalar.Style == ScalarStyle.Plain && text is ("" or "~" or "null" or "Null" or "NULL");
        (int start, int end) = ((int)scalar.Start.Index, (int)scalar.End.Index);
        return new ScalarNode(origin, isNull ? null : text, readsFile)
        { Places = isNull || end > _text.Length ? null : new ScalarPlaces(_text[start..end], scalar.Style) };
    }

    private SequenceNode ReadSequence(int depth)
    {
        var sequence = new SequenceNode(_origin(Next.Start));
        Skip<SequenceStart>();
        while (Next is not SequenceEnd) sequence.Items.Add(ReadNode(depth + 1));
        Skip<SequenceEnd>();
        return sequence;
    }

    private MappingNode ReadMapping(int depth)
    {
        var mapping = new MappingNode(_origin(Next.Start));
        Skip<MappingStart>();
        while (Next is not MappingEnd)
        {
            Origin origin = _origin(Next.Start);
            string? key = ReadKey(depth);
            ConfigNode value = ReadNode(depth + 1);
            if (key is null) _problems.Error(origin, "a key must be a text");
            else if (mapping.Find(key) is { } first)
                _problems.Error(origin, $"key '{key}' is written twice; the first is at {first.Origin}");
            else mapping.Add(new MappingEntry(key, origin, value));
        }

        Skip<MappingEnd>();
        return mapping;
    }

    private string? ReadKey(int depth)
    {
        if (Next is not Scalar key)
        {
            ReadNode(depth + 1);
            return null;
        }

        RefuseProperties(key);
        MoveNext();
        return References.Show(key.Value);
    }

    /// <summary>The parser answers some broken texts with exceptions of its own faults instead of a YAML error.</summary>
    private void MoveNext()
    {
        Mark start = _parser.Current?.End ?? Mark.Empty;
        try
        {
            _parser.MoveNext();
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            throw new YamlException(start, start, "the text after this place cannot be parsed", fault);
        }
    }

    private void Skip<TEvent>()
        where TEvent : ParsingEvent
    {
        if (Next is not TEvent)
            throw new SemanticErrorException(Next.Start, Next.End, $"found {Next.GetType().Name}, expected {typeof(TEvent).Name}");
        MoveNext();
    }

    private sealed class TooDeepException(Mark start) : Exception
    {
        public Mark Start { get; } = start;
    }
}
