package io.peft4j.core.nn;

/**
 * How much the blocks of a pass keep for their gradients, so that the pass keeps about as much as it may in the least
 * time: a block keeps all if there is room for the rest, else it computes its
 * {@linkplain io.peft4j.core.autograd.Tape#wide wide} products again, and where that is not enough the last ones keep
 * their input alone. What a block takes is seen from those that have run.
 */
final class ActivationBudget {
    /** What a block keeps. */
    enum Keeps {
        /** Everything that its gradients read. */
        ALL,
        /** All but wide products. */
        NARROW,
        /** Its input. */
        INPUT
    }

    private final long mostBytes;
    private long all;
    private long narrow;

    /**
     * Memory for a pass.
     *
     * @param mostBytes a block that begins when more is kept keeps its input alone
     */
    ActivationBudget(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** All blocks keep all. */
    static ActivationBudget unlimited() {
        return new ActivationBudget(Long.MAX_VALUE);
    }

    /**
     * What the next block keeps.
     *
     * @param bytes what is kept so far
     * @param following blocks after it
     */
    Keeps next(long bytes, int following) {
        if (bytes > mostBytes) {
            return Keeps.INPUT;
        }
        long untilLast = bytes + all + (following - 1) * leastOfBlock();
        return untilLast <= mostBytes ? Keeps.ALL : Keeps.NARROW;
    }

    /** Until a block without its wide products has run, half of all is what such a one keeps in usual networks. */
    private long leastOfBlock() {
        return narrow > 0 ? narrow : all / 2;
    }

    /** Notes what a block has kept. */
    void note(Keeps keeps, long bytes) {
        if (keeps == Keeps.ALL) {
            all = Math.max(all, bytes);
        } else if (keeps == Keeps.NARROW) {
            narrow = Math.max(narrow, bytes);
        }
    }
}
