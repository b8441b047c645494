package io.peft4j.core.engine;

import io.peft4j.core.array.Arena;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.kernel.Kernels;
import java.util.function.Supplier;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The memory of temporaries for computations that follow each other, and the right to take turns on an {@link Engine}.
 * For use by one thread at a time.
 */
public final class Workspace implements AutoCloseable {
    private final Engine engine;
    private final Priority priority;
    private final Kernels kernels;
    private final Arena arena = new Arena();

    Workspace(Engine engine, Priority priority, Kernels kernels) {
        this.engine = engine;
        this.priority = priority;
        this.kernels = kernels;
    }

    /**
     * Runs a computation on this workspace's tapes when it is this thread's turn. Code of users does not belong into
     * it: others wait meanwhile.
     *
     * @throws io.peft4j.core.error.ClosedException when the engine is closed
     */
    public <T> T compute(Supplier<T> computation) {
        return engine.inTurn(priority, computation);
    }

    /** A tape for training in this memory; computations of work give way between its operations. */
    public Tape recording(DataType activationType) {
        return Tape.recording(kernels, arena, activationType, engine::giveWay);
    }

    /** As {@link #recording}, a tape that records nothing. */
    public Tape inference(DataType activationType) {
        return Tape.inference(kernels, arena, activationType, engine::giveWay);
    }

    /** The memory. */
    public Arena arena() {
        return arena;
    }

    /** Frees the memory. */
    @Override
    public void close() {
        arena.close();
    }
}
