package io.peft4j.benchmarks;

/** Sequences of one length. */
record BatchShape(int sequences, int tokens) {
    /** Reads a shape such as {@code 4x128}. */
    static BatchShape parse(String text) {
        int x = text.indexOf('x');
        return new BatchShape(Integer.parseInt(text.substring(0, x)), Integer.parseInt(text.substring(x + 1)));
    }
}
