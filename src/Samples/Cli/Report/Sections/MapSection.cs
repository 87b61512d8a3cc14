using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures.Plots;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>A map of the images on which similar ones are near each other.</summary>
internal static class MapSection
{
    public const string Title = "Map of the images";

    private const int Fewest = 5, MostLetters = 20, MostRows = 200;

    public static ReportSection Of(ImageStudy study, int seed, IProgress<string> progress)
    {
        var (encoder, similarities) = (study.Views[0].Name, study.Views[0].Similarities);
        if (similarities.Count < Fewest)
            return ReportSection.LeftOut(Title, $"A map needs at least {Fewest} images; there are {similarities.Count}.");
        double[][] places = TSne.Place(similarities, PrincipalComponents.Of(study.Views[0].Features, 2), seed, progress);
        var images = study.Images;
        // Images without a class among others that have one are a class of their own on the map.
        bool hasUnnamed = images.HasClasses && images.Images.Any(image => image.Class < 0);
        var classes = images.HasClasses ? images.Classes.Select(name => SafeText.Label(name, MostLetters)).ToList() : [];
        if (hasUnnamed) classes.Add("no class");
        var plot = new ScatterPlot
        {
            Title = $"{encoder}: t-SNE of {similarities.Count} images", Classes = classes,
            Points = [.. places.Zip(images.Images, (place, image) =>
                (place[0], place[1], image.Class >= 0 ? image.Class : images.Classes.Count, image.Name))],
        };
        var rows = Numbers.Some([.. Enumerable.Range(0, places.Length)], MostRows).Select(i => (IReadOnlyList<string>)
            [images.Images[i].Name, images.ClassOf(images.Images[i]), Numbers.Text(places[i][0]), Numbers.Text(places[i][1])]);
        return new(Title,
        [
            new PlotFigure("map", plot, $"{encoder}: t-SNE map of {similarities.Count} images.",
                new("Places of the images", ["image", "class", "x", "y"], [.. rows])) { IsLarge = true },
            new Paragraph("Each point is an image; a pointer at rest on it shows its name. Neighbours on the map are similar; how far groups "
                + "lie apart, and how large they are, means little."),
        ]);
    }
}
