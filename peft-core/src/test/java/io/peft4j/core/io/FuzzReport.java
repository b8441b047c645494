package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.FileFormatException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Runs a reader over damaged files: it must read them or throw {@link FileFormatException}, and allocate little. */
public final class FuzzReport {
    private final com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory
            .getThreadMXBean();
    private final long maxAllocated;
    private int read;
    private int refused;
    private long mostAllocated;

    /**
     * A report without results.
     *
     * @param maxAllocated how many bytes of heap the reading of one file may allocate
     */
    public FuzzReport(long maxAllocated) {
        this.maxAllocated = maxAllocated;
    }

    /**
     * Reads one file.
     *
     * @param what a description for messages
     * @param file the file
     * @param reader what reads all of it
     */
    public void run(String what, Path file, Consumer<Path> reader) {
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            reader.accept(file);
            read++;
        } catch (FileFormatException e) {
            refused++;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + " led to " + e, e);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        mostAllocated = Math.max(mostAllocated, allocated);
        assertTrue(allocated <= maxAllocated, () -> what + " led to the allocation of " + allocated + " bytes");
    }

    /**
     * Checks that the files were of both kinds, so that the run meant something.
     *
     * @param atLeast how many files of each kind there must have been
     */
    public void assertBothKinds(int atLeast) {
        assertTrue(read >= atLeast && refused >= atLeast, this::toString);
    }

    @Override
    public String toString() {
        return read + " files read, " + refused + " refused, at most " + mostAllocated + " bytes allocated for one";
    }
}
