package io.peft4j.serve.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The keys that open the server. Only a hash is stored, which opens nothing: keys are random and long enough that
 * they cannot be found from it.
 */
public final class KeyTable {
    static final String TABLE = "api_keys";
    private static final int KEY_LETTERS = 48;
    private static final int HINT_LETTERS = 10;

    private final Database database;
    private final Records records;

    KeyTable(Database database, Records records) {
        this.database = database;
        this.records = records;
    }

    /**
     * A key that was just made.
     *
     * @param secret the key, which is nowhere else
     * @param kept what is kept of it
     */
    public record Made(String secret, ApiKey kept) {
    }

    /**
     * Makes a key.
     *
     * @param project whose files, jobs and models it opens; empty for those of all
     */
    public Made add(String name, Optional<String> project, ApiKey.Limits limits, long now) {
        String secret = "sk-" + Ids.letters(KEY_LETTERS);
        ApiKey key = new ApiKey(Ids.next("key_"), name, secret.substring(0, HINT_LETTERS), project, now,
                Optional.empty(), limits);
        Records.HashedKey kept = new Records.HashedKey(key, hash(secret));
        records.put(kept);
        database.transaction(sql -> sql.insert(TABLE, kept.row(), ""));
        return new Made(secret, key);
    }

    /** Of several who count against the limits of a key at once, one does so at a time. */
    static void lock(Sql sql, Dialect dialect, String key) throws SQLException {
        sql.first("SELECT id FROM api_keys WHERE id = ?" + dialect.lock(), row -> true, key);
    }

    /** All keys, also revoked ones, the oldest first. */
    public List<ApiKey> list() {
        return database.transaction(KeyTable::all).stream().map(Records.HashedKey::key).toList();
    }

    /** Whether there is a key that opens. */
    public boolean any() {
        return database.transaction(sql -> sql.first("SELECT id FROM api_keys WHERE revoked_at IS NULL LIMIT 1",
                row -> row.getString(1))).isPresent();
    }

    /** When the first key was made, also where all of them are revoked, in seconds since 1970. */
    public Optional<Long> firstMade() {
        return database.transaction(sql -> sql.first("SELECT created_at FROM api_keys ORDER BY seq LIMIT 1",
                row -> row.getLong(1)));
    }

    /** What is kept of a key that opens. */
    public Optional<ApiKey> open(String secret) {
        return database.transaction(sql -> sql.first("SELECT * FROM api_keys WHERE hash = ? AND revoked_at IS NULL",
                Sql.of(Records.HashedKey::of), hash(secret))).map(Records.HashedKey::key);
    }

    /** Lets a key open nothing any more, by its id or name; gives how many keys that were. */
    public int revoke(String idOrName, long now) {
        List<Records.HashedKey> revoked = database.transaction(sql -> {
            String which = " WHERE (id = ? OR name = ?) AND revoked_at IS NULL";
            List<String> ids = sql.list("SELECT id FROM api_keys" + which, row -> row.getString(1), idOrName,
                    idOrName);
            sql.update("UPDATE api_keys SET revoked_at = ?" + which, now, idOrName, idOrName);
            List<Records.HashedKey> keys = new ArrayList<>(all(sql));
            keys.removeIf(one -> !ids.contains(one.key().id()));
            // A database that is built again must not open to them.
            keys.forEach(records::put);
            return keys;
        });
        return revoked.size();
    }

    static List<Records.HashedKey> all(Sql sql) throws SQLException {
        return sql.list("SELECT * FROM api_keys ORDER BY seq", Sql.of(Records.HashedKey::of));
    }

    private static String hash(String secret) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
                    .digest(secret.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
