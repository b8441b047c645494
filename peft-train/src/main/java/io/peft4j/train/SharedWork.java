package io.peft4j.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.Network;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.parallel.WorkerCollective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is computed of batches: gradients, losses, references. The workers of a training divide it, and all of them have
 * the whole result. A worker that is asked to stop stops all.
 */
final class SharedWork {
    private static final Logger LOG = LoggerFactory.getLogger(SharedWork.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Values that are summed at a time. */
    private static final int BLOCK = 1 << 22;

    private final WorkerCollective workers;
    /** Whether each worker takes whole batches; else every batch is divided. */
    private final boolean byBatch;
    private final Objective<?> objective;
    private final TrainingPasses passes;
    private final RowVisits rows;
    private final long seed;
    private final Cancellation cancellation;
    private final SlowWorkers slow;
    private float[] block = new float[0];
    /** Whether each worker has parameters of its own. */
    private boolean apart;

    /** The work of one of the workers. */
    public SharedWork(TrainingTask task, TrainingPasses passes, RowVisits rows, WorkerCollective workers,
            Cancellation cancellation) {
        this.rows = rows;
        this.workers = workers;
        this.objective = task.objective();
        this.passes = passes;
        this.byBatch = byBatch(objective, task.options(), task.model().network());
        this.seed = task.options().seed();
        this.cancellation = cancellation;
        this.slow = new SlowWorkers(workers, LOG::warn);
    }

    private Passes passes(long dropoutSeed, Measures measures) {
        return passes.ofBatch(dropoutSeed, measures, rows);
    }

    /** The loss of an example alone, without the others. */
    public double loss(EncodedExample example) {
        return objective.loss(passes(0, new Measures()), List.of(example));
    }

    /** What one worker makes of its part of a batch. */
    @FunctionalInterface
    private interface Computation {
        /** @param first number of the batch's first example among those of all batches */
        double loss(List<EncodedExample> batch, List<EncodedExample> part, int first, Measures measures);
    }

    /**
     * What a worker tells the others of the batches that it has computed.
     *
     * @param stopped whether it was asked to stop before all were done
     * @param seconds time it took; 0 where it had nothing to do
     * @param losses sums of losses by batch; 0 for those of others
     */
    private record Report(boolean stopped, double seconds, double[] losses, Measures measures) {
    }

    /** The gradients of an update; false where it was cancelled before all were there. */
    public boolean compute(long number, BatchLosses update, List<Parameter> parameters) {
        double share = workers.localSteps() == 1 ? 1 : share(update);
        List<Report> reports = run(update, this::part, (batch, part, first, measures) -> objective.backward(
                passes(dropoutSeed(number, first), measures), part, update.normalizer(batch) * share));
        if (reports.isEmpty()) {
            return false;
        }
        long told = System.nanoTime();
        if (workers.localSteps() == 1) {
            sum(parameters.stream().map(Parameter::gradient).toList(), 1);
        } else {
            apart = true;
        }
        double[] seconds = reports.stream().mapToDouble(Report::seconds).toArray();
        slow.add(seconds);
        LOG.debug("update {}: the workers computed for {} s, and summed for {} ms", number, seconds,
                (System.nanoTime() - told) / 1_000_000);
        return true;
    }

    /** The losses of batches, without gradients; false where it was cancelled. */
    public boolean loss(BatchLosses batches) {
        return !run(batches, (batch, number) -> takes(number) ? batch : List.of(),
                (batch, part, first, measures) -> objective.loss(passes(0, measures), part)).isEmpty();
    }

    /** Computes this worker's parts, and takes in what all have computed; empty where one was asked to stop. */
    private List<Report> run(BatchLosses all, BiFunction<List<EncodedExample>, Integer, List<EncodedExample>> own,
            Computation computation) {
        long begin = System.nanoTime();
        double[] losses = new double[all.batches().size()];
        Measures measures = new Measures();
        boolean any = false;
        int done = 0;
        int first = 0;
        for (; done < losses.length && !cancellation.isRequested(); done++) {
            List<EncodedExample> batch = all.batches().get(done);
            List<EncodedExample> part = own.apply(batch, done);
            long started = System.nanoTime();
            if (!part.isEmpty()) {
                losses[done] = computation.loss(batch, part, first, measures);
                any = true;
            }
            all.took((System.nanoTime() - started) / 1e9);
            first += batch.size();
        }
        List<Report> reports = tell(new Report(done < losses.length, any ? (System.nanoTime() - begin) / 1e9 : 0,
                losses, measures));
        if (reports.stream().anyMatch(Report::stopped)) {
            return List.of();
        }
        for (int i = 0; i < losses.length; i++) {
            int batch = i;
            all.add(reports.stream().mapToDouble(report -> report.losses()[batch]).reduce(0, Double::sum));
        }
        reports.forEach(report -> all.measures().add(report.measures()));
        // Answers stay with the worker that has them.
        measures.answers().forEach(all.measures()::show);
        return reports;
    }

    private List<Report> tell(Report own) {
        if (workers.count() == 1) {
            return List.of(own);
        }
        List<Report> reports = new ArrayList<>();
        try {
            for (byte[] said : workers.gather(JSON.writeValueAsBytes(own))) {
                Report report = JSON.readValue(said, Report.class);
                if (report.losses().length != own.losses().length) {
                    throw new IOException(report.losses().length + " losses of " + own.losses().length + " batches");
                }
                reports.add(report);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("another worker reports something else: " + e.getMessage(), e);
        }
        return reports;
    }

    /**
     * Whether whole batches are dealt out. Where those of an update can be dealt out evenly, each worker computes what
     * one worker alone would. Otherwise every batch is divided by the numbers of its tokens, unless the loss is one of
     * the whole batch, because an objective compares examples or routers have a loss of their own.
     *
     * @throws ConfigurationException when workers would have nothing to do
     */
    private boolean byBatch(Objective<?> minimized, TrainingOptions options, Network network) {
        int batches = options.gradientAccumulation().getAsInt();
        int count = workers.count();
        boolean whole = minimized.comparesExamples() || network.routerLossCoefficient() != 0;
        if (whole && batches < count) {
            throw new ConfigurationException((minimized.comparesExamples() ? "the objective '" + minimized.name()
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
        return whole || batches % count == 0;
    }

    /** Whether this worker computes a whole batch that is not divided. */
    private boolean takes(int batch) {
        return batch % workers.count() == workers.rank();
    }

    /** The examples of an update's batch that this worker computes, perhaps none; the number counts from 0. */
    private List<EncodedExample> part(List<EncodedExample> batch, int number) {
        if (byBatch) {
            return takes(number) ? batch : List.of();
        }
        return divide(batch, workers.count()).get(workers.rank());
    }

    /** The longest example goes to whoever has the fewest tokens so far; each part keeps the order. */
    private static List<List<EncodedExample>> divide(List<EncodedExample> batch, int count) {
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

    /** Parts of a divided batch have random numbers of their own. */
    private long dropoutSeed(long update, int from) {
        long whole = Seeds.mix(seed, update, from);
        return byBatch || workers.rank() == 0 ? whole : Seeds.mix(whole, workers.rank(), 1);
    }

    /** The part of an update's weight that this worker computes, so that its own update is made from a mean, too. */
    private double share(BatchLosses update) {
        double own = 0;
        double all = 0;
        for (int i = 0; i < update.batches().size(); i++) {
            own += EncodedExample.weight(part(update.batches().get(i), i));
            all += EncodedExample.weight(update.batches().get(i));
        }
        return own / all;
    }

    /** What updates by single workers add to the settings. */
    public Map<String, String> settings(Collection<TrainingHook> hooks, Collection<INDArray> remembered) {
        if (workers.localSteps() == 1) {
            return Map.of();
        }
        if (hooks.stream().anyMatch(hook -> hook != TrainingHook.NONE)
                || remembered.stream().anyMatch(array -> array.dataType() != DataType.FLOAT)) {
            throw new ConfigurationException("local steps take the mean of parameters and of what the optimizer "
                    + "remembers, which is for methods without terms of their own in a training and for optimizers "
                    + "that remember in 32 bits; train with sums of gradients (1 local step), or with another method "
                    + "or optimizer");
        }
        return Map.of("local_steps", workers.localSteps() + " of " + workers.count() + " workers");
    }

    /** Whether the workers have made as many updates by themselves as they may. */
    public boolean meetsAfter(long updates) {
        return updates % workers.localSteps() == 0;
    }

    /** Takes the mean of what the workers have, where they have made updates by themselves since the last time. */
    public void average(Collection<INDArray> arrays) {
        if (apart) {
            sum(List.copyOf(arrays), 1f / workers.count());
            apart = false;
        }
    }

    /** Sums arrays over all workers, times a factor, in blocks that may hold several of them or a part of one. */
    private void sum(List<INDArray> arrays, float factor) {
        if (workers.count() == 1) {
            return;
        }
        long total = arrays.stream().mapToLong(INDArray::length).sum();
        if (block.length == 0) {
            block = new float[(int) Math.min(BLOCK, total)];
        }
        Position in = new Position(arrays);
        Position out = new Position(arrays);
        for (long done = 0; done < total; done += block.length) {
            int count = (int) Math.min(block.length, total - done);
            in.move(count, (array, first, offset, length) -> Arrays.read(array, first, block, offset, length));
            workers.sum(block, count);
            for (int i = 0; factor != 1 && i < count; i++) {
                block[i] *= factor;
            }
            out.move(count, (array, first, offset, length) -> Arrays.write(array, first, block, offset, length));
        }
    }

    /** Moves values between an array and the block. */
    @FunctionalInterface
    private interface Move {
        void apply(INDArray array, long first, int offset, int length);
    }

    /** A place in a row of arrays. */
    private static final class Position {
        private final List<INDArray> arrays;
        private int array;
        private long first;

        Position(List<INDArray> arrays) {
            this.arrays = arrays;
        }

        void move(int count, Move move) {
            int offset = 0;
            while (offset < count) {
                INDArray now = arrays.get(array);
                int length = (int) Math.min(count - offset, now.length() - first);
                move.apply(now, first, offset, length);
                offset += length;
                first += length;
                if (first == now.length()) {
                    array++;
                    first = 0;
                }
            }
        }
    }

    /** Computes what the objective holds the model against for a set of examples. */
    public void computeReferences(ReferenceValues references, String name, EncodedExamples set,
            List<List<EncodedExample>> batches) {
        List<List<EncodedExample>> own = batches;
        if (workers.count() > 1) {
            own = IntStream.range(0, batches.size()).filter(this::takes)
                    .mapToObj(batches::get).toList();
        }
        if (references.compute(name, set, own, batch -> objective.reference(passes(0, new Measures()), batch),
                cancellation::isRequested)) {
            sum(List.of(references.arrays().get(name + ".reference")), 1);
        }
    }
}
