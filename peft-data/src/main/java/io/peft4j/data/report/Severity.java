package io.peft4j.data.report;

import java.util.Locale;

/** How bad a finding is. */
public enum Severity {
    /** Training on it fails or teaches nothing. */
    ERROR,
    /** Likely to teach something wrong. */
    WARNING,
    /** Worth knowing. */
    INFO;

    /** The name for machines: lower case. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }
}
