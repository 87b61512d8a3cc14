using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace MaskBias.MLNet.Samples.Cli.Options;

/// <summary>What the library's documentation says of an option: the file MaskBias.MLNet.xml, which lies beside the library.</summary>
internal static partial class OptionDocs
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Summaries = new(Read);

    /// <summary>The summary on one line; the property's name where there is none.</summary>
    public static string Summary(PropertyInfo property) =>
        Summaries.Value.GetValueOrDefault($"P:{property.DeclaringType!.FullName}.{property.Name}", property.Name);

    private static IReadOnlyDictionary<string, string> Read()
    {
        var summaries = new Dictionary<string, string>(StringComparer.Ordinal);
        string path = Path.ChangeExtension(Path.Combine(AppContext.BaseDirectory, typeof(Vit.VitOptions).Assembly.GetName().Name + ".dll"), ".xml");
        if (!File.Exists(path)) return summaries;
        try
        {
            foreach (var member in XDocument.Load(path).Descendants("member"))
            {
                if (member.Attribute("name")?.Value is { } name && member.Element("summary") is { } summary)
                    summaries[name] = Spaces().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim();
            }
        }
        catch (XmlException)
        {
            // Help does without them.
        }
        return summaries;
    }

    // References show the last part of the name that they point to.
    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "paramref" } element => (element.FirstAttribute?.Value ?? "").Split('(')[0].Split(':', '.')[^1],
        XElement element => string.Concat(element.Nodes().Select(Text)),
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
