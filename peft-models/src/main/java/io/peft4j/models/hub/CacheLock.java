package io.peft4j.models.hub;

import io.peft4j.core.io.Closer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps two processes, or two threads of one, from downloading the same file. The lock file stays when the lock is
 * released: removing it would let a third process lock another file of the same name.
 */
final class CacheLock implements AutoCloseable {
    private static final long POLL_MILLIS = 50;

    private final FileChannel channel;

    private CacheLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits for the lock.
     *
     * @param file the lock file; made with its folders when it does not exist
     * @param onWait called once when another holds the lock
     */
    static CacheLock acquire(Path file, Runnable onWait) {
        try {
            Files.createDirectories(file.getParent());
            try (Closer opened = new Closer()) {
                FileChannel channel = opened.add(FileChannel.open(file, StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE));
                // Waits by polling: a blocking lock throws at once when another thread of this JVM holds it.
                for (boolean told = false; !tryLock(channel); told = true) {
                    if (!told) {
                        onWait.run();
                    }
                    Thread.sleep(POLL_MILLIS);
                }
                CacheLock lock = new CacheLock(channel);
                opened.keep();
                return lock;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException("Interrupted while waiting for " + file, new InterruptedIOException());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot lock " + file + ": " + e, e);
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Releases the lock. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot release a lock of the model cache: " + e, e);
        }
    }
}
