package io.peft4j.serve.store.internal;

import java.util.Optional;

/**
 * A file that was uploaded, or that a job has left.
 *
 * @param id {@code file-...}
 * @param owner id of the key that it was uploaded with
 * @param project whose keys see it
 * @param filename what the client called it; only ever shown
 * @param purpose what it is for
 * @param bytes its size
 * @param createdAt seconds since 1970
 * @param expiresAt when it goes by itself
 * @param status {@code processed} or {@code error}
 * @param statusDetails what is wrong with it
 */
public record StoredFile(String id, String owner, String project, String filename, String purpose, long bytes,
        long createdAt,
        Optional<Long> expiresAt, String status, Optional<String> statusDetails) {
}
