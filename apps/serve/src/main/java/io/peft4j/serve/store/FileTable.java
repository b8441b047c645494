package io.peft4j.serve.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files: a row each, and the content in a file that has the id for its name. A file without a row does not exist. */
public final class FileTable {
    private static final Logger LOG = LoggerFactory.getLogger(FileTable.class);

    private final Database database;
    private final Path folder;
    private final Path spool;
    private final Records records;

    FileTable(Database database, Path folder, Path spool, Records records) {
        this.database = database;
        this.folder = folder;
        this.spool = spool;
        this.records = records;
    }

    /** Where contents are written as they come; what is in it when the server ends is removed. */
    public Path spoolFolder() {
        return spool;
    }

    /** Where a content is to be written before {@link #add} takes it. */
    public Path spool() {
        return spool.resolve(Ids.next("upload-"));
    }

    /**
     * Takes a content that was written and forced to the disk; when this has returned, the file is kept.
     *
     * @param most how many bytes the key of the file may keep in all; however many files come at once
     * @return whether there was room for it
     */
    public boolean add(StoredFile file, Path spooled, Optional<Long> most) {
        try {
            Files.move(spooled, content(file.id()));
            forceFolder();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the file " + file.id(), e);
        }
        // Where the database fails, it is unknown whether the row is there, so its content stays.
        records.put(file);
        boolean kept = database.transaction(sql -> {
            KeyTable.lock(sql, database.dialect(), file.owner());
            long before = bytesOf(sql, file.owner());
            return most.filter(limit -> before + file.bytes() > limit).isEmpty() && insert(sql, file) > 0;
        });
        if (!kept) {
            removeContent(file.id());
        }
        return kept;
    }

    /** Takes note of a file that a job leaves, whose content is there, before its row is written. */
    public StoredFile leave(Job job, String id, String name, String purpose, long now) {
        try {
            StoredFile file = new StoredFile(id, job.owner(), job.project(), name, purpose, Files.size(content(id)),
                    now, Optional.empty(), "processed", Optional.empty());
            records.put(file);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep " + name, e);
        }
    }

    /** Makes the name durable, where the system lets a folder be opened. */
    private void forceFolder() {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.debug("cannot fsync {}", folder, e);
        }
    }

    static int insert(Sql sql, StoredFile file) throws SQLException {
        return sql.insert("files", file.row(), "");
    }

    /**
     * The file of an id, unless its time is over.
     *
     * @param project whose it must be; empty for any
     */
    public Optional<StoredFile> find(String id, Optional<String> project, long now) {
        return database.transaction(sql -> sql.first("SELECT * FROM files WHERE id = ? AND " + Sql.OF_PROJECT
                + " AND (expires_at IS NULL OR expires_at > ?)", Sql.of(StoredFile::of), id, project, project, now));
    }

    /** Where the content of a file lies. */
    public Path content(String id) {
        if (!Ids.isValid(id)) {
            throw new IllegalArgumentException("not an id");
        }
        return folder.resolve(id);
    }

    /** A part of the list of a project, or of all. */
    public ListPage<StoredFile> list(Optional<String> project, Optional<String> purpose, ListPage.Request page,
            long now) {
        return database.transaction(sql -> {
            Optional<Long> after = page.seq(sql, "files", Sql.OF_PROJECT, project, project);
            List<Object> values = new ArrayList<>(List.of(now, project, project));
            purpose.ifPresent(values::add);
            values.add(page.limit() + 1);
            return ListPage.of(sql.list("SELECT * FROM files WHERE (expires_at IS NULL OR expires_at > ?) AND "
                    + Sql.OF_PROJECT + (purpose.isPresent() ? " AND purpose = ?" : "") + page.tail(after)
                    + " LIMIT ?", Sql.of(StoredFile::of), values.toArray()), page.limit());
        });
    }

    /** Deletes a file, unless a job that has not ended reads it; gives the id of that job. */
    public Optional<String> delete(String id) {
        Optional<String> reader = database.transaction(sql -> {
            Optional<String> reads = sql.list("SELECT * FROM jobs WHERE request LIKE ? AND " + JobTable.OPEN,
                    Sql.of(Job::of), "%\"" + id + "\"%").stream().filter(job -> job.reads(id)).map(Job::id).findFirst();
            if (reads.isEmpty()) {
                sql.update("DELETE FROM files WHERE id = ?", id);
            }
            return reads;
        });
        if (reader.isEmpty()) {
            removeContent(id);
        }
        return reader;
    }

    /** Deletes the files whose time is over and that no job reads. */
    public void deleteExpired(long now) {
        database.transaction(sql -> sql.list("SELECT id FROM files WHERE expires_at <= ?", row -> row.getString(1),
                now)).forEach(this::delete);
    }

    /** Bytes that are kept for the key of an id. */
    public long bytesOf(String owner) {
        return database.transaction(sql -> bytesOf(sql, owner));
    }

    private static long bytesOf(Sql sql, String owner) throws SQLException {
        return sql.first("SELECT coalesce(sum(bytes), 0) FROM files WHERE owner = ?", row -> row.getLong(1), owner)
                .orElse(0L);
    }

    private void removeContent(String id) {
        try {
            records.remove(id);
            Files.deleteIfExists(content(id));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the file " + id, e);
        }
    }
}
