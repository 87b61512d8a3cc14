using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.NearestNeighbors;

/// <summary>Classifying the rows of one input schema.</summary>
internal sealed class NearestNeighborsMapping : IRowMapping
{
    private readonly NearestNeighborClassifier classifier;

    public NearestNeighborsMapping(DataViewSchema input, string featureColumnName, LabelColumn label, NearestNeighborClassifier classifier)
    {
        this.classifier = classifier;
        var features = FeatureColumn.Find(input, featureColumnName);
        int length = ((VectorDataViewType)features.Type).Size;
        if (length != classifier.FeatureDim)
            throw new ArgumentException($"Column '{featureColumnName}' has {length} values; the training rows had {classifier.FeatureDim}.");
        Inputs = [features];
        var score = new VectorDataViewType(NumberDataViewType.Single, label.Count);
        Outputs =
        [
            new(ClassifierShape.PredictedLabelColumnName, label.Type, label.PredictedLabelAnnotations()),
            new(ClassifierShape.ScoreColumnName, score, label.ScoreAnnotations()),
        ];
    }

    public IReadOnlyList<DataViewSchema.Column> Inputs { get; }

    public IReadOnlyList<DataViewSchema.DetachedColumn> Outputs { get; }

    public int BatchSize => 1;

    public IRowBatch CreateBatch(DataViewRow input, int capacity) => new Batch(this, input, capacity);

    private sealed class Batch(NearestNeighborsMapping mapping, DataViewRow input, int capacity) : IRowBatch
    {
        private readonly ValueGetter<VBuffer<float>> readFeatures = input.GetGetter<VBuffer<float>>(mapping.Inputs[0]);
        private readonly float[] scores = new float[capacity * mapping.classifier.Classes];
        private VBuffer<float> features;
        private float[] dense = [];

        public void Read(int slot)
        {
            readFeatures(ref features);
            if (dense.Length != features.Length) dense = new float[features.Length];
            features.CopyTo(dense);
            mapping.classifier.Score(dense, Scores(slot));
        }

        public void Compute(int count)
        {
            // Read has done it: rows are independent.
        }

        public Delegate Getter(int output, Func<int> slot) => output == 0
            ? (ValueGetter<uint>)((ref uint value) => value = (uint)(NearestNeighborClassifier.Predict(Scores(slot())) + 1))
            : (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                var row = Scores(slot());
                var editor = VBufferEditor.Create(ref value, row.Length);
                row.CopyTo(editor.Values);
                value = editor.Commit();
            });

        private Span<float> Scores(int slot) => scores.AsSpan(slot * mapping.classifier.Classes, mapping.classifier.Classes);
    }
}
