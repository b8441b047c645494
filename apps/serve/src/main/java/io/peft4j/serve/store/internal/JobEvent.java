package io.peft4j.serve.store.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Something that happened to a job.
 *
 * @param topic what it is about: of one job each is kept once
 * @param level {@code info}, {@code warn} or {@code error}
 * @param type {@code message} or {@code metrics}
 * @param message for people
 * @param data for programs
 */
public record JobEvent(String topic, String level, String type, String message, JsonNode data) {
    /** News. */
    public static JobEvent info(String topic, String message) {
        return new JobEvent(topic, "info", "message", message, empty());
    }

    /** Something to look at. */
    public static JobEvent warn(String topic, String message) {
        return new JobEvent(topic, "warn", "message", message, empty());
    }

    /** What ended the job. */
    public static JobEvent error(String topic, String message) {
        return new JobEvent(topic, "error", "message", message, empty());
    }

    /** The figures of a step. */
    public static JobEvent metrics(String topic, String message, ObjectNode figures) {
        return new JobEvent(topic, "info", "metrics", message, figures);
    }

    private static ObjectNode empty() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * One that is kept.
     *
     * @param id {@code ftevent-...}
     * @param createdAt seconds since 1970
     * @param event what happened
     */
    public record Kept(String id, long createdAt, JobEvent event) {
    }
}
