package io.peft4j.serve.store.internal;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A model as it was on the way.
 *
 * @param id {@code ftckpt_...}
 * @param job the job
 * @param step the updates before it
 * @param model its name
 * @param createdAt seconds since 1970
 * @param metrics the figures of that step
 */
public record JobCheckpoint(String id, String job, long step, String model, long createdAt, JsonNode metrics) {
}
