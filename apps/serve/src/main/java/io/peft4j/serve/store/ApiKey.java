package io.peft4j.serve.store;

import java.util.Optional;

/**
 * A key as it is kept: not the key itself, which only its owner has.
 *
 * @param id {@code key_...}
 * @param name what it is called
 * @param hint its first letters, for people to tell it from others
 * @param project whose files, jobs and models it opens; empty for an administrator's key, which opens those of all
 * @param createdAt seconds since 1970
 * @param revokedAt since when it opens nothing any more
 * @param limits what may be done with it
 */
public record ApiKey(String id, String name, String hint, Optional<String> project, long createdAt,
        Optional<Long> revokedAt, Limits limits) {
    /**
     * What may be done with a key; what is empty is not limited.
     *
     * @param requestsPerMinute requests in a minute, on each server
     * @param tokensPerDay tokens of prompts and answers in a day, on each server
     * @param jobsPerDay jobs made in a day
     * @param storedBytes bytes of files that are kept
     */
    public record Limits(Optional<Long> requestsPerMinute, Optional<Long> tokensPerDay, Optional<Long> jobsPerDay,
            Optional<Long> storedBytes) {
        /** Everything, as much as anybody wants. */
        public static final Limits NONE = new Limits(Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty());
    }
}
