package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an objective computes of each example before the first update, such as the log-probabilities of a reference
 * model. It is part of the checkpoints: a model that has been trained could not compute it again.
 */
final class ReferenceValues implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReferenceValues.class);

    private final Objective<?> objective;
    private final int values;
    private final Map<String, INDArray> arrays = new LinkedHashMap<>();
    private boolean known;

    /** Room for the values of all examples. */
    public ReferenceValues(Objective<?> objective, EncodedExamples training, Optional<EncodedExamples> validation) {
        this.objective = objective;
        this.values = objective.referenceValues() == 0 ? 0
                : Stream.concat(training.examples().stream(),
                        validation.stream().flatMap(set -> set.examples().stream()))
                        .mapToInt(objective::referenceValues).max().orElse(0);
        this.known = values == 0;
        try (Closer opened = new Closer()) {
            opened.add(this);
            if (values > 0) {
                arrays.put("training.reference", room(training));
                validation.ifPresent(set -> arrays.put("validation.reference", room(set)));
            }
            opened.keep();
        }
    }

    private INDArray room(EncodedExamples set) {
        return Arrays.zeros(DataType.FLOAT, set.examples().size(), values);
    }

    /** The arrays are those of a checkpoint now. */
    public void restored() {
        known = true;
    }

    /** What goes into checkpoints. */
    public Map<String, INDArray> arrays() {
        return arrays;
    }

    /**
     * Computes the values of a set, unless they are known; in the batches that come, so that the first update finds
     * those that it would compute itself.
     *
     * @param stopped whether to stop early; what is missing is not used then
     * @return false where they were known
     */
    public boolean compute(String name, EncodedExamples set, List<List<EncodedExample>> batches,
            Function<List<EncodedExample>, float[][]> reference, BooleanSupplier stopped) {
        if (known) {
            return false;
        }
        long begin = System.nanoTime();
        Map<EncodedExample, Integer> numbers = new IdentityHashMap<>();
        set.examples().forEach(example -> numbers.put(example, numbers.size()));
        INDArray array = arrays.get(name + ".reference");
        for (List<EncodedExample> batch : batches) {
            if (stopped.getAsBoolean()) {
                return true;
            }
            float[][] found = reference.apply(batch);
            for (int i = 0; i < found.length; i++) {
                Arrays.write(array, (long) numbers.get(batch.get(i)) * values, found[i], 0, found[i].length);
            }
        }
        LOG.info("the reference of {} was computed in {} s", Count.of(set.examples().size(), name + " example"),
                Math.round((System.nanoTime() - begin) / 1e8) / 10.0);
        return true;
    }

    /** The examples with their values; the same examples where there are none. */
    public EncodedExamples of(String name, EncodedExamples set) {
        if (values == 0) {
            return set;
        }
        float[] all = Arrays.toFloats(arrays.get(name + ".reference"));
        List<EncodedExample> examples = new ArrayList<>();
        for (EncodedExample example : set.examples()) {
            int from = examples.size() * values;
            examples.add(example.withMoreTargets(java.util.Arrays.copyOfRange(all, from,
                    from + objective.referenceValues(example))));
        }
        return new EncodedExamples(examples, set.leftOut());
    }

    @Override
    public void close() {
        Closer.closeAll(arrays.values());
    }
}
