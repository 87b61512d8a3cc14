using Microsoft.ML;
using Microsoft.ML.Data;

namespace MaskBias.MLNet.RowMapping;

/// <summary>Keeps the values of one column for the rows that a cursor has read ahead.</summary>
internal abstract class ColumnBuffer : IDisposable
{
    /// <summary>Takes the value of the input's current row.</summary>
    public abstract void Read(int slot);

    /// <summary>A getter of the kept values.</summary>
    public abstract Delegate Getter(Func<int> slot);

    public virtual void Dispose()
    {
    }

    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column, int capacity)
    {
        var type = column.Type.RawType;
        if (type == typeof(MLImage)) return new Images(input, column, capacity);
        var buffer = column.Type is VectorDataViewType vector
            ? typeof(Vectors<>).MakeGenericType(vector.ItemType.RawType)
            : typeof(Values<>).MakeGenericType(type);
        return (ColumnBuffer)Activator.CreateInstance(buffer, input, column, capacity)!;
    }

    // Text among them: ML.NET never writes over characters that it has handed out (its own cache keeps them the same way).
    private sealed class Values<T>(DataViewRow input, DataViewSchema.Column column, int capacity) : ColumnBuffer
    {
        private readonly T[] values = new T[capacity];
        private readonly ValueGetter<T> read = input.GetGetter<T>(column);

        public override void Read(int slot) => read(ref values[slot]);

        public override Delegate Getter(Func<int> slot) => (ValueGetter<T>)((ref T value) => value = values[slot()]);
    }

    private sealed class Vectors<T>(DataViewRow input, DataViewSchema.Column column, int capacity) : ColumnBuffer
    {
        private readonly VBuffer<T>[] values = new VBuffer<T>[capacity];
        private readonly ValueGetter<VBuffer<T>> read = input.GetGetter<VBuffer<T>>(column);

        public override void Read(int slot) => read(ref values[slot]);

        public override Delegate Getter(Func<int> slot) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => values[slot()].CopyTo(ref value));
    }

    // Copies, because an image lives only until its source moves on: ResizeImages even hands out its source's image when the size fits.
    private sealed class Images(DataViewRow input, DataViewSchema.Column column, int capacity) : ColumnBuffer
    {
        private readonly MLImage?[] values = new MLImage?[capacity];
        private readonly ValueGetter<MLImage> read = input.GetGetter<MLImage>(column);
        private MLImage? last;      // the source's: not ours to dispose

        public override void Read(int slot)
        {
            read(ref last!);
            values[slot]?.Dispose();
            values[slot] = Copy(last);
        }

        public override Delegate Getter(Func<int> slot) => (ValueGetter<MLImage>)((ref MLImage value) =>
        {
            var kept = values[slot()];
            value?.Dispose();
            value = Copy(kept)!;
        });

        public override void Dispose()
        {
            foreach (var image in values) image?.Dispose();
        }

        private static MLImage? Copy(MLImage? image)
        {
            if (image is null) return null;
            var copy = MLImage.CreateFromPixels(image.Width, image.Height, image.PixelFormat, image.Pixels);
            copy.Tag = image.Tag;
            return copy;
        }
    }
}
