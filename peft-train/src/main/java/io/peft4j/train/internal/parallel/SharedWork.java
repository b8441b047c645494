package io.peft4j.train.internal.parallel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.data.pack.support.Seeds;
import io.peft4j.train.Cancellation;
import io.peft4j.train.internal.pass.Measures;
import io.peft4j.train.internal.pass.RowVisits;
import io.peft4j.train.internal.pass.TrainingPasses;
import io.peft4j.train.internal.task.PartSums;
import io.peft4j.train.internal.task.ReferenceValues;
import io.peft4j.train.internal.task.TrainingTask;
import io.peft4j.train.internal.task.Update;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.parallel.WorkerCollective;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is computed of batches: gradients, losses, references. The workers of a training divide it, and all of them have
 * the whole result. A worker that is asked to stop stops all.
 */
public final class SharedWork {
    private static final Logger LOG = LoggerFactory.getLogger(SharedWork.class);
    /** Values that are summed at a time. */
    private static final int BLOCK = 1 << 22;

    private final WorkerCollective workers;
    private final WorkDivision division;
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
        this.division = WorkDivision.of(workers, objective, task.options(), task.model().network());
        this.seed = task.options().seed();
        this.cancellation = cancellation;
        this.slow = new SlowWorkers(workers, LOG::warn);
    }

    private Passes passes(long dropoutSeed, Measures measures) {
        return passes.ofBatch(dropoutSeed, measures, rows);
    }

    /** The loss of an example by itself, without the others. */
    public double loss(EncodedExample example) {
        return objective.loss(passes(0, new Measures()), List.of(example));
    }

    /** Computes the gradients of an update; false where it was cancelled before all were there. */
    public boolean compute(Update update, List<Parameter> parameters) {
        long begin = System.nanoTime();
        double[] losses = new double[update.batches().size()];
        Measures measures = new Measures();
        boolean any = false;
        double share = workers.localSteps() == 1 ? 1 : share(update);
        int done = 0;
        int from = 0;
        for (; done < losses.length && !cancellation.isRequested(); done++) {
            List<EncodedExample> batch = update.batches().get(done);
            List<EncodedExample> part = division.part(batch, done);
            long started = System.nanoTime();
            if (!part.isEmpty()) {
                losses[done] = objective.backward(passes(dropoutSeed(update.number(), from), measures), part,
                        update.normalizer(batch) * share);
                any = true;
            }
            update.took((System.nanoTime() - started) / 1e9);
            from += batch.size();
        }
        long computed = System.nanoTime();
        List<Report> reports = tell(new Report(done < losses.length, any ? (System.nanoTime() - begin) / 1e9 : 0,
                losses, measures));
        if (reports.stream().anyMatch(Report::stopped)) {
            return false;
        }
        for (int i = 0; i < losses.length; i++) {
            update.add(sum(reports, i));
        }
        reports.forEach(report -> update.measures().add(report.measures()));
        // Answers stay with the worker that has them.
        measures.answers().forEach(update.measures()::show);
        long told = System.nanoTime();
        if (workers.localSteps() == 1) {
            sum(parameters.stream().map(Parameter::gradient).toList(), 1);
        } else {
            apart = true;
        }
        slow.add(reports.stream().mapToDouble(Report::seconds).toArray());
        LOG.debug("update {}: computed for {} ms, waited for {} ms, summed for {} ms", update.number(),
                millis(begin, computed), millis(computed, told), millis(told, System.nanoTime()));
        return true;
    }

    private static long millis(long from, long to) {
        return (to - from) / 1_000_000;
    }

    /** Parts of a divided batch have random numbers of their own. */
    private long dropoutSeed(long update, int from) {
        long whole = Seeds.mix(seed, update, from);
        return division.byBatch() || workers.rank() == 0 ? whole : Seeds.mix(whole, workers.rank(), 1);
    }

    private List<Report> tell(Report own) {
        return workers.gather(own.toBytes()).stream().map(said -> Report.of(said, own.losses().length)).toList();
    }

    private static double sum(List<Report> reports, int batch) {
        return reports.stream().mapToDouble(report -> report.losses()[batch]).reduce(0, Double::sum);
    }

    /** The part of an update's weight that this worker computes, so that its own update is made from a mean, too. */
    private double share(Update update) {
        double own = 0;
        double all = 0;
        for (int i = 0; i < update.batches().size(); i++) {
            own += EncodedExample.weight(division.part(update.batches().get(i), i));
            all += EncodedExample.weight(update.batches().get(i));
        }
        return own / all;
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

    /** Adds the losses of batches to sums; false where it was cancelled. */
    public boolean loss(List<List<EncodedExample>> batches, PartSums sums, Measures measures) {
        double[] losses = new double[batches.size()];
        Measures own = new Measures();
        boolean stopped = false;
        for (int i = 0; i < losses.length && !stopped; i++) {
            stopped = cancellation.isRequested();
            if (!stopped && division.takes(i)) {
                losses[i] = objective.loss(passes(0, own), batches.get(i));
            }
        }
        List<Report> reports = tell(new Report(stopped, 0, losses, own));
        if (reports.stream().anyMatch(Report::stopped)) {
            return false;
        }
        reports.forEach(report -> measures.add(report.measures()));
        for (int i = 0; i < losses.length; i++) {
            sums.add(batches.get(i), sum(reports, i));
        }
        return true;
    }

    /** Computes what the objective holds the model against for a set of examples. */
    public void computeReferences(ReferenceValues references, String name, EncodedExamples set,
            List<List<EncodedExample>> batches) {
        List<List<EncodedExample>> own = batches;
        if (workers.count() > 1) {
            own = IntStream.range(0, batches.size()).filter(division::takes)
                    .mapToObj(batches::get).toList();
        }
        if (references.compute(name, set, own, batch -> objective.reference(passes(0, new Measures()), batch),
                cancellation::isRequested)) {
            sum(List.of(references.arrays().get(name + ".reference")), 1);
        }
    }
}
