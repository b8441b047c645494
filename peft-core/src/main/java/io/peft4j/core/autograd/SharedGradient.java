package io.peft4j.core.autograd;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A gradient array that several variables may hold at once (a residual connection passes one gradient both ways).
 * Copied before a holder adds to it while another still needs it; freed with the last holder.
 */
final class SharedGradient {
    /** Who owns the array, and so what may be done with it. */
    private enum Kind {
        /** The arena's: added to in place, freed with the last holder. */
        TEMPORARY,
        /** A parameter's: added to in place, never freed here. */
        TARGET,
        /** The caller's seed: only read. */
        READ_ONLY
    }

    private final Tape tape;
    private final INDArray array;
    private final Kind kind;
    private int holders = 1;

    private SharedGradient(Tape tape, INDArray array, Kind kind) {
        this.tape = tape;
        this.array = array;
        this.kind = kind;
    }

    static SharedGradient temporary(Tape tape, INDArray array) {
        return new SharedGradient(tape, array, Kind.TEMPORARY);
    }

    static SharedGradient target(Tape tape, INDArray array) {
        return new SharedGradient(tape, array, Kind.TARGET);
    }

    static SharedGradient readOnly(Tape tape, INDArray array) {
        return new SharedGradient(tape, array, Kind.READ_ONLY);
    }

    INDArray array() {
        return array;
    }

    SharedGradient share() {
        holders++;
        return this;
    }

    /** This gradient, or a copy of it while something else still reads the array. */
    SharedGradient writable() {
        if (holders == 1 && kind != Kind.READ_ONLY) {
            return this;
        }
        INDArray copy = tape.allocateLike(array);
        tape.kernels().scale(array, 1f, copy, false);
        holders--;
        return temporary(tape, copy);
    }

    void release() {
        if (--holders == 0 && kind == Kind.TEMPORARY) {
            tape.free(array);
        }
    }
}
