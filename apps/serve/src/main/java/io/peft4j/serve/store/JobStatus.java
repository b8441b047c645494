package io.peft4j.serve.store;

import java.util.Locale;

/** The status of a job; the names are those of OpenAI's clients, which know no paused one. */
public enum JobStatus {
    /** Its data is looked at, or waits for it. */
    VALIDATING_FILES,
    /** It waits for its turn, or is paused. */
    QUEUED,
    /** It trains. */
    RUNNING,
    /** Its model answers. */
    SUCCEEDED,
    /** Its error says why. */
    FAILED,
    /** It was stopped. */
    CANCELLED;

    /** The name in replies and rows. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }

    static JobStatus of(String code) {
        return valueOf(code.toUpperCase(Locale.ROOT));
    }
}
