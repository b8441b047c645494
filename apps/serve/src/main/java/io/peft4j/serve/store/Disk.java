package io.peft4j.serve.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the disk has room for what is kept. Near its end nothing new is taken and nothing is trained, so that what
 * is there stays whole; the log says once that this is so, and once that it is over. For use by several threads.
 */
public final class Disk {
    private static final Logger LOG = LoggerFactory.getLogger(Disk.class);
    /** So much stays free, for the database and the log. */
    private static final long RESERVE = 32L << 20;
    private static final int PROBE_BYTES = 1 << 20;
    /** What systems and databases say of a disk that is full, or a user's part of it. */
    private static final List<String> WORDS = List.of("no space left", "disk quota exceeded", "disk is full",
            "not enough space on the disk", "[sqlite_full]");

    private final Path folder;
    private final LongSupplier usable;
    private boolean full;
    /** A write has failed, so that writing tells when there is room again. */
    private boolean failed;

    /**
     * A disk.
     *
     * @param folder where probes are written
     * @param usable gives the bytes that can still be written
     */
    Disk(Path folder, LongSupplier usable) {
        this.folder = folder;
        this.usable = usable;
    }

    /** Bytes that can be written where a folder lies; a lot where the system does not tell. */
    static long usableAt(Path folder) {
        try {
            return Files.getFileStore(folder).getUsableSpace();
        } catch (IOException e) {
            LOG.debug("cannot ask for the room of {}", folder, e);
            return Long.MAX_VALUE;
        }
    }

    /** There is no room on the disk. */
    public static final class FullException extends io.peft4j.core.error.PeftException {
        private static final long serialVersionUID = 1L;

        FullException() {
            super("the disk of the server is full");
        }
    }

    /** Whether something failed since a disk was full. */
    public static boolean isFull(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
            if (cause instanceof FullException || WORDS.stream().anyMatch(message::contains)) {
                return true;
            }
        }
        return false;
    }

    /** Takes note of a failure; gives whether it was that the disk is full. */
    public synchronized boolean note(Throwable failure) {
        boolean isFull = isFull(failure);
        if (isFull) {
            failed |= !(failure instanceof FullException);
            set(true);
        }
        return isFull;
    }

    /** Whether it was full at the last look. */
    public synchronized boolean isFull() {
        return full;
    }

    /** Looks again. */
    public synchronized boolean look() {
        boolean scarce = usable.getAsLong() < RESERVE;
        if (!scarce && failed && full) {
            failed = !canWrite();
        }
        set(scarce || failed);
        return full;
    }

    /**
     * Checks that so much can be written.
     *
     * @throws FullException when it cannot
     */
    public void requireRoom(long bytes) {
        if (look() || usable.getAsLong() - RESERVE < bytes) {
            throw new FullException();
        }
    }

    private void set(boolean now) {
        if (now != full) {
            full = now;
            if (now) {
                LOG.error("the disk of {} is full: uploads are refused, and jobs wait until there is room", folder);
            } else {
                LOG.info("the disk of {} has room again", folder);
            }
        }
    }

    private boolean canWrite() {
        Path probe = folder.resolve(Ids.next("probe-"));
        try (FileChannel channel = FileChannel.open(probe, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            channel.write(ByteBuffer.allocate(PROBE_BYTES));
            channel.force(true);
            return true;
        } catch (IOException e) {
            LOG.debug("still no room", e);
            return false;
        }
    }
}
