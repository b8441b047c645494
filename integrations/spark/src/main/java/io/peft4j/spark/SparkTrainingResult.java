package io.peft4j.spark;

import io.peft4j.core.error.Count;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.TrainingResult.Ending;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;

/**
 * What a training on Spark did.
 *
 * @param ending why it ended
 * @param updates updates in all, also those before it went on from a checkpoint
 * @param trainLosses the loss of each update since then
 * @param evalLosses the losses on the validation data, the first before training
 * @param seconds time of the training since then
 * @param workers how many tasks shared it
 * @param attempts how often the stage was given to Spark; more than one where tasks were lost
 * @param output where the adapter lies
 */
public record SparkTrainingResult(Ending ending, long updates, List<Double> trainLosses, List<Double> evalLosses,
        double seconds, int workers, int attempts, String output) implements Serializable {
    /** Copies the lists. */
    public SparkTrainingResult {
        trainLosses = List.copyOf(trainLosses);
        evalLosses = List.copyOf(evalLosses);
    }

    static SparkTrainingResult of(TrainingResult result, int workers, String output) {
        return new SparkTrainingResult(result.ending(), result.plan().doneSteps() + result.steps().size(),
                result.steps().stream().map(StepMetrics::trainLoss).toList(),
                result.evaluations().stream().map(TrainingResult.Evaluation::loss).toList(), result.seconds(),
                workers, 1, output);
    }

    /** One line: updates, losses, time, and where the adapter lies. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s after %s by %s, the last %d of them in %.1f s%s; adapter "
                + "in %s", ending.name().toLowerCase(Locale.ROOT).replace('_', ' '), Count.of(updates, "update"),
                Count.of(workers, "worker"),
                trainLosses.size(), seconds, trainLosses.isEmpty() ? "" : String.format(Locale.ROOT,
                        ", loss %.4f -> %.4f", trainLosses.get(0), trainLosses.get(trainLosses.size() - 1)),
                output);
    }

    SparkTrainingResult after(int count) {
        return new SparkTrainingResult(ending, updates, trainLosses, evalLosses, seconds, workers, count, output);
    }
}
