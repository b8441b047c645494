package io.peft4j.serve.store.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Files: a row each, and the content in a file that has the id for its name. A file without a row does not exist. */
public final class FileTable {
    private static final Logger LOG = LoggerFactory.getLogger(FileTable.class);
    private static final String INSERT = "INSERT INTO files (id, owner, project, filename, purpose, bytes, "
            + "created_at, expires_at, status, status_details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

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
        // Where the database fails, nobody knows whether the row is there, so its content stays.
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

    /** Takes note of a file that a job leaves, before its row is written. */
    public void record(StoredFile file) {
        records.put(file);
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
        return sql.update(INSERT, file.id(), file.owner(), file.project(), file.filename(), file.purpose(),
                file.bytes(),
                file.createdAt(), file.expiresAt(), file.status(), file.statusDetails());
    }

    /**
     * The file of an id, unless its time is over.
     *
     * @param project whose it must be; empty for any
     */
    public Optional<StoredFile> find(String id, Optional<String> project, long now) {
        return database.transaction(sql -> sql.first("SELECT * FROM files WHERE id = ? AND " + Sql.OF_PROJECT
                + " AND (expires_at IS NULL OR expires_at > ?)", FileTable::file, id, project, project, now));
    }

    /** Where the content of a file lies. */
    public Path content(String id) {
        if (!Ids.isValid(id)) {
            throw new IllegalArgumentException("not an id");
        }
        return folder.resolve(id);
    }

    /** A part of the list of a project, or of all. Empty where the entry before it does not exist. */
    public Optional<ListPage<StoredFile>> list(Optional<String> project, Optional<String> purpose,
            ListPage.Request page, long now) {
        return database.transaction(sql -> {
            Optional<Long> after = Optional.empty();
            if (page.after().isPresent()) {
                after = sql.first("SELECT seq FROM files WHERE id = ? AND " + Sql.OF_PROJECT, row -> row.getLong(1),
                        page.after().get(), project, project);
                if (after.isEmpty()) {
                    return Optional.empty();
                }
            }
            List<Object> values = new ArrayList<>(List.of(now, project, project));
            purpose.ifPresent(values::add);
            values.add(page.limit() + 1);
            return Optional.of(ListPage.of(sql.list("SELECT * FROM files WHERE (expires_at IS NULL OR expires_at > ?) "
                    + "AND " + Sql.OF_PROJECT + (purpose.isPresent() ? " AND purpose = ?" : "")
                    + page.tail(after) + " LIMIT ?", FileTable::file, values.toArray()),
                    page.limit()));
        });
    }

    /** Deletes a file, unless a job that has not ended reads it; gives the id of that job. */
    public Optional<String> delete(String id) {
        Optional<String> reader = database.transaction(sql -> {
            Optional<String> reads = sql.list("SELECT * FROM jobs WHERE request LIKE ? AND " + JobTable.OPEN,
                    JobTable::job, "%\"" + id + "\"%").stream().filter(job -> job.reads(id)).map(Job::id).findFirst();
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

    static StoredFile file(ResultSet row) throws SQLException {
        return new StoredFile(row.getString("id"), row.getString("owner"), row.getString("project"),
                row.getString("filename"), row.getString("purpose"), row.getLong("bytes"), row.getLong("created_at"),
                Sql.number(row, "expires_at"), row.getString("status"), Sql.text(row, "status_details"));
    }
}
