package io.peft4j.cli;

import io.peft4j.core.measure.ProcessUsage;
import java.util.Locale;
import java.util.OptionalLong;

/** How the most memory that this process has had resident is shown. */
final class PeakMemory {
    private PeakMemory() {
    }

    /** The figure of now in megabytes, or a word where the system does not tell. */
    static String text() {
        return text(ProcessUsage.peakResidentBytes());
    }

    /** A figure in megabytes, or a word for none. */
    static String text(OptionalLong bytes) {
        return bytes.isEmpty() ? "unknown" : String.format(Locale.ROOT, "%,d MB", bytes.getAsLong() / 1_000_000);
    }
}
