package io.peft4j.cli;

import io.peft4j.core.measure.ProcessUsage;
import java.util.Locale;
import java.util.OptionalLong;

/** How the most memory that this process has had resident is shown. */
final class PeakMemory {
    private PeakMemory() {
    }

    /** The figure in megabytes, or a word where the system does not tell. */
    static String text() {
        OptionalLong bytes = ProcessUsage.peakResidentBytes();
        return bytes.isEmpty() ? "unknown" : String.format(Locale.ROOT, "%,d MB", bytes.getAsLong() / 1_000_000);
    }
}
