package io.peft4j.core.io.support;

import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says that a folder belongs to one writer: the file {@value #FILE} in it names process, host and time. Whoever finds
 * the lock of a process that has ended takes it over; the lock of another host cannot be judged from here and has to
 * be removed by hand. A lock holds against other processes and against others in the same JVM.
 *
 * <p>The lock of the operating system is not used: network file systems may lack it, and on Linux a process loses it as
 * soon as it closes any other handle of the file.
 */
public final class FolderLock implements AutoCloseable {
    /** The file. */
    public static final String FILE = ".peft4j.lock";
    private static final Logger LOG = LoggerFactory.getLogger(FolderLock.class);
    /** Clocks of a process table and of files may be apart by that much. */
    private static final long CLOCK_SECONDS = 2;
    /** Nobody takes so long from making the file to having filled it. */
    private static final long FILLING_MILLIS = 500;
    private static final long TURN_MILLIS = 20;
    private static final long TURN_SECONDS = 5;
    private static final int ATTEMPTS = 500;

    private final Path file;
    private final String content;

    private FolderLock(Path file, String content) {
        this.file = file;
        this.content = content;
    }

    /** Who holds a lock. */
    private record Owner(long pid, String host, Instant since) {
        /** Fails to parse what was not written by this class, or only in part. */
        static Optional<Owner> parse(String content) {
            String[] words = content.strip().split("\\s+");
            try {
                return words.length != 4 ? Optional.empty()
                        : Optional.of(new Owner(Long.parseLong(words[0]), words[1], Instant.parse(words[2])));
            } catch (NumberFormatException | DateTimeParseException e) {
                return Optional.empty();
            }
        }

        boolean isOnThisHost() {
            return host.equals(thisHost());
        }

        /** Whether the process has ended; its number may have gone to another, which began after the lock was made. */
        boolean isGone() {
            Optional<ProcessHandle> process = ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
            return isOnThisHost() && process.flatMap(p -> p.info().startInstant())
                    .map(start -> start.isAfter(since.plusSeconds(CLOCK_SECONDS))).orElse(process.isEmpty());
        }

        String refusal(Path folder) {
            Path file = folder.resolve(FILE);
            if (!isOnThisHost()) {
                return folder + " is being written to by process " + pid + " on the host " + host + " since " + since
                        + ". If that process has ended, delete " + file
                        + "; otherwise use another folder";
            }
            return pid == ProcessHandle.current().pid() ? folder + " is being written to by this process since " + since
                    + "; wait until that has ended, or use another folder"
                    : folder + " is being written to by process " + pid + " since " + since + "; wait until it "
                            + "has ended, or use another folder. If that process is unrelated, delete " + file;
        }
    }

    /**
     * Takes the lock of a folder that exists.
     *
     * @throws ConfigurationException when somebody holds it who may be alive; says who
     * @throws UncheckedIOException when it cannot be written
     */
    public static FolderLock take(Path folder) {
        Path file = folder.resolve(FILE);
        String content = ProcessHandle.current().pid() + " " + thisHost() + " " + Instant.now() + " "
                + UUID.randomUUID() + "\n";
        try {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                if (create(file, content)) {
                    return new FolderLock(file, content);
                }
                read(file).ifPresent(other -> refuseLiving(folder, other));
                removeDead(folder);
            }
            throw new ConfigurationException("other processes keep locking " + file + "; use another folder");
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write to " + folder + ": " + AtomicFiles.reason(e), e);
        }
    }

    /**
     * Checks, without taking it, that a folder's lock could be taken now. A folder that does not exist is free.
     *
     * @throws ConfigurationException as {@link #take}
     */
    public static void requireFree(Path folder) {
        try {
            read(folder.resolve(FILE)).ifPresent(content -> refuseLiving(folder, content));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + folder.resolve(FILE) + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Whether a folder's lock could be taken now. */
    public static boolean isFree(Path folder) {
        try {
            return read(folder.resolve(FILE)).flatMap(FolderLock::living).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Removes the lock of another host: for whoever knows by other means, such as a lease that was not renewed, that
     * its process writes there no more.
     */
    public static void removeOfOtherHost(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            if (read(file).flatMap(Owner::parse).filter(owner -> !owner.isOnThisHost()).isPresent()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot remove " + file + ": " + AtomicFiles.reason(e), e);
        }
    }

    private static boolean create(Path file, String content) throws IOException {
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException e) {
            return false;
        }
        try {
            Files.writeString(file, content, StandardOpenOption.WRITE);
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
        return true;
    }

    /** The content; whoever has just made the file gets the time to fill it. Empty where there is no lock. */
    private static Optional<String> read(Path file) throws IOException {
        try {
            String content = Files.readString(file);
            if (Owner.parse(content).isEmpty()) {
                pause(FILLING_MILLIS);
                content = Files.readString(file);
            }
            return Optional.of(content);
        } catch (NoSuchFileException e) {
            return Optional.empty();
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

    private static void refuseLiving(Path folder, String content) {
        living(content).ifPresent(owner -> {
            throw new ConfigurationException(owner.refusal(folder));
        });
    }

    /** A lock that was never filled is of a process that ended on the way. */
    private static Optional<Owner> living(String content) {
        return Owner.parse(content).filter(owner -> !owner.isGone());
    }

    /**
     * Removes a dead lock. Of several who find it dead one may do so at a time, or the second would remove what the
     * first has put in its place.
     */
    private static void removeDead(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        Path turn = folder.resolve(FILE + ".turn");
        if (!create(turn, "")) {
            removeOld(turn);
            pause(TURN_MILLIS);
            return;
        }
        try {
            Optional<String> content = read(file);
            if (content.isPresent() && living(content.get()).isEmpty()) {
                Files.delete(file);
                LOG.info("removed the lock {} of a process that has ended: {}", file, content.get().strip());
            }
        } finally {
            Files.deleteIfExists(turn);
        }
    }

    /** Whoever was killed in its turn does not end it. */
    private static void removeOld(Path turn) throws IOException {
        try {
            if (Files.getLastModifiedTime(turn).toInstant().isBefore(Instant.now().minusSeconds(TURN_SECONDS))) {
                Files.deleteIfExists(turn);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} is over", turn);
        }
    }

    private static String thisHost() {
        return Host.NAME;
    }

    /** Found at the first use. */
    private static final class Host {
        static final String NAME = name().strip().replaceAll("\\s+", "-");

        private static String name() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname"));
            } catch (IOException e) {
                // Not Linux.
                return Optional.ofNullable(System.getenv("COMPUTERNAME")).orElseGet(Host::byNetwork);
            }
        }

        private static String byNetwork() {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                return "localhost";
            }
        }
    }

    /** Gives the folder free. */
    @Override
    public void close() {
        try {
            if (Files.exists(file) && Files.readString(file).equals(content)) {
                Files.delete(file);
            }
        } catch (IOException e) {
            LOG.warn("cannot remove {}: {}", file, AtomicFiles.reason(e));
        }
    }
}
