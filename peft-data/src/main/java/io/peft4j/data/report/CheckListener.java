package io.peft4j.data.report;

/** Told how far a check has come. */
@FunctionalInterface
public interface CheckListener {
    /** Does nothing. */
    CheckListener NONE = (stage, rows) -> {
    };

    /**
     * Told now and then.
     *
     * @param stage what goes on
     * @param rows rows that were read so far
     */
    void progress(String stage, long rows);
}
