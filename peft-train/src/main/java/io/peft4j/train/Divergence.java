package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.objective.EncodedExample;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A training whose figures are no numbers any more, or never will be.
 *
 * @param batches the batches of the update
 * @param losses the loss of each batch that was computed
 */
record Divergence(List<List<EncodedExample>> batches, List<Double> losses) {
    private static final int LISTED = 10;

    /**
     * The failure, with the batch and the examples that it came from, as far as that can be seen.
     *
     * @param update number of the update, from 1
     * @param lossOf the loss of an example alone
     */
    public ConfigurationException at(long update, double loss, double norm, double learningRate,
            ToDoubleFunction<EncodedExample> lossOf) {
        int batch = 0;
        while (batch < losses.size() && Double.isFinite(losses.get(batch))) {
            batch++;
        }
        List<EncodedExample> all = batch < losses.size() ? batches.get(batch)
                : batches.stream().flatMap(List::stream).toList();
        List<EncodedExample> bad = all.stream().filter(example -> !Double.isFinite(lossOf.applyAsDouble(example)))
                .toList();
        String place = batch < losses.size() ? "batch " + (batch + 1) + " of " + batches.size() + " has no finite loss"
                : "the losses of its batches are finite, their gradients are not";
        String which = bad.isEmpty() || bad.size() == all.size() ? "its examples are " : "the loss is not finite for ";
        return new ConfigurationException("update " + update + " gave the loss " + loss + " and the gradient "
                + "norm " + norm + "; the training has diverged and the update was not made: " + place + "; " + which
                + listed(bad.isEmpty() ? all : bad) + ". Lower the learning rate (" + learningRate
                + ") or the scaling of the adapter, or add warm-up steps");
    }

    /**
     * Refuses values that are no numbers after so many updates.
     *
     * @throws ConfigurationException with the name of the first
     */
    public static void requireFinite(List<Parameter> parameters, long updates, double learningRate) {
        for (Parameter parameter : parameters) {
            if (!Arrays.isFinite(parameter.value())) {
                throw new ConfigurationException("after update " + updates + " the values of " + parameter.name()
                        + " are not finite; the training has diverged, and nothing was saved of it since the last "
                        + "checkpoint. Lower the learning rate (" + learningRate + ") or the scaling of the "
                        + "adapter, or add warm-up steps");
            }
        }
    }

    /**
     * Refuses a first update without any gradient.
     *
     * @throws ConfigurationException when there is none
     */
    public static void requireGradient(double norm, long trainable) {
        if (norm == 0) {
            throw new ConfigurationException("no gradient reaches any of the " + trainable + " trainable parameters, "
                    + "so nothing would be learned; check that the adapter's layers are in use and that its first "
                    + "values are not all 0");
        }
    }

    private static String listed(List<EncodedExample> some) {
        return String.join(", ", some.stream().limit(LISTED).map(EncodedExample::name).toList())
                + (some.size() > LISTED ? " and " + (some.size() - LISTED) + " others" : "");
    }
}
