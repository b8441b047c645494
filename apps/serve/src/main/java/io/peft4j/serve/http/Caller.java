package io.peft4j.serve.http;

import io.javalin.http.Context;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The sender of a request, and the limits of their key.
 *
 * @param id the key's id, or {@code local} where no key is asked for; what queues are fair between
 * @param name what the key was called; never the key itself
 * @param project whose files, jobs and models it sees; empty where it sees those of all projects
 * @param jobsPerDay how many jobs may be made in a day
 * @param storedBytes how many bytes of files may be kept
 * @param tokens is given numbers of tokens of prompts and answers as they are used
 */
public record Caller(String id, String name, Optional<String> project, Optional<Long> jobsPerDay,
        Optional<Long> storedBytes, LongConsumer tokens) {
    /** The project of what was there before there were projects, and of what is made without one. */
    public static final String DEFAULT_PROJECT = "default";
    /** The caller where no key is needed. */
    public static final Caller LOCAL = unlimited("local");
    private static final String ATTRIBUTE = "peft4j.caller";

    /** Refuses null. */
    public Caller {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(project, "project");
        Objects.requireNonNull(jobsPerDay, "jobsPerDay");
        Objects.requireNonNull(storedBytes, "storedBytes");
        Objects.requireNonNull(tokens, "tokens");
    }

    /** A caller without limits who sees all projects. */
    public static Caller unlimited(String id) {
        return new Caller(id, id, Optional.empty(), Optional.empty(), Optional.empty(), count -> {
        });
    }

    /** The sender of this request. */
    public static Caller of(Context request) {
        Caller caller = request.attribute(ATTRIBUTE);
        return caller == null ? LOCAL : caller;
    }

    /** Whether the caller sees what belongs to a project. */
    public boolean sees(String owner) {
        return project.isEmpty() || project.get().equals(owner);
    }

    /** The project of what the caller makes. */
    public String home() {
        return project.orElse(DEFAULT_PROJECT);
    }

    /** Tokens of a prompt and its answer were used; counts against the limit of the key. */
    public void used(long count) {
        tokens.accept(count);
    }

    void attachTo(Context request) {
        request.attribute(ATTRIBUTE, this);
    }
}
