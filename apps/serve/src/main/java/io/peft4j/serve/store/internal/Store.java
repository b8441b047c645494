package io.peft4j.serve.store.internal;

import io.peft4j.core.io.support.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All that a server keeps, below one folder: {@code files} with the contents of files, {@code jobs} with a folder for
 * each job, and a database, which is the file {@code state.db} there or one of PostgreSQL that several servers share
 * together with the folder.
 *
 * <p>Contents are written and forced to the disk before the row that tells of them, so that a row never speaks of what
 * is not there; what no row speaks of does not exist.
 */
public final class Store implements AutoCloseable {
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final Path folder;
    private final Database database;
    private final Optional<FolderLock> lock;
    private final FileTable files;
    private final JobQueue queue;

    private Store(Path folder, Database database, Optional<FolderLock> lock, Duration lease) {
        this.folder = folder;
        this.database = database;
        this.lock = lock;
        this.files = new FileTable(database, folder.resolve("files"));
        this.queue = new JobQueue(database, host() + "/" + ProcessHandle.current().pid() + "/" + Ids.letters(8),
                lease);
    }

    /**
     * Opens what is kept in a folder, for a server.
     *
     * @param folder made where it does not exist
     * @param url the database; empty for the file in the folder, which one server uses at a time
     * @param lease the time after which a job of a server that is gone goes to another
     * @throws io.peft4j.core.error.ConfigurationException when another server uses the folder
     * @throws StoreException when the database cannot be used
     */
    public static Store open(Path folder, Optional<String> url, Duration lease) {
        Path place = folder.toAbsolutePath().normalize();
        try {
            for (String part : List.of("files", "jobs")) {
                Files.createDirectories(place.resolve(part));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the data folder " + folder, e);
        }
        Optional<FolderLock> lock = url.isPresent() ? Optional.empty() : Optional.of(FolderLock.take(place));
        boolean complete = false;
        try {
            Store store = new Store(place, new Database(url.orElse(Dialect.sqlite(place.resolve("state.db")))), lock,
                    lease);
            if (lock.isPresent()) {
                store.queue.releaseAll();
            }
            store.removeAbandoned();
            complete = true;
            return store;
        } finally {
            if (!complete) {
                lock.ifPresent(FolderLock::close);
            }
        }
    }

    /** The keys of a folder, also while a server uses it. */
    public static Store openBeside(Path folder, Optional<String> url) {
        Path place = folder.toAbsolutePath().normalize();
        try {
            Files.createDirectories(place);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the data folder " + folder, e);
        }
        return new Store(place, new Database(url.orElse(Dialect.sqlite(place.resolve("state.db")))), Optional.empty(),
                Duration.ofSeconds(1));
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    /** Uploads that never came to their end. */
    private void removeAbandoned() {
        Instant before = Instant.now().minus(lock.isPresent() ? Duration.ZERO : ABANDONED);
        try (Stream<Path> entries = Files.list(folder.resolve("files"))) {
            for (Path entry : entries.filter(path -> path.getFileName().toString().startsWith(".upload-")).toList()) {
                if (Files.getLastModifiedTime(entry).toInstant().isBefore(before)) {
                    Files.deleteIfExists(entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clean up the data folder " + folder, e);
        }
    }

    /** The folder. */
    public Path folder() {
        return folder;
    }

    /** The folder of a job. */
    public Path jobFolder(String id) {
        if (!Ids.isValid(id)) {
            throw new IllegalArgumentException("not an id");
        }
        return folder.resolve("jobs").resolve(id);
    }

    /** Files. */
    public FileTable files() {
        return files;
    }

    /** Jobs. */
    public JobTable jobs() {
        return new JobTable(database);
    }

    /** What happened to them. */
    public EventTable events() {
        return new EventTable(database);
    }

    /** Jobs to be done. */
    public JobQueue queue() {
        return queue;
    }

    /** Models. */
    public ModelTable models() {
        return new ModelTable(database);
    }

    /** Keys. */
    public KeyTable keys() {
        return new KeyTable(database);
    }

    @Override
    public void close() {
        database.close();
        lock.ifPresent(FolderLock::close);
    }
}
