package io.peft4j.train.parallel;

import java.util.List;

/**
 * The workers of one training, seen by one of them. All of them make the same calls in the same order; each call
 * returns when all others have made theirs.
 *
 * <p>A worker that is gone, or that does not answer in time, makes every call fail with a {@link WorkerException} that
 * names it. The gradients of an update are summed by {@link #sum}, losses and decisions go round by {@link #gather}.
 *
 * @see WorkerSocket
 */
public interface WorkerCollective extends AutoCloseable {
    /** A training that has one worker, which computes everything. */
    static WorkerCollective one() {
        return SingleWorker.SOLE;
    }

    /** The number of this worker, from 0. */
    int rank();

    /** How many there are. */
    int count();

    /**
     * Updates that each worker makes on its own, from its own part of the examples, before all take the mean of their
     * parameters and of what their optimizers remember. Default: 1, which means that every update is made from the sum
     * of all gradients.
     */
    default int localSteps() {
        return 1;
    }

    /** What a worker is called in messages, such as {@code worker 2 (10.0.0.7:7077)}. */
    String name(int rank);

    /**
     * Replaces values by their sums over all workers. They are added in the order of the workers, so the same values
     * on the same number of workers have the same sums, bit for bit, and all workers have the same ones.
     *
     * @param values what this worker has; all have as many
     * @param count how many of them, from the first on
     * @throws WorkerException when a worker fails, or has another number of values
     */
    void sum(float[] values, int count);

    /**
     * What each worker says, by rank.
     *
     * @param said what this one says, up to 64 MiB
     * @throws WorkerException when a worker fails
     */
    List<byte[]> gather(byte[] said);

    /** Tells the others, as far as they can be reached, that this worker gives up; their next call fails. */
    void fail(String reason);

    @Override
    void close();
}
