package io.peft4j.core.engine;

import io.peft4j.core.autograd.Tape;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Runs computations of any number of threads on one set of kernels, one after the other. It owns the kernels with their
 * worker threads, and gives out the memory of temporaries ({@link #workspace}).
 *
 * <p>Threads wait in a fair queue with two {@linkplain Priority priorities}. Work gives way to answers between two
 * operations, so that an answer waits for one operation and not for a step of a training; while both want to compute,
 * work keeps its share of the time.
 */
public final class Engine implements AutoCloseable {
    /** Who computes first where several want to. */
    public enum Priority {
        /** A client waits for an answer: goes before work, and is never interrupted. */
        ANSWER,
        /** Training, evaluation and all else: gives way to answers between two operations. */
        WORK
    }

    /** The share of the time that work keeps while answers want to compute, too. */
    public static final double DEFAULT_WORK_SHARE = 0.5;

    private final Kernels kernels;
    private final ComputeQueue queue;
    private boolean closed;

    /** An engine with {@link #DEFAULT_WORK_SHARE}; closing it closes the kernels. */
    public Engine(Kernels kernels) {
        this(kernels, DEFAULT_WORK_SHARE);
    }

    /**
     * An engine.
     *
     * @param kernels taken over: closing the engine closes them
     * @param workShare the share of the time that work keeps while answers want to compute, too: above 0, below 1
     */
    public Engine(Kernels kernels, double workShare) {
        this.kernels = Objects.requireNonNull(kernels, "kernels");
        this.queue = new ComputeQueue(workShare, System::nanoTime);
    }

    /**
     * Changes the share of the time that work keeps while answers want to compute, too.
     *
     * @param share above 0, below 1
     */
    public void workShare(double share) {
        queue.workShare(share);
    }

    /** The name of the kernels, for instance {@code onednn}. */
    public String name() {
        return kernels.name();
    }

    /** What must be the same for equal computations to give the same bits elsewhere ({@link Kernels#identity}). */
    public Map<String, String> identity() {
        return kernels.identity();
    }

    /** How products of bf16 matrices compare with those of f32 ones. */
    public BFloat16Speed bfloat16Speed() {
        return kernels.bfloat16Speed();
    }

    /** Memory for computations of the given priority that follow each other on one thread at a time. */
    public Workspace workspace(Priority priority) {
        return workspace(priority, UnaryOperator.identity());
    }

    /** As {@link #workspace(Priority)}, on kernels that are put around the engine's, to time them for instance. */
    public Workspace workspace(Priority priority, UnaryOperator<Kernels> around) {
        return new Workspace(this, priority, around.apply(kernels));
    }

    /**
     * Memory for the passes of generation: answers, on {@linkplain Kernels#forGeneration kernels} for few rows.
     *
     * @param rows the rows of a step while all sequences run
     */
    public Workspace generation(int rows) {
        return new Workspace(this, Priority.ANSWER, kernels.forGeneration(rows));
    }

    /**
     * Computes with kernels alone, as work. The function must not wait for another thread, nor keep the kernels.
     *
     * @throws ClosedException when the engine is closed
     */
    public <T> T compute(Function<Kernels, T> function) {
        return inTurn(Priority.WORK, () -> function.apply(kernels));
    }

    /** As {@link #compute}, without a result. */
    public void run(Consumer<Kernels> action) {
        compute(given -> {
            action.accept(given);
            return null;
        });
    }

    /**
     * Computes in f32 on a tape that records nothing, as work. The result must not be memory of the tape.
     *
     * @throws ClosedException when the engine is closed
     */
    public <T> T evaluate(Function<Tape, T> function) {
        try (Workspace workspace = workspace(Priority.WORK); Tape tape = workspace.inference(DataType.FLOAT)) {
            return workspace.compute(() -> function.apply(tape));
        }
    }

    /** As {@link #evaluate}, without a result. */
    public void onTape(Consumer<Tape> action) {
        evaluate(tape -> {
            action.accept(tape);
            return tape;
        });
    }

    <T> T inTurn(Priority priority, Supplier<T> function) {
        queue.take(priority);
        try {
            if (closed) {
                throw new ClosedException("the engine");
            }
            return function.get();
        } finally {
            queue.giveBack();
        }
    }

    /** Nanoseconds for which answers have waited until now for their turn to compute, all of them together. */
    public long answersWaited() {
        return queue.answersWaited();
    }

    /** Lets those go first who should; for work, between two operations. */
    public void giveWay() {
        queue.giveWay();
    }

    /** Closes the kernels when no thread computes; a second time does nothing. */
    @Override
    public void close() {
        // As an answer it would come while work gives way, which continues with the kernels afterwards.
        queue.take(Priority.WORK);
        try {
            if (!closed) {
                closed = true;
                kernels.close();
            }
        } finally {
            queue.giveBack();
        }
    }

    @Override
    public String toString() {
        return "engine with " + name() + " kernels";
    }
}
