using System.Globalization;

namespace MaskBias.MLNet.Training;

/// <summary>The loss of a step was not a finite number.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(string phase, TrainingPosition position, double loss, double learningRate)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"{phase} diverged: the loss is {loss} at step {position.Step} of epoch {position.Epoch + 1}, where the learning rate was {learningRate:g4}. Lower LearningRate, lengthen WarmupEpochs or lower ClipGradient."))
    {
    }
}
