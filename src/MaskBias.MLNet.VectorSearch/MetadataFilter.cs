using System.Linq.Expressions;

namespace MaskBias.MLNet.VectorSearch;

/// <summary>Reads a condition on an image's metadata.</summary>
internal static class MetadataFilter
{
    /// <summary>The values that a condition asks for, by name.</summary>
    /// <exception cref="NotSupportedException">It is more than equal values joined by &amp;&amp;.</exception>
    public static IReadOnlyDictionary<string, string> Read(Expression<Func<IndexedImage, bool>> condition)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(condition.Body);
        return values;

        void Add(Expression part)
        {
            switch (part)
            {
                case BinaryExpression { NodeType: ExpressionType.AndAlso } both:
                    Add(both.Left);
                    Add(both.Right);
                    break;
                case BinaryExpression { NodeType: ExpressionType.Equal } equal
                    when Name(equal.Left) is { } name && Text(equal.Right) is { } value
                    && (!values.TryGetValue(name, out string? other) || other == value):
                    values[name] = value;
                    break;
                default:
                    throw new NotSupportedException(
                        $"The filter has {part}; it must be image.Metadata[\"name\"] == \"value\", or several of other names joined by &&.");
            }
        }
    }

    // image.Metadata[name]
    private static string? Name(Expression left) =>
        left is MethodCallExpression { Method.Name: "get_Item", Arguments: [var name], Object: MemberExpression of }
        && of is { Member.Name: nameof(IndexedImage.Metadata), Expression: ParameterExpression } ? Text(name) : null;

    // What does not depend on the image has its value now.
    private static string? Text(Expression value) => value.Type == typeof(string) && !Parameters.AreIn(value)
        ? Expression.Lambda<Func<string?>>(value).Compile(preferInterpretation: true)()
        : null;

    private sealed class Parameters : ExpressionVisitor
    {
        private bool found;

        public static bool AreIn(Expression expression)
        {
            var visitor = new Parameters();
            visitor.Visit(expression);
            return visitor.found;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            found = true;
            return node;
        }
    }
}
