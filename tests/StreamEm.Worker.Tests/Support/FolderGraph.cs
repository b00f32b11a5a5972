using System.Reflection;
using System.Reflection.Emit;

namespace StreamEm.Worker.Tests.Support;

/// <summary>
/// Which folder (namespace) of an assembly needs which: bases, attributes, fields, signatures and the bodies of methods count, names in comments do not.
/// Constants are copied by the compiler and leave no trace.
/// </summary>
internal sealed class FolderGraph
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Dictionary<string, SortedDictionary<string, string>> _needs = new(StringComparer.Ordinal);
    private readonly Assembly _assembly;

    /// <summary>Reads an assembly.</summary>
    public FolderGraph(Assembly assembly)
    {
        _assembly = assembly;
        foreach (Type type in assembly.GetTypes().Where(type => type.Namespace?.StartsWith("StreamEm", StringComparison.Ordinal) == true)) Read(type);
    }

    /// <summary>The folders read.</summary>
    public IEnumerable<string> Folders => _needs.Keys;

    /// <summary>Groups of folders that need each other, each with one reason an edge.</summary>
    public IEnumerable<string> Cycles()
    {
        Dictionary<string, HashSet<string>> reach = _needs.Keys.ToDictionary(folder => folder, Reach, StringComparer.Ordinal);
        return
            from pair in _needs
            from need in pair.Value
            where reach[need.Key].Contains(pair.Key)
            orderby pair.Key, need.Key
            select $"{pair.Key} -> {need.Key} ({need.Value})";
    }

    private HashSet<string> Reach(string from)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([from]);
        while (open.TryPop(out string? folder))
        {
            if (!_needs.TryGetValue(folder, out var needs)) continue;
            foreach (string need in needs.Keys.Where(found.Add)) open.Push(need);
        }

        return found;
    }

    private void Read(Type type)
    {
        _needs.TryAdd(type.Namespace!, new SortedDictionary<string, string>(StringComparer.Ordinal));
        Note(type, type.BaseType);
        foreach (Type used in type.GetInterfaces()) Note(type, used);
        foreach (FieldInfo field in type.GetFields(Declared)) Note(type, field.FieldType);
        foreach (MethodBase method in type.GetMembers(Declared).OfType<MethodBase>())
        {
            foreach (ParameterInfo parameter in method.GetParameters()) Note(type, parameter.ParameterType);
            if (method is MethodInfo { ReturnType: var result }) Note(type, result);
            if (method.GetMethodBody() is { } body) ReadBody(type, method, body);
        }
    }

    private void ReadBody(Type type, MethodBase method, MethodBody body)
    {
        foreach (LocalVariableInfo local in body.LocalVariables) Note(type, local.LocalType);
        foreach (ExceptionHandlingClause clause in body.ExceptionHandlingClauses.Where(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause)) Note(type, clause.CatchType);
        byte[] il = body.GetILAsByteArray()!;
        Type[] typeArguments = type.IsGenericType ? type.GetGenericArguments() : [], methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (int at = 0; at < il.Length;)
        {
            OpCode code = Codes[il[at] == 0xFE ? (short)(0xFE00 | il[at + 1]) : il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                Note(type, method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments));
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }

    private void Note(Type by, MemberInfo? used)
    {
        switch (used)
        {
            case Type type:
                Note(by, type);
                break;
            case MethodBase method:
                Note(by, method.DeclaringType);
                foreach (ParameterInfo parameter in method.GetParameters()) Note(by, parameter.ParameterType);
                if (method is MethodInfo { ReturnType: var result }) Note(by, result);
                if (method.IsGenericMethod)
                    foreach (Type argument in method.GetGenericArguments()) Note(by, argument);
                break;
            case FieldInfo field:
                Note(by, field.DeclaringType);
                Note(by, field.FieldType);
                break;
        }
    }

    private void Note(Type by, Type? used)
    {
        if (used is null || used.IsGenericParameter) return;
        if (used.HasElementType)
        {
            Note(by, used.GetElementType());
            return;
        }

        if (used.IsGenericType)
            foreach (Type argument in used.GetGenericArguments()) Note(by, argument);
        if (used.Assembly != _assembly || used.Namespace is not { } folder || folder == by.Namespace || !folder.StartsWith("StreamEm", StringComparison.Ordinal)) return;
        _needs[by.Namespace!].TryAdd(folder, $"{(by.DeclaringType ?? by).Name} uses {used.Name}");
    }
}
