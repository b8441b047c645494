package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Task;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An objective over the result of a model's head: only the loss of the result and its gradient differ. Examples that
 * are longer than what the model reads are cut, and counted and listed in the log.
 *
 * @param <E> an example as a user has it
 */
abstract class HeadObjective<E> implements Objective<E> {
    private static final Logger LOG = LoggerFactory.getLogger(HeadObjective.class);
    private static final int LISTED = 10;

    private final Task task;

    /**
     * An objective for a model.
     *
     * @throws ConfigurationException when the model was loaded for another task
     */
    HeadObjective(Model model, Task.Type type) {
        this.task = model.network().task();
        if (task.type() != type) {
            throw new ConfigurationException(model.network().description().name() + " was loaded for " + task.type()
                    + ", and " + name() + " trains models for " + type + "; load it with ModelOptions.withTask");
        }
    }

    /** One that differs in options alone. */
    HeadObjective(HeadObjective<E> other) {
        this.task = other.task;
    }

    final Task task() {
        return task;
    }

    /** From how many tokens on a sequence may be part of an example only. Default: no sequence is. */
    int limit() {
        return Integer.MAX_VALUE;
    }

    /** Whether the model reads less than the whole example, which has {@link #limit} tokens. Default: never. */
    boolean isCut(E example) {
        return false;
    }

    @Override
    public EncodedExamples encode(List<E> examples, DataSetup setup) {
        EncodedExamples encoded = Objective.super.encode(examples, setup);
        // Only what is as long as the model can read is tokenized again, to see whether it is longer.
        int[] cut = limit() == Integer.MAX_VALUE ? new int[0] : IntStream.range(0, examples.size())
                .filter(i -> encoded.examples().get(i).sequences().stream().anyMatch(part -> part.length() >= limit())
                        && isCut(examples.get(i)))
                .toArray();
        if (cut.length > 0) {
            LOG.warn("longer than what the model reads, and cut there: {} of {}: {}", cut.length,
                    Count.of(examples.size(), setup.kind() + " example"), IntStream.of(cut).limit(LISTED)
                            .mapToObj(i -> "row " + (i + 1)).collect(Collectors.joining("; "))
                            + (cut.length > LISTED ? " and others" : ""));
        }
        return encoded;
    }

    /**
     * The sum of the weighted losses.
     *
     * @param batch the examples
     * @param outputs the head's result, one row after the other
     * @param columns values in a row
     * @param gradient gets the gradient of the sum for each of the outputs
     */
    abstract double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient);

    /** The shares that the objective measures beside its loss; by default the {@link #ACCURACY} of its labels. */
    void measure(Passes passes, List<EncodedExample> batch, float[] outputs, int columns) {
        boolean[] right = right(batch, outputs, columns);
        if (right.length > 0) {
            passes.measure(ACCURACY, IntStream.range(0, right.length).filter(i -> right[i]).count(), right.length);
        }
    }

    /** Of each example whether all of it is predicted right; by default none, where that is not told. */
    boolean[] right(List<EncodedExample> batch, float[] outputs, int columns) {
        return new boolean[0];
    }

    /** The index of the largest of {@code count} values, {@code step} apart from {@code first} on. */
    static int best(float[] values, int first, int step, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = values[first + i * step] > values[first + best * step] ? i : best;
        }
        return best;
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        double[] sum = new double[1];
        return passes.training(batch, pass -> {
            pass.backward((outputs, columns, gradient) -> {
                double[] exact = new double[outputs.length];
                sum[0] = loss(batch, outputs, columns, exact);
                measure(passes, batch, outputs, columns);
                boolean[] right = right(batch, outputs, columns);
                for (int i = 0; i < right.length; i++) {
                    passes.visited(batch.get(i), right[i], sum[0] / EncodedExample.weight(batch));
                }
                for (int i = 0; i < exact.length; i++) {
                    gradient[i] = (float) (exact[i] / normalizer);
                }
                return sum[0];
            });
            return sum[0];
        });
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        float[] outputs = passes.evaluation(EncodedExample.sequences(batch), Pass::outputs);
        int columns = outputs.length / rows(batch);
        measure(passes, batch, outputs, columns);
        return loss(batch, outputs, columns, new double[outputs.length]);
    }

    /** Rows of the result. */
    private int rows(List<EncodedExample> batch) {
        return (int) (task.type().judgesTokens() ? batch.stream().mapToLong(EncodedExample::tokens).sum()
                : batch.stream().mapToLong(example -> example.sequences().size()).sum());
    }

    @Override
    public String toString() {
        return "objective " + name();
    }
}
