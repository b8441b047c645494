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

    /** What the model is for. */
    final Task task() {
        return task;
    }

    /** Whether the model reads less than the whole example. Default: never. */
    boolean isCut(E example) {
        return false;
    }

    @Override
    public EncodedExamples encode(List<E> examples, DataSetup setup) {
        EncodedExamples encoded = Objective.super.encode(examples, setup);
        int[] cut = IntStream.range(0, examples.size()).filter(i -> isCut(examples.get(i))).toArray();
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

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        double[] sum = new double[1];
        return passes.training(batch, pass -> {
            pass.backward((outputs, columns, gradient) -> {
                double[] exact = new double[outputs.length];
                sum[0] = loss(batch, outputs, columns, exact);
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
        return loss(batch, outputs, outputs.length / rows(batch), new double[outputs.length]);
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
