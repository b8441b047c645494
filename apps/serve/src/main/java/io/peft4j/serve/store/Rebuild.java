package io.peft4j.serve.store;

import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds a database again from what lies in the folders of a server: files, jobs, models and keys by their {@link
 * Records}. A job that had not ended is checked and trained again, from its last checkpoint; events are those of the
 * steps that the training then tells.
 */
public final class Rebuild {
    private static final Logger LOG = LoggerFactory.getLogger(Rebuild.class);

    private final Path folder;
    private final Records records;
    private int files;
    private int jobs;
    private int models;
    private int keys;

    private Rebuild(Path folder) {
        this.folder = folder;
        this.records = new Records(folder.resolve(Store.RECORDS));
    }

    /**
     * What was found.
     *
     * @param files files whose content is there
     * @param jobs jobs
     * @param models models whose adapter is there, checkpoints counted
     * @param keys keys, revoked ones counted
     */
    public record Found(int files, int jobs, int models, int keys) {
    }

    /**
     * Builds it. A file that is there is put aside.
     *
     * @param url the database, which must be empty; by default the file in the folder
     */
    public static Found run(Path folder, Optional<String> url) {
        Path place = folder.toAbsolutePath().normalize();
        Path file = place.resolve(Store.DATABASE);
        if (!Files.isDirectory(place.resolve(Store.RECORDS))) {
            throw new StoreException(folder + " has no folder '" + Store.RECORDS + "', by which its database could be "
                    + "built again");
        }
        try (FolderLock lock = FolderLock.take(place)) {
            if (url.isEmpty()) {
                putAside(file);
            }
            Rebuild rebuild = new Rebuild(place);
            try (Database database = new Database(url.orElse(Dialect.sqlite(file)), () -> {
            })) {
                database.transaction(sql -> rebuild.fill(sql));
            }
            return new Found(rebuild.files, rebuild.jobs, rebuild.models, rebuild.keys);
        }
    }

    /** With its journal, so that nothing of it gets into the new one. */
    private static void putAside(Path file) {
        int number = 1;
        while (Files.exists(file.resolveSibling(file.getFileName() + ".damaged-" + number))) {
            number++;
        }
        try {
            for (String part : List.of("", "-wal", "-shm")) {
                Path from = file.resolveSibling(file.getFileName() + part);
                if (Files.exists(from)) {
                    Path aside = file.resolveSibling(file.getFileName() + ".damaged-" + number + part);
                    Files.move(from, aside);
                    LOG.info("{} is in {} now", from, aside);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot put " + file + " aside", e);
        }
    }

    private boolean fill(Sql sql) throws SQLException {
        for (String table : List.of("files", "jobs", "models", "api_keys")) {
            if (sql.first("SELECT id FROM " + (table.equals("models") ? "(SELECT name AS id FROM models) AS named"
                    : table) + " LIMIT 1", row -> true).isPresent()) {
                throw new StoreException("the database is not empty; build it again in an empty one");
            }
        }
        for (StoredFile file : records.files()) {
            if (Files.isRegularFile(folder.resolve("files").resolve(file.id()))) {
                files += FileTable.insert(sql, file);
            }
        }
        for (Job job : records.jobs()) {
            fill(sql, job);
        }
        for (Records.ModelOnTheWay way : records.checkpoints()) {
            if (isAdapter(way.model().folder()) && JobTable.find(sql, way.model().job()).isPresent()) {
                JobQueue.insert(sql, way.checkpoint());
                ModelTable.insert(sql, way.model());
                models++;
            }
        }
        for (Records.HashedKey key : records.keys()) {
            keys += sql.insert(KeyTable.TABLE, key.row(), "");
        }
        return true;
    }

    private void fill(Sql sql, Job job) throws SQLException {
        boolean ended = job.finishedAt().isPresent();
        Job again = ended ? job : Job.begun(job.id(), job.owner(), job.project(), job.base(), job.request(),
                job.hyperparameters(), job.createdAt());
        jobs += JobTable.insert(sql, again, List.of(JobEvent.warn("rebuilt",
                "The server's database was lost and built again; earlier events are gone")));
        String run = "jobs/" + job.id() + "/run";
        if (job.fineTunedModel().isPresent() && isAdapter(run)) {
            ModelTable.insert(sql, new StoredModel(job.fineTunedModel().get(), job.base(), job.owner(), job.project(),
                    job.id(), run, false, job.finishedAt().orElse(job.createdAt())));
            models++;
        }
    }

    private boolean isAdapter(String relative) {
        return Files.isRegularFile(folder.resolve(relative).resolve("adapter_config.json"));
    }
}
