package io.peft4j.train.internal.parallel;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.support.Count;
import io.peft4j.core.model.Network;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.parallel.WorkerCollective;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which examples of an update a worker computes; it follows from the examples and the number of workers alone.
 *
 * <p>Where the batches of an update can be dealt out evenly, each worker takes whole ones, and computes what one worker
 * alone would. Otherwise every batch is divided by the numbers of its tokens. Where the loss is one of the whole batch,
 * because an objective compares examples or routers have a loss of their own, there are whole batches always.
 */
record WorkDivision(int rank, int count, boolean byBatch) {
    /**
     * The division of a training.
     *
     * @throws ConfigurationException when workers would have nothing to do
     */
    static WorkDivision of(WorkerCollective workers, Objective<?> objective, TrainingOptions options, Network network) {
        int batches = options.gradientAccumulation().getAsInt();
        int count = workers.count();
        boolean whole = objective.comparesExamples() || network.routerLossCoefficient() != 0;
        if (whole && batches < count) {
            throw new ConfigurationException((objective.comparesExamples() ? "the objective '" + objective.name()
                    + "' compares the examples of a batch" : "the model's routers have a loss of the whole batch")
                    + ", so a batch is not divided, and an update of " + Count.of(batches, "batch")
                    + " cannot be shared by " + count + " workers; set the gradient accumulation to "
                    + count + " or a multiple of it");
        }
        if (!whole && batches % count != 0 && options.packTokens() == 0
                && options.batchSize().getAsInt() < count) {
            throw new ConfigurationException("a batch of " + options.batchSize().getAsInt()
                    + " cannot be divided among " + count
                    + " workers; set the batch size to " + count + " or more, or the gradient accumulation to a "
                    + "multiple of it");
        }
        return new WorkDivision(workers.rank(), count, whole || batches % count == 0);
    }

    /** Whether this worker computes a whole batch that is not divided. */
    boolean takes(int batch) {
        return batch % count == rank;
    }

    /**
     * The examples of an update's batch that this worker computes, perhaps none.
     *
     * @param number of the batch in its update, from 0
     */
    List<EncodedExample> part(List<EncodedExample> batch, int number) {
        if (byBatch) {
            return takes(number) ? batch : List.of();
        }
        return divide(batch).get(rank);
    }

    /** The longest example goes to whoever has the fewest tokens so far; each part keeps the order. */
    private List<List<EncodedExample>> divide(List<EncodedExample> batch) {
        int[] owner = new int[batch.size()];
        long[] tokens = new long[count];
        IntStream.range(0, batch.size()).boxed().sorted(Comparator.comparingLong(i -> -batch.get(i).tokens()))
                .forEach(i -> {
                    int least = 0;
                    for (int worker = 1; worker < count; worker++) {
                        least = tokens[worker] < tokens[least] ? worker : least;
                    }
                    owner[i] = least;
                    tokens[least] += batch.get(i).tokens();
                });
        List<List<EncodedExample>> parts = new ArrayList<>();
        for (int worker = 0; worker < count; worker++) {
            int own = worker;
            parts.add(IntStream.range(0, batch.size()).filter(i -> owner[i] == own).mapToObj(batch::get).toList());
        }
        return parts;
    }
}
