using System.Runtime.InteropServices;
using MaskBias.MLNet.RowMapping;
using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace MaskBias.MLNet.LinearProbing;

/// <summary>Labelled features in memory.</summary>
internal sealed class FeatureSet : IDisposable
{
    private readonly Tensor features;           // [n, D]
    private readonly Tensor labels;             // [n]

    public FeatureSet(Tensor features, int[] classes)
    {
        Classes = classes;
        this.features = features.DetachFromDisposeScope();
        labels = tensor(classes.Select(c => (long)c).ToArray(), device: features.device).DetachFromDisposeScope();
    }

    /// <summary>The class of each row.</summary>
    public int[] Classes { get; }

    public int Dimension => (int)features.shape[1];

    /// <summary>Rows left out because a feature was not a finite number.</summary>
    public int Skipped { get; private init; }

    public Device Device => features.device;

    /// <summary>Reads rows that have a class; those with a feature that is not a finite number are left out.</summary>
    public static FeatureSet Read(IDataView data, string featureColumnName, LabelColumn label, Device device, CancellationToken cancellation)
    {
        var column = FeatureColumn.Find(data.Schema, featureColumnName);
        int size = ((VectorDataViewType)column.Type).Size;
        var (rows, classes, skipped) = LabelledFeatures.Read(data, column, label, cancellation);
        using var scope = NewDisposeScope();
        var values = empty([rows.Count, size]);
        for (int i = 0; i < rows.Count; i++)
        {
            using var row = values[i];                          // a span over all of them would end at 2 GiB
            rows[i].CopyTo(MemoryMarshal.Cast<byte, float>(row.bytes));
        }
        return new(values.to(device).MoveToOuterDisposeScope(), classes) { Skipped = skipped };
    }

    /// <summary>Some of the rows.</summary>
    public FeatureBatch Rows(int[] rows)
    {
        using var index = tensor(rows.Select(r => (long)r).ToArray(), device: features.device);
        return new(features.index_select(0, index), labels.index_select(0, index));
    }

    public void Dispose()
    {
        features.Dispose();
        labels.Dispose();
    }
}
