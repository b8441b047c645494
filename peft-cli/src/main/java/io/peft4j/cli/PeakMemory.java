package io.peft4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** The most memory that this process has had resident, native memory included; Linux only. */
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String KEY = "VmHWM:";

    private PeakMemory() {
    }

    /** Bytes; empty where the system does not tell. */
    static OptionalLong resident() {
        if (!Files.isReadable(STATUS)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(STATUS)) {
            // As "VmHWM:   123456 kB".
            return lines.filter(line -> line.startsWith(KEY)).map(line -> line.split("\\s+"))
                    .mapToLong(words -> Long.parseLong(words[1]) * 1024).findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /** The figure in megabytes, or a word where there is none. */
    static String text() {
        OptionalLong bytes = resident();
        return bytes.isEmpty() ? "unknown" : String.format(Locale.ROOT, "%,d MB", bytes.getAsLong() / 1_000_000);
    }
}
