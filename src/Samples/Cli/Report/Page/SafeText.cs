using System.Globalization;
using System.Text;

namespace MaskBias.MLNet.Samples.Cli.Report.Page;

/// <summary>Names of files and classes, which may hold anything, as texts that can be shown.</summary>
internal static class SafeText
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text without what XML does not allow, and without signs that turn the direction of what follows.</summary>
    public static string Clean(string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            bool isUnseen = category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned;
            if (isUnseen && rune.Value is not ('\n' or '\t')) clean.Append(Replacement);
            else clean.Append(rune.ToString());
        }
        return clean.ToString();
    }

    /// <summary>The beginning of a long text.</summary>
    public static string Short(string text, int most) =>
        text.Length <= most ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[most - 2]) ? most - 2 : most - 1), "…");

    /// <summary>A text in a picture, where nothing cleans it later.</summary>
    public static string Label(string text, int most) => Short(Clean(text), most);

    /// <summary>A text as part of a file's name: small letters, figures and hyphens.</summary>
    public static string Slug(string text)
    {
        var slug = new StringBuilder();
        foreach (char c in text.ToLowerInvariant().Take(60))
        {
            if (char.IsAsciiLetterOrDigit(c)) slug.Append(c);
            else if (slug.Length > 0 && slug[^1] != '-') slug.Append('-');
        }
        return slug.ToString().TrimEnd('-') is { Length: > 0 } name ? name : "figure";
    }
}
