using System.CommandLine;
using MaskBias.MLNet.Catalog;
using MaskBias.MLNet.Embeddings;
using MaskBias.MLNet.Images;
using MaskBias.MLNet.Samples.Cli.Inputs;
using MaskBias.MLNet.Samples.Cli.Output;
using MaskBias.MLNet.Samples.Common.Photos;
using MaskBias.MLNet.Weights;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.Samples.Cli.Commands;

/// <summary><c>maskbias knn CHECKPOINT --images DIR</c>: how well an encoder tells classes apart, without training anything.</summary>
internal static class KnnCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("knn", "Measures an encoder by its weighted nearest neighbours, as DINO's is.",
            "knn run/encoder --images photos --test held-out");
        var checkpoint = new CheckpointInput(command, computes: true, takesRandom: true);
        var photos = new PhotoInput(command, needsLabels: true);
        var k = new Option<int>("--k") { Description = "Neighbours that vote.", DefaultValueFactory = _ => 20 };
        var temperature = new Option<double>("--temperature") { Description = "Temperature of the votes.", DefaultValueFactory = _ => 0.07 };
        var seed = new Option<int>("--seed") { Description = "Draws what is held out.", DefaultValueFactory = _ => 1 };
        var json = Session.JsonOption();
        foreach (Option option in new Option[] { k, temperature, seed, json }) command.Add(option);
        command.SetAction(parsed => Session.Run(parsed, json, session =>
        {
            var ml = session.Context(parsed.GetValue(seed));
            var found = photos.Load(session, parsed, parsed.GetValue(seed));
            var estimator = UsageException.Checked(() =>
                ml.SelfSupervised().NearestNeighbors(new() { K = parsed.GetValue(k), Temperature = parsed.GetValue(temperature) }));
            if (found.Test.Count == 0) throw new UsageException("No class has two images, so none can be held out; give --test.");
            var (train, keys) = PhotoInput.Keyed(ml, found);
            using var encoder = checkpoint.Load(parsed);
            var embed = ml.SelfSupervised().EmbedImages(encoder, new ImageEmbeddingOptions
            {
                InputColumnName = "ImagePath", OutputColumnName = "Features", OnUnreadableImage = UnreadableImage.MissingValue,
                ApplyOrientation = true,                                       // as encoders are trained
            }).Fit(train);
            IDataView Embedded(IDataView rows) =>
                ml.Data.Cache(ml.Data.FilterRowsByMissingValues(embed.Transform(rows), "Features"), "Features", "Label");
            var (known, asked) = (Embedded(train), Embedded(keys.Transform(PhotoSet.ToDataView(ml, found.Test))));
            var metrics = ml.MulticlassClassification.Evaluate(estimator.Fit(known).Transform(asked), topKPredictionCount: Math.Min(5, found.Classes.Count));
            int Count(IDataView rows) => rows.GetColumn<uint>("Label").Count();
            var (voting, held) = (Count(known), Count(asked));
            int unreadable = found.Train.Count + found.Test.Count - voting - held;
            session.Result(
                ("neighbours", voting), ("held out", held), ("unreadable", unreadable > 0 ? unreadable : null), ("classes", found.Classes.Count), ("accuracy", metrics.MicroAccuracy),
                ("mean accuracy per class", metrics.MacroAccuracy));
        }));
        return command;
    }
}
