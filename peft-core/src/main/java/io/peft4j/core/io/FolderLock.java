package io.peft4j.core.io;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a folder to one writer. The operating system's lock on the file {@value #FILE} in it decides, which ends with
 * its process however that ends; the file names the owner: process, host, a token of its own, and a mark by which the
 * process is known again. No clock is asked, so none can take a folder from a process that lives. The lock of a process
 * that has ended is taken over; one of another host, which the system's locks may not reach, has to be removed by hand.
 *
 * <p>A lock holds against other processes and against others in the same JVM. Where a file system has no locks, or the
 * process has lost its own (on Linux it does so by closing any other handle of the file), its owner is known by
 * the mark.
 */
@Internal(shared = true)
public final class FolderLock implements AutoCloseable {
    /** The file. */
    public static final String FILE = ".peft4j.lock";
    private static final Logger LOG = LoggerFactory.getLogger(FolderLock.class);
    /** The byte that is locked: beyond the content, which others read meanwhile. */
    private static final long BYTE = 1 << 30;
    private static final int MOST_CONTENT = 4096;
    /** Whoever looks whether a folder is free holds its lock for a moment. */
    private static final int ATTEMPTS = 15;
    private static final long TURN_MILLIS = 20;
    private static final long SETTLING_MILLIS = 100;
    /**
     * The folders that this process holds or looks at: the system's locks belong to a process, so this is
     * one for all of it, too. A folder that does not answer holds up no other.
     */
    private static final Map<Path, Place> PLACES = new ConcurrentHashMap<>();

    private final Path file;
    private final Path key;
    private final LockOwner owner;
    private final FileChannel locked;
    /** Stays open as long as the lock is held, or the system would end that. */
    private final FileChannel checked;

    private FolderLock(Path file, Path key, LockOwner owner, FileChannel locked, FileChannel checked) {
        this.file = file;
        this.key = key;
        this.owner = owner;
        this.locked = locked;
        this.checked = checked;
    }

    /** Another process, which may be alive, writes to the folder. */
    public static final class InUseException extends ConfigurationException {
        private static final long serialVersionUID = 1L;

        InUseException(String message) {
            super(message);
        }
    }

    /** What the system says of a lock. */
    enum Answer {
        /** It was free. */
        FREE,
        /** Another process has it. */
        HELD,
        /** The file system has no locks. */
        UNKNOWN
    }

    /** A folder in this process. */
    private static final class Place {
        /** Those who look at it or hold it. */
        private int users;
        private Optional<LockOwner> owner = Optional.empty();
    }

    /** What is done with a place, alone. */
    @FunctionalInterface
    private interface Work<T> {
        T with(Place place) throws IOException;
    }

    private static <T> T alone(Path key, Work<T> work) throws IOException {
        Place place = use(key, 1);
        try {
            synchronized (place) {
                return work.with(place);
            }
        } finally {
            use(key, -1);
        }
    }

    /** Counts who uses a place; there is one as long as any does. */
    private static Place use(Path key, int more) {
        Place[] used = new Place[1];
        PLACES.compute(key, (path, known) -> {
            used[0] = known == null ? new Place() : known;
            used[0].users += more;
            return used[0].users == 0 ? null : used[0];
        });
        return used[0];
    }

    /** Asks the system for the lock of a file. */
    @FunctionalInterface
    interface SystemLock {
        /** Tries, without waiting; a lock that was free is held until the channel is closed. */
        Answer tryLock(FileChannel channel, boolean shared);
    }

    private static Answer tryLock(FileChannel channel, boolean shared) {
        try {
            FileLock lock = channel.tryLock(BYTE, 1, shared);
            return lock == null ? Answer.HELD : Answer.FREE;
        } catch (OverlappingFileLockException e) {
            return Answer.HELD;
        } catch (IOException e) {
            LOG.debug("no locks of files here", e);
            return Answer.UNKNOWN;
        }
    }

    /**
     * Takes the lock of a folder that exists.
     *
     * @throws InUseException when another process that may be alive holds it; says which
     * @throws UncheckedIOException when it cannot be written
     */
    public static FolderLock take(Path folder) {
        return take(folder, FolderLock::tryLock);
    }

    static FolderLock take(Path folder, SystemLock system) {
        try {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                Optional<FolderLock> lock = attempt(folder, system);
                if (lock.isPresent()) {
                    return lock.get();
                }
                pause(TURN_MILLIS);
            }
            throw new InUseException(occupied(folder, system).orElse("other processes keep locking "
                    + folder.resolve(FILE) + "; use another folder"));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write to " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Empty where another process has the lock, or has just removed the file. */
    private static Optional<FolderLock> attempt(Path folder, SystemLock system) throws IOException {
        Path key = folder.toRealPath();
        return alone(key, place -> {
            refuse(folder, place.owner);
            try (Closer opened = new Closer()) {
                FileChannel locked = opened.add(FileChannel.open(folder.resolve(FILE), StandardOpenOption.CREATE,
                        StandardOpenOption.READ, StandardOpenOption.WRITE));
                Optional<FolderLock> lock = own(folder, key, opened, locked, system.tryLock(locked, false));
                lock.ifPresent(mine -> {
                    use(key, 1);
                    place.owner = Optional.of(mine.owner);
                    opened.keep();
                });
                return lock;
            }
        });
    }

    private static Optional<FolderLock> own(Path folder, Path key, Closer opened, FileChannel locked, Answer answer)
            throws IOException {
        if (answer == Answer.HELD) {
            return Optional.empty();
        }
        Optional<LockOwner> former = LockOwner.parse(read(locked));
        refuse(folder, former.filter(owner -> !owner.isGone()));
        Path file = folder.resolve(FILE);
        try (Closer half = new Closer()) {
            half.add(() -> Files.deleteIfExists(file));
            LockOwner owner = LockOwner.current();
            write(locked, owner.content());
            if (answer == Answer.UNKNOWN) {
                // Of several who write at once the last one owns the folder.
                pause(SETTLING_MILLIS);
            }
            Optional<FileChannel> same = openIfSame(file, owner);
            same.ifPresent(opened::add);
            former.filter(gone -> same.isPresent()).ifPresent(gone -> LOG.info(
                    "took over the lock {} of process {}, which has ended", file, gone.pid()));
            half.keep();
            return same.map(checked -> new FolderLock(file, key, owner, locked, checked));
        }
    }

    /** The file of that name, unless it is another one by now than the owner's. */
    private static Optional<FileChannel> openIfSame(Path file, LockOwner owner) throws IOException {
        try (Closer opened = new Closer()) {
            FileChannel channel = opened.add(FileChannel.open(file, StandardOpenOption.READ));
            if (read(channel).equals(owner.content())) {
                opened.keep();
                return Optional.of(channel);
            }
            return Optional.empty();
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /**
     * Checks, without taking it, that a folder's lock could be taken now. A folder that does not exist is free.
     *
     * @throws InUseException as {@link #take}
     */
    public static void requireFree(Path folder) {
        try {
            occupied(folder, FolderLock::tryLock).ifPresent(refusal -> {
                throw new InUseException(refusal);
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + folder.resolve(FILE) + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Whether a folder's lock could be taken now. */
    public static boolean isFree(Path folder) {
        try {
            return occupied(folder, FolderLock::tryLock).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    /** Why the lock cannot be taken; empty where it can. */
    private static Optional<String> occupied(Path folder, SystemLock system) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return alone(folder.toRealPath(), place -> {
            if (place.owner.isPresent()) {
                return place.owner.map(owner -> owner.refusal(folder));
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                boolean held = system.tryLock(channel, true) == Answer.HELD;
                Optional<LockOwner> owner = LockOwner.parse(read(channel));
                return held ? Optional.of(owner.map(other -> other.refusal(folder)).orElse(folder
                        + " is being written to by another process; wait until it has ended, or use another folder"))
                        : owner.filter(other -> !other.isGone()).map(other -> other.refusal(folder));
            } catch (NoSuchFileException e) {
                return Optional.empty();
            }
        });
    }

    private static void refuse(Path folder, Optional<LockOwner> living) {
        living.ifPresent(owner -> {
            throw new InUseException(owner.refusal(folder));
        });
    }

    /**
     * Frees a folder from the lock of another host: for whoever knows by other means, such as a lease that was not
     * renewed, that its process writes there no more. One that the system knows to be held stays.
     */
    public static void removeOfOtherHost(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return;
        }
        try {
            alone(folder.toRealPath(), place -> {
                if (place.owner.isEmpty()) {
                    freeFromOtherHost(file);
                }
                return place;
            });
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static void freeFromOtherHost(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (tryLock(channel, false) != Answer.HELD && LockOwner.parse(read(channel))
                    .filter(owner -> !owner.isOnThisHost()).isPresent()) {
                channel.truncate(0);
            }
        }
    }

    private static String read(FileChannel channel) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(MOST_CONTENT);
        int count = 0;
        while (count >= 0 && content.hasRemaining()) {
            count = channel.read(content, content.position());
        }
        return StandardCharsets.UTF_8.decode(content.flip()).toString();
    }

    private static void write(FileChannel channel, String content) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(content);
        channel.truncate(0);
        while (bytes.hasRemaining()) {
            channel.write(bytes, bytes.position());
        }
    }

    private static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigurationException("interrupted while waiting for a lock", e);
        }
    }

    /** Gives the folder free. */
    @Override
    public void close() {
        try {
            alone(key, place -> {
                if (locked.isOpen()) {
                    place.owner = Optional.empty();
                    use(key, -1);
                    remove();
                }
                return place;
            });
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", file, AtomicFiles.reason(e));
        }
    }

    private void remove() throws IOException {
        try (FileChannel first = locked; FileChannel second = checked) {
            boolean mine = read(locked).equals(owner.content());
            try {
                removeIfSame();
            } finally {
                // Whoever has the file open already, or meets it where it could not be removed, sees no owner.
                if (mine) {
                    locked.truncate(0);
                }
            }
        }
    }

    private void removeIfSame() throws IOException {
        Optional<FileChannel> same = openIfSame(file, owner);
        if (same.isPresent()) {
            try (FileChannel third = same.get()) {
                Files.delete(file);
            }
        }
    }
}
