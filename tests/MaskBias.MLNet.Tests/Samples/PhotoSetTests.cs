using MaskBias.MLNet.Samples.Common.Photos;

namespace MaskBias.MLNet.Tests.Samples;

public sealed class PhotoSetTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void Class_folders_give_labels_and_a_fifth_of_each_class_is_held_out()
    {
        Add("cat", 10);
        Add("dog", 20);
        Add("bird/small", 5);
        var set = PhotoSet.Load(folder.Path, seed: 1);

        Assert.Equal(["bird", "cat", "dog"], set.Classes);
        Assert.Equal(new Dictionary<string, int> { ["bird"] = 1, ["cat"] = 2, ["dog"] = 4 }, Counts(set.Test));
        Assert.Equal(new Dictionary<string, int> { ["bird"] = 4, ["cat"] = 8, ["dog"] = 16 }, Counts(set.Train));
        Assert.Equal(35, set.Train.Concat(set.Test).Select(p => p.ImagePath).Distinct().Count());
        Assert.All(set.Train.Concat(set.Test), p => Assert.StartsWith(Path.Combine(folder.Path, p.Label), p.ImagePath));
        Assert.Empty(set.TrainingOnly);
    }

    [Fact]
    public void Hidden_folders_are_no_classes()
    {
        Add("cat", 4);
        Add("dog", 4);
        Add(".thumbnails", 4);
        Assert.Equal(["cat", "dog"], PhotoSet.Load(folder.Path, seed: 1).Classes);
    }

    [Fact]
    public void The_seed_decides_the_split()
    {
        Add("cat", 10);
        Add("dog", 10);
        string[] Test(int seed) => [.. PhotoSet.Load(folder.Path, seed).Test.Select(p => p.ImagePath)];
        Assert.Equal(Test(1), Test(1));
        Assert.NotEqual(Test(1), Test(2));
    }

    [Fact]
    public void A_class_of_one_image_trains_and_is_reported()
    {
        Add("cat", 4);
        Add("dog", 1);
        var set = PhotoSet.Load(folder.Path, seed: 1);
        Assert.Equal(["dog"], set.TrainingOnly);
        Assert.Contains(set.Train, p => p.Label == "dog");
        Assert.DoesNotContain(set.Test, p => p.Label == "dog");
    }

    [Theory]
    [InlineData("")]
    [InlineData("only")]
    public void A_flat_folder_or_a_single_class_gives_unlabelled_images(string place)
    {
        Add(place, 6);
        var set = PhotoSet.Load(folder.Path, seed: 1);
        Assert.False(set.HasLabels);
        Assert.Empty(set.Test);
        Assert.Equal(6, set.Train.Count);
        Assert.All(set.Train, p => Assert.Equal("", p.Label));
    }

    [Fact]
    public void At_most_so_many_of_each_class_are_taken()
    {
        Add("cat", 10);
        Add("dog", 3);
        var set = PhotoSet.Load(folder.Path, seed: 1, mostPerClass: 5);
        Assert.Equal(new Dictionary<string, int> { ["cat"] = 5, ["dog"] = 3 }, Counts([.. set.Train, .. set.Test]));
    }

    [Fact]
    public void Other_and_hidden_files_do_not_count()
    {
        Add("", 2);
        folder.Write("notes.txt", [1]);
        folder.Write(".hidden.png", [1]);
        folder.Write("upper.JPG", [1]);
        Assert.Equal(3, PhotoSet.Load(folder.Path, seed: 1).Train.Count);
    }

    [Fact]
    public void A_folder_that_cannot_be_used_says_why()
    {
        Assert.Contains("There is no folder", Assert.Throws<DirectoryNotFoundException>(() => Load("missing")).Message);
        Assert.Contains("holds no images; pretraining needs at least 2", Assert.Throws<IOException>(() => Load("")).Message);
        Add("one", 1);
        Assert.Contains("holds one image", Assert.Throws<IOException>(() => Load("")).Message);
        Add("", 2);
        string mixed = Assert.Throws<IOException>(() => Load("")).Message;
        Assert.Contains("holds images (2) and also folders of images (1, the first is one)", mixed);
        Assert.DoesNotContain('\n', mixed);

        PhotoSet Load(string below) => PhotoSet.Load(Path.Combine(folder.Path, below), seed: 1);
    }

    [Fact]
    public void Images_to_hold_out_may_come_from_a_folder_of_their_own()
    {
        Add("train/cat", 10);
        Add("train/dog", 5);
        Add("test/dog", 3);
        var set = Load("train").WithTest(Path.Combine(folder.Path, "test"));
        Assert.Equal(new Dictionary<string, int> { ["cat"] = 10, ["dog"] = 5 }, Counts(set.Train));
        Assert.Equal(new Dictionary<string, int> { ["dog"] = 3 }, Counts(set.Test));

        Add("other/bird", 1);
        string stranger = Assert.Throws<IOException>(() => Load("train").WithTest(Path.Combine(folder.Path, "other"))).Message;
        Assert.Contains("is not in a folder of one of the classes to train on: cat, dog", stranger);
        Assert.Throws<DirectoryNotFoundException>(() => Load("train").WithTest(Path.Combine(folder.Path, "nowhere")));

        PhotoSet Load(string below) => PhotoSet.Load(Path.Combine(folder.Path, below), seed: 1);
    }

    [Fact]
    public void Extra_images_bear_no_labels()
    {
        Add("train/cat", 10);
        Add("train/dog", 5);
        Add("extra/dog", 3);
        Add("extra", 1);
        var set = PhotoSet.Load(Path.Combine(folder.Path, "train"), seed: 1).WithExtra(Path.Combine(folder.Path, "extra"));
        Assert.Equal(4, set.Extra.Count);
        Assert.All(set.Extra, photo => Assert.Equal("", photo.Label));
        Assert.Equal(12, set.Train.Count);
    }

    public void Dispose() => folder.Dispose();

    private void Add(string place, int count)
    {
        for (int i = 0; i < count; i++) folder.Write(Path.Combine(place, $"{i:00}.png"), [1]);
    }

    private static Dictionary<string, int> Counts(IEnumerable<Photo> photos) =>
        photos.GroupBy(p => p.Label).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count());
}
