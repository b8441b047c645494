package io.peft4j.core.autograd;

import java.util.Objects;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A value on a {@link Tape}, with room for its gradient. Made by the tape and its operations only.
 */
public final class Variable {
    /** Writes a gradient, or adds to it where {@code accumulate}. */
    @FunctionalInterface
    public interface GradientWriter {
        /** Writes into {@code gradient}; its old contents count only where {@code accumulate}. */
        void write(INDArray gradient, boolean accumulate);
    }

    private final Tape tape;
    private final boolean requiresGradient;
    /** Once dropped, its shape and type only: the memory may belong to another array. */
    private INDArray value;
    private boolean ownsValue;
    private boolean read;
    private boolean dropped;
    /** Computes the value again; null where that is not possible. */
    private Consumer<INDArray> recomputation;
    private SharedGradient gradient;

    Variable(Tape tape, INDArray value, boolean requiresGradient, boolean ownsValue) {
        this.tape = tape;
        this.value = Objects.requireNonNull(value, "value");
        this.requiresGradient = requiresGradient;
        this.ownsValue = ownsValue;
    }

    /** The value; computed again where it was dropped meanwhile. */
    public INDArray value() {
        if (dropped) {
            value = tape.allocateLike(value);
            dropped = false;
            recomputation.accept(value);
        }
        return value;
    }

    /** Whether a trainable parameter lies below, so that a gradient is wanted. */
    public boolean requiresGradient() {
        return requiresGradient;
    }

    /** N, the number of rows of the value. */
    public int rows() {
        return Math.toIntExact(value.size(0));
    }

    /** The number of columns of the value. */
    public int columns() {
        return Math.toIntExact(value.size(1));
    }

    /**
     * Adds a gradient that {@code writer} computes; does nothing where no gradient is wanted. The writer may write in
     * place or add, so an operation never fills zeros first.
     */
    public void addGradient(GradientWriter writer) {
        if (!requiresGradient) {
            return;
        }
        if (gradient == null) {
            gradient = SharedGradient.temporary(tape, tape.allocateLike(value));
            writer.write(gradient.array(), false);
        } else {
            gradient = gradient.writable();
            writer.write(gradient.array(), true);
        }
    }

    /** Passes the gradient of {@code output} on unchanged, without copying where this is the first to arrive. */
    void addGradientOf(Variable output) {
        if (!requiresGradient) {
            return;
        }
        if (gradient == null) {
            gradient = output.gradient.share();
        } else {
            INDArray dy = output.gradient.array();
            addGradient((dx, accumulate) -> tape.kernels().add(dx, dy, dx));
        }
    }

    /** Takes over a gradient that an operation computed into a temporary array of its own. */
    void addTemporaryGradient(INDArray computed) {
        if (requiresGradient && gradient == null) {
            gradient = SharedGradient.temporary(tape, computed);
            return;
        }
        addGradient((dx, accumulate) -> tape.kernels().add(dx, computed, dx));
        tape.free(computed);
    }

    boolean hasGradient() {
        return gradient != null;
    }

    INDArray gradientArray() {
        return gradient.array();
    }

    void seed(SharedGradient seed) {
        gradient = seed;
    }

    void dropGradient() {
        if (gradient != null) {
            gradient.release();
            gradient = null;
        }
    }

    boolean ownsValue() {
        return ownsValue;
    }

    /** Hands the memory of the value to the result of an operation that has overwritten it. */
    void giveUpValue() {
        ownsValue = false;
        recomputation = null;
    }

    /** From now on the value may be dropped; {@code computation} writes it into an array that it is given. */
    void recomputeBy(Consumer<INDArray> computation) {
        recomputation = computation;
    }

    /** Frees the value where it can be computed again. */
    void dropValue() {
        if (recomputation != null) {
            freeValue();
        }
    }

    /** Frees the value where this variable owns it and it is still there; it is not read any more or recomputable. */
    void freeValue() {
        if (ownsValue && !dropped) {
            tape.free(value);
            dropped = true;
        }
    }

    /** Whether {@code array} is the value, and not dropped. */
    boolean holds(INDArray array) {
        return value == array && !dropped;
    }

    /** Notes that a recorded operation has read the value, so that its gradient may read it again. */
    void markRead() {
        read = true;
    }

    /** Whether the gradient of a recorded operation may read the value. */
    boolean isRead() {
        return read;
    }

    @Override
    public String toString() {
        return "variable " + java.util.Arrays.toString(value.shape());
    }
}
