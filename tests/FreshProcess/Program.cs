// Loads a saved model and predicts: FreshProcess MODEL.zip IMAGE...
// Writes one JSON line per image: {"path": ..., "features": [...], "score": [...], "label": ...}; what the model lacks is null.
using System.Text.Json;
using FreshProcess;
using Microsoft.ML;
using Microsoft.ML.Data;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: FreshProcess MODEL.zip IMAGE...");
    return 2;
}
var ml = new MLContext(seed: 1);
var model = ml.Model.Load(args[0], out _);
var paths = args[1..];
var predictions = model.Transform(ml.Data.LoadFromEnumerable(paths.Select(path => new ImageRow { ImagePath = path })));

var features = Column<float[]>("Features");
var scores = Column<float[]>("Score");
var labels = Column<string>("PredictedLabel");
for (int i = 0; i < paths.Length; i++)
    Console.WriteLine(JsonSerializer.Serialize(new { path = paths[i], features = features?[i], score = scores?[i], label = labels?[i] }));
return 0;

T[]? Column<T>(string name) => predictions.Schema.GetColumnOrNull(name) is { } column ? predictions.GetColumn<T>(column).ToArray() : null;
