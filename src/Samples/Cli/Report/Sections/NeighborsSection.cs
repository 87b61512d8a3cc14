using MaskBias.MLNet.Samples.Cli.Report.Data;
using MaskBias.MLNet.Samples.Cli.Report.Page;
using MaskBias.MLNet.Samples.Pictures;

namespace MaskBias.MLNet.Samples.Cli.Report.Sections;

/// <summary>The images most similar to a few images.</summary>
internal static class NeighborsSection
{
    public const string Title = "Nearest neighbours";

    private const int Neighbors = 6;

    public static ReportSection Of(ImageStudy study, IReadOnlyList<int> queries)
    {
        var (encoder, similarities) = (study.Views[0].Name, study.Views[0].Similarities);
        int[] all = [.. Enumerable.Range(0, similarities.Count)];
        int count = Math.Min(Neighbors, similarities.Count - 1);
        var rows = queries.Select(query => (study.Images.TitleOf(study.Images.Images[query]), (IReadOnlyList<PictureCell>)
        [
            Cell(query, null, null),
            .. similarities.Nearest(query, all, count).Select(other => Cell(other, similarities[query, other],
                study.Images.HasClasses ? study.Images.Images[other].Class == study.Images.Images[query].Class : null)),
        ])).ToList();
        string marks = study.Images.HasClasses ? " Those of the image's class have a frame and a tick, others a cross." : "";
        return new(Title,
        [
            new PictureGrid("neighbours",
                $"{encoder}: images and those most similar to them of {similarities.Count}, with the features' cosine similarity.{marks}",
                ["image", .. Enumerable.Range(1, count).Select(rank => Numbers.Text(rank))], rows),
        ]);

        PictureCell Cell(int index, float? similarity, bool? isRight)
        {
            var image = study.Images.Images[index];
            string? text = similarity is { } s ? FormattableString.Invariant($"{study.Images.ClassOf(image)} {s:0.00}").Trim() : null;
            return new(ShownImages.Thumbnail(image, TileSheet.Tile), image.Name, text, isRight);
        }
    }
}
