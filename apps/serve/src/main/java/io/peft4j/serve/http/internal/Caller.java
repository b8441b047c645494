package io.peft4j.serve.http.internal;

import io.javalin.http.Context;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The sender of a request, and the limits of their key.
 *
 * @param id the key's id, or {@code local} where no key is asked for; what queues are fair between
 * @param name what the key was called; never the key itself
 * @param jobsPerDay how many jobs may be made in a day
 * @param storedBytes how many bytes of files may be kept
 * @param tokens is given numbers of tokens of prompts and answers as they are used
 */
public record Caller(String id, String name, Optional<Long> jobsPerDay, Optional<Long> storedBytes,
        LongConsumer tokens) {
    /** The caller where no key is needed. */
    public static final Caller LOCAL = unlimited("local");
    private static final String ATTRIBUTE = "peft4j.caller";

    /** Refuses null. */
    public Caller {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(jobsPerDay, "jobsPerDay");
        Objects.requireNonNull(storedBytes, "storedBytes");
        Objects.requireNonNull(tokens, "tokens");
    }

    /** A caller without limits. */
    public static Caller unlimited(String id) {
        return new Caller(id, id, Optional.empty(), Optional.empty(), count -> {
        });
    }

    /** The sender of this request. */
    public static Caller of(Context request) {
        Caller caller = request.attribute(ATTRIBUTE);
        return caller == null ? LOCAL : caller;
    }

    /** Tokens of a prompt and its answer were used; counts against the limit of the key. */
    public void used(long count) {
        tokens.accept(count);
    }

    void attachTo(Context request) {
        request.attribute(ATTRIBUTE, this);
    }
}
