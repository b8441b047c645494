package io.peft4j.core.measure;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** What this process has used so far. */
public final class ProcessUsage {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final String RESIDENT = "Max resident set";
    private static final String PEAK = "VmHWM:";
    private static final String RESIDENT_NOW = "VmRSS:";

    private ProcessUsage() {
    }

    /**
     * The most memory that the process has had resident, native memory and mapped files included.
     *
     * @return bytes; empty where the system does not tell (it does on Linux)
     */
    public static OptionalLong peakResidentBytes() {
        return status(PEAK);
    }

    /**
     * The memory that the process has resident now, native memory and mapped files included.
     *
     * @return bytes; empty where the system does not tell (it does on Linux)
     */
    public static OptionalLong residentBytes() {
        return status(RESIDENT_NOW);
    }

    private static OptionalLong status(String key) {
        if (!Files.isReadable(STATUS)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(STATUS)) {
            // As "VmHWM:   123456 kB".
            return lines.filter(line -> line.startsWith(key)).map(line -> line.split("\\s+"))
                    .mapToLong(words -> Long.parseLong(words[1]) * 1024).findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /**
     * The most memory that the process may use: that of the machine, or what its container (cgroup) or its limit of
     * resident memory ({@code ulimit -m}) leaves it.
     *
     * @return bytes; the largest heap that the JVM allows itself where the system does not tell (it does on HotSpot)
     */
    public static long memoryLimitBytes() {
        long total = ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getTotalMemorySize() : 0;
        long known = total > 0 ? total : Runtime.getRuntime().maxMemory();
        return Math.min(known, residentLimit(LIMITS).orElse(Long.MAX_VALUE));
    }

    /** The soft limit in a file as {@code /proc/self/limits}; empty if unlimited. */
    static OptionalLong residentLimit(Path limits) {
        if (!Files.isReadable(limits)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(limits)) {
            // As "Max resident set          unlimited            unlimited            bytes".
            return lines.filter(line -> line.startsWith(RESIDENT))
                    .map(line -> line.substring(RESIDENT.length()).strip().split("\\s+")[0])
                    .filter(word -> word.matches("\\d{1,18}")).mapToLong(Long::parseLong).findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /**
     * Bytes that all threads that live now have ever allocated on the Java heap. The difference of two calls is what
     * was allocated between them, a few hundred bytes for the call itself included.
     *
     * @return bytes; empty where the JVM does not count them (HotSpot does)
     */
    public static OptionalLong allocatedHeapBytes() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        if (!(threads instanceof com.sun.management.ThreadMXBean counting)
                || !counting.isThreadAllocatedMemorySupported() || !counting.isThreadAllocatedMemoryEnabled()) {
            return OptionalLong.empty();
        }
        long sum = 0;
        for (long bytes : counting.getThreadAllocatedBytes(threads.getAllThreadIds())) {
            // -1 for a thread that has ended meanwhile.
            sum += Math.max(0, bytes);
        }
        return OptionalLong.of(sum);
    }
}
