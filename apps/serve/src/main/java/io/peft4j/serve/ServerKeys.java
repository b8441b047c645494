package io.peft4j.serve;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.store.ApiKey;
import io.peft4j.serve.store.DamagedStoreException;
import io.peft4j.serve.store.Store;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The keys of a server, also while it runs: made, named, limited and revoked. A key is shown once, when it is made;
 * what is kept of it opens nothing.
 */
@Internal(shared = true)
public final class ServerKeys implements AutoCloseable {
    /** The project of keys that were made without one. */
    public static final String DEFAULT_PROJECT = Caller.DEFAULT_PROJECT;
    private static final int MOST_NAME = 64;
    private static final Pattern PROJECT = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final Store store;

    private ServerKeys(Store store) {
        this.store = store;
    }

    /**
     * The keys of a data folder.
     *
     * @param data the data folder of the server
     * @param database its database, where that is not the file in the folder
     * @throws DamagedDataException when the database is damaged, or does not go with the folder
     */
    public static ServerKeys open(Path data, Optional<String> database) {
        try {
            return new ServerKeys(Store.openBeside(data, database));
        } catch (DamagedStoreException e) {
            throw new DamagedDataException(e);
        }
    }

    /**
     * What may be done with a key; what is empty is not limited.
     *
     * @param requestsPerMinute requests in a minute, on each server
     * @param tokensPerDay tokens of prompts and answers in a day, on each server, counted from its start
     * @param jobsPerDay jobs in 24 hours
     * @param storedBytes bytes of files that are kept
     */
    public record Limits(Optional<Long> requestsPerMinute, Optional<Long> tokensPerDay, Optional<Long> jobsPerDay,
            Optional<Long> storedBytes) {
        /** None. */
        public static final Limits NONE = new Limits(Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty());

        /** Checks that none is negative. */
        public Limits {
            for (Optional<Long> limit : List.of(requestsPerMinute, tokensPerDay, jobsPerDay, storedBytes)) {
                limit.filter(value -> value < 0).ifPresent(value -> {
                    throw new ConfigurationException("the limits of a key must be 0 or more, got " + value);
                });
            }
        }
    }

    /**
     * A key, without what opens.
     *
     * @param id its id
     * @param name what it is called
     * @param hint its first letters
     * @param project whose files, jobs and models it opens; empty for an administrator's key
     * @param created when it was made
     * @param revoked when it was revoked
     * @param limits what may be done with it
     */
    public record Key(String id, String name, String hint, Optional<String> project, Instant created,
            Optional<Instant> revoked, Limits limits) {
    }

    /**
     * Makes a key of the project {@value #DEFAULT_PROJECT}.
     *
     * @param name what it is called: whose it is, or what for
     * @return the key itself, which is nowhere else
     * @throws ConfigurationException when the name is empty or long
     */
    public String add(String name, Limits limits) {
        return add(name, DEFAULT_PROJECT, limits);
    }

    /**
     * Makes a key of a project: it sees the files, jobs and tuned models that were made with keys of the same project,
     * and the models that the server was started with.
     *
     * @param project 1 to 64 letters, digits, '.', '_' or '-'; begins with the first key that names it
     * @return the key itself, which is nowhere else
     * @throws ConfigurationException when one of the names is not such
     */
    public String add(String name, String project, Limits limits) {
        if (!PROJECT.matcher(project).matches()) {
            throw new ConfigurationException("the project must be 1 to 64 letters, digits, '.', '_' or '-'; got '"
                    + project + "'");
        }
        return add(name, Optional.of(project), limits);
    }

    /**
     * Makes a key of an administrator, which sees what all projects have. What is made with it belongs to the project
     * {@value #DEFAULT_PROJECT}.
     *
     * @return the key itself, which is nowhere else
     * @throws ConfigurationException when the name is empty or long
     */
    public String addAdministrator(String name, Limits limits) {
        return add(name, Optional.empty(), limits);
    }

    private String add(String name, Optional<String> project, Limits limits) {
        if (name.isBlank() || name.length() > MOST_NAME || !name.codePoints().allMatch(c -> c >= ' ' && c != 127)) {
            throw new ConfigurationException("the name of a key must be 1 to " + MOST_NAME + " characters");
        }
        return store.keys().add(name, project, new ApiKey.Limits(limits.requestsPerMinute(), limits.tokensPerDay(),
                limits.jobsPerDay(), limits.storedBytes()), Instant.now().getEpochSecond()).secret();
    }

    /**
     * Whether a server uses the folder and there was never a key: unless it was started with one, it answers everybody
     * on its machine until now, and with the first key refuses all who bring none.
     */
    public boolean firstShutsClientsOut() {
        return store.keys().firstMade().isEmpty() && store.isInUse();
    }

    /** All keys, also revoked ones, the oldest first. */
    public List<Key> list() {
        return store.keys().list().stream().map(key -> new Key(key.id(), key.name(), key.hint(),
                key.project(), Instant.ofEpochSecond(key.createdAt()), key.revokedAt().map(Instant::ofEpochSecond),
                new Limits(key.limits().requestsPerMinute(), key.limits().tokensPerDay(), key.limits().jobsPerDay(),
                        key.limits().storedBytes())))
                .toList();
    }

    /** Lets a key open nothing any more, by its id or name, within a second; gives how many keys that were. */
    public int revoke(String idOrName) {
        return store.keys().revoke(idOrName, Instant.now().getEpochSecond());
    }

    @Override
    public void close() {
        store.close();
    }
}
