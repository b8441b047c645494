package io.peft4j.fuzz;

import io.peft4j.core.error.PeftException;

/** Runs several readings of one file, each of which may be refused, and gives on the first refusal at the end. */
final class Reports {
    private PeftException first;

    void run(Runnable reading) {
        try {
            reading.run();
        } catch (PeftException e) {
            first = first == null ? e : first;
        }
    }

    void done() {
        if (first != null) {
            throw first;
        }
    }
}
