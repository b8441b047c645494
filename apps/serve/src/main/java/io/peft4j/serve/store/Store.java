package io.peft4j.serve.store;

import io.peft4j.core.io.Closer;
import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a server keeps, below one folder: {@code files} with the contents of files, {@code jobs} with a
 * folder for each job, {@code records} from which a database that is lost is built again, {@code uploads} for what
 * comes in, and a database, which is the file {@code state.db} there or one of PostgreSQL that several servers share
 * together with the folder.
 *
 * <p>Contents are written and forced to the disk before the row that tells of them, so that a row never speaks of what
 * is not there; what no row speaks of does not exist.
 */
public final class Store implements AutoCloseable {
    static final String DATABASE = "state.db";
    static final String RECORDS = "records";
    private static final Logger LOG = LoggerFactory.getLogger(Store.class);
    private static final String FILES = "files";
    private static final String JOBS = "jobs";
    private static final String SPOOLS = "uploads";

    private final Path folder;
    private final Database database;
    private final Records records;
    private final FileTable files;
    private final JobQueue queue;
    private final Disk disk;
    private Closer owned = new Closer();

    /** @param temporary where contents are written as they come */
    private Store(Path folder, Database database, Path temporary, Options options) {
        this.folder = folder;
        this.database = database;
        this.records = new Records(folder.resolve(RECORDS));
        this.files = new FileTable(database, folder.resolve(FILES), temporary, records);
        this.queue = new JobQueue(database, records, host() + "/" + ProcessHandle.current().pid() + "/"
                + Ids.letters(8), options.lease(), options.nanos());
        this.disk = new Disk(temporary, options.usable().orElse(() -> Disk.usableAt(folder)));
    }

    /**
     * How a store is used.
     *
     * @param database the database; empty for the file in the folder, which one server uses at a time
     * @param lease the time after which a job of a server that gives no sign of life goes to another
     * @param nanos the time that has passed, by a clock that is never set
     * @param usable gives the bytes that the disk has room for; empty to ask the system
     */
    public record Options(Optional<String> database, Duration lease, LongSupplier nanos,
            Optional<LongSupplier> usable) {
        /** These, by the clocks of the system. */
        public Options(Optional<String> database, Duration lease) {
            this(database, lease, System::nanoTime, Optional.empty());
        }
    }

    /**
     * Opens what is kept in a folder, for a server.
     *
     * @param folder made where it does not exist
     * @throws io.peft4j.core.error.ConfigurationException when another server uses the folder
     * @throws DamagedStoreException when the database is damaged, or does not go with the folder
     * @throws StoreException when the database cannot be used
     */
    public static Store open(Path folder, Options options) {
        Path place = make(folder);
        try (Closer opened = new Closer()) {
            Optional<FolderLock> lock = options.database().isPresent() ? Optional.empty()
                    : Optional.of(opened.add(FolderLock.take(place)));
            Database database = opened.add(database(place, options.database()));
            StoreCheck.requireReadable(database, place);
            Spool spool = opened.add(Spool.open(place.resolve(SPOOLS)));
            Store store = new Store(place, database, spool.folder(), options);
            if (lock.isPresent()) {
                store.queue.releaseAll();
                Spool.removeFormer(place.resolve(FILES));
            }
            store.recordFormer();
            store.owned = opened.keep();
            return store;
        }
    }

    /** The keys of a folder, also while a server uses it. */
    public static Store openBeside(Path folder, Optional<String> url) {
        Path place = make(folder);
        try (Closer opened = new Closer()) {
            Store store = new Store(place, opened.add(database(place, url)), place,
                    new Options(url, Duration.ofSeconds(1)));
            store.recordFormer();
            store.owned = opened.keep();
            return store;
        }
    }

    private static Path make(Path folder) {
        Path place = folder.toAbsolutePath().normalize();
        try {
            for (String part : List.of(FILES, JOBS)) {
                Files.createDirectories(place.resolve(part));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the data folder " + folder, e);
        }
        return place;
    }

    private static Database database(Path place, Optional<String> url) {
        Path file = place.resolve(DATABASE);
        if (url.isEmpty()) {
            StoreCheck.requireWholeFile(file);
        }
        return new Database(url.orElse(Dialect.sqlite(file)), () -> StoreCheck.requireNothingKept(place));
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    /** What was kept before there were records, which are written once. */
    private void recordFormer() {
        if (Files.isDirectory(records.folder())) {
            return;
        }
        Path half = records.folder().resolveSibling("." + RECORDS + "-" + Ids.letters(8));
        try {
            Files.createDirectories(half);
            Records former = new Records(half);
            database.transaction(sql -> {
                KeyTable.all(sql).forEach(former::put);
                sql.list("SELECT * FROM files", Sql.of(StoredFile::of)).forEach(former::put);
                sql.list("SELECT * FROM jobs", Sql.of(Job::of)).forEach(former::put);
                Map<String, StoredModel> models = sql.list("SELECT * FROM models", Sql.of(StoredModel::of)).stream()
                        .collect(Collectors.toMap(StoredModel::name, model -> model));
                sql.list("SELECT * FROM checkpoints", Sql.of(JobCheckpoint::of)).stream()
                        .filter(one -> models.containsKey(one.model()))
                        .forEach(one -> former.put(new Records.ModelOnTheWay(one, models.get(one.model()))));
                return true;
            });
            Files.move(half, records.folder());
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            LOG.debug("another server has recorded what was there", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to " + records.folder(), e);
        }
    }

    /** The folder. */
    public Path folder() {
        return folder;
    }

    /** Whether a server uses the folder; not known where servers share a database. */
    public boolean isInUse() {
        try {
            FolderLock.requireFree(folder);
            return false;
        } catch (FolderLock.InUseException e) {
            return true;
        }
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
        return new JobTable(database, records);
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
        return new KeyTable(database, records);
    }

    /** The room there is for all this. */
    public Disk disk() {
        return disk;
    }

    @Override
    public void close() {
        owned.close();
    }

    /**
     * Looks, before anything is served, whether the database is whole and goes with the folders beside it: a damaged
     * one would fail in the middle of requests, and an empty one hide all files and jobs.
     */
    private static final class StoreCheck {
        private static final String WHOLE = "ok";

        private StoreCheck() {
        }

        /** The pages and indexes of a file, before it is written to. */
        static void requireWholeFile(Path file) {
            if (!Files.exists(file)) {
                return;
            }
            try (Connection connection = DriverManager.getConnection(Dialect.sqlite(file));
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("PRAGMA integrity_check(1)")) {
                String found = rows.next() ? rows.getString(1) : "no answer";
                if (!found.equals(WHOLE)) {
                    throw damaged(file.toString(), found);
                }
            } catch (SQLException e) {
                throw damaged(file.toString(), e.getMessage());
            }
        }

        /** A database that is new, although files of an earlier one exist. */
        static void requireNothingKept(Path folder) {
            long jobs = count(folder.resolve("jobs"));
            long files = count(folder.resolve("files"));
            if (jobs + files > 0) {
                throw new DamagedStoreException("the database is empty, but " + folder + " holds " + jobs
                        + " folders of jobs and " + files + " files");
            }
        }

        /** Every row can be read, and jobs have not been emptied out. */
        static void requireReadable(Database database, Path folder) {
            try {
                long jobs = database.transaction(sql -> {
                    KeyTable.all(sql);
                    sql.list("SELECT * FROM files", Sql.of(StoredFile::of));
                    sql.list("SELECT * FROM models", Sql.of(StoredModel::of));
                    sql.list("SELECT * FROM checkpoints", Sql.of(JobCheckpoint::of));
                    return (long) sql.list("SELECT * FROM jobs", Sql.of(Job::of)).size();
                });
                if (jobs == 0 && count(folder.resolve("jobs")) > 0) {
                    requireNothingKept(folder);
                }
            } catch (IllegalStateException | IllegalArgumentException | ClassCastException | NullPointerException e) {
                throw damaged(folder + "'s database", "a row cannot be read: " + e.getMessage());
            }
        }

        private static DamagedStoreException damaged(String what, String found) {
            return new DamagedStoreException(
                    what + " is damaged (" + found.strip().lines().reduce((first, last) -> last)
                            .orElse("") + ")");
        }

        private static long count(Path folder) {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.filter(entry -> Ids.isValid(entry.getFileName().toString())).count();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot list " + folder, e);
            }
        }
    }
}
