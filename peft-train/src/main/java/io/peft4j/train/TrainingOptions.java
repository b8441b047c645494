package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.pack.PackOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The numbers of a training.
 *
 * @param epochs passes over the data
 * @param batchSize examples a forward pass
 * @param gradientAccumulation forward passes an update; default 1
 * @param learningRate the highest learning rate, at most 1
 * @param schedule how the learning rate moves; default linear decay
 * @param warmupSteps updates over which it rises from 0; default 0
 * @param weightDecay decoupled weight decay; default 0
 * @param maxGradNorm gradients are scaled down to this norm; 0 means never; default 1
 * @param seed seed of order and dropout; default 0
 * @param shuffle whether each epoch has its own order; default true
 * @param sharePrefixes whether a beginning that examples of a batch share is computed once; default true
 * @param packing which examples come into a batch together; default in order, as a plain data loader does
 * @param packTokens the most tokens of a batch, which then holds as many examples as fit, whatever the batch size is; 0
 *     means that the batch size decides; default 0
 * @param recompute whether of each decoder layer only the input is kept for the gradients, and the layer runs a second
 *     time when they are due: less memory, a third to a half more time, the same numbers; default false, where only
 *     layers of a long batch do so: those that begin when the values kept take 1.7 times the size of the weights in the
 *     activations' type, and at least 256 MB, already
 */
public record TrainingOptions(int epochs, int batchSize, int gradientAccumulation, double learningRate,
        LearningRateSchedule schedule, int warmupSteps, double weightDecay, double maxGradNorm, long seed,
        boolean shuffle, boolean sharePrefixes, PackOptions.Strategy packing, int packTokens, boolean recompute) {
    private static final double HIGHEST_LEARNING_RATE = 1;

    /** Checks the ranges. */
    public TrainingOptions {
        Objects.requireNonNull(schedule, "schedule");
        require(epochs >= 1, "number of epochs", epochs, "at least 1");
        require(batchSize >= 1, "batch size", batchSize, "at least 1");
        require(gradientAccumulation >= 1, "gradient accumulation", gradientAccumulation, "at least 1");
        require(learningRate > 0 && learningRate <= HIGHEST_LEARNING_RATE, "learning rate", learningRate,
                "above 0 and at most " + HIGHEST_LEARNING_RATE + ", since an update of AdamW moves each value by about "
                        + "that much; 1e-4 to 1e-2 is usual");
        require(warmupSteps >= 0, "warm-up steps", warmupSteps, "0 or more");
        require(weightDecay >= 0 && weightDecay * learningRate < 1, "weight decay", weightDecay,
                "0 or more, and less than 1 by the learning rate, with which values would go to 0 in one update");
        require(maxGradNorm >= 0, "maximal gradient norm", maxGradNorm, "0 (no clipping) or more");
        Objects.requireNonNull(packing, "packing");
        require(packTokens >= 0, "number of tokens of a batch", packTokens, "0 (the batch size decides) or more");
        // The number of batches of an epoch would depend on its order, and with it where the schedule ends.
        require(packTokens == 0 || packing != PackOptions.Strategy.IN_ORDER, "packing", packing,
                "another one where batches hold a number of tokens");
    }

    private static void require(boolean ok, String name, Object value, String allowed) {
        if (!ok) {
            throw new ConfigurationException("the " + name + " is " + value + "; it must be " + allowed);
        }
    }

    /**
     * Numbers without which there is no training, and the defaults of all others.
     *
     * @throws ConfigurationException when one is out of range
     */
    public static TrainingOptions of(int epochs, int batchSize, double learningRate) {
        return new TrainingOptions(epochs, batchSize, 1, learningRate, LearningRateSchedule.LINEAR, 0, 0, 1, 0, true,
                true, PackOptions.Strategy.IN_ORDER, 0, false);
    }

    /** Those that decide the course of a training, by name: all but {@link #recompute}, which changes no bit. */
    Map<String, String> deciding() {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("epochs", String.valueOf(epochs));
        values.put("batch_size", String.valueOf(batchSize));
        values.put("gradient_accumulation", String.valueOf(gradientAccumulation));
        values.put("learning_rate", String.valueOf(learningRate));
        values.put("schedule", String.valueOf(schedule));
        values.put("warmup_steps", String.valueOf(warmupSteps));
        values.put("weight_decay", String.valueOf(weightDecay));
        values.put("max_grad_norm", String.valueOf(maxGradNorm));
        values.put("seed", String.valueOf(seed));
        values.put("shuffle", String.valueOf(shuffle));
        values.put("packing", String.valueOf(packing));
        values.put("pack_tokens", String.valueOf(packTokens));
        values.put("share_prefixes", String.valueOf(sharePrefixes));
        return values;
    }

    /** How examples come into batches. */
    PackOptions packOptions() {
        PackOptions limit = packTokens == 0 ? PackOptions.ofSequences(batchSize) : PackOptions.ofTokens(packTokens);
        return limit.strategy(packing).shuffle(shuffle).sharePrefixes(sharePrefixes).seed(seed);
    }
}
