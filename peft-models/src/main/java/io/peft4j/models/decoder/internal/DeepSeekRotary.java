package io.peft4j.models.decoder.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;

/** DeepSeek's YaRN in llama.cpp's files: a tenth of {@code mscale_all_dim}, and mscale is the same. */
final class DeepSeekRotary {
    static final String MULTIPLIER = "gguf_yarn_log_multiplier";
    private static final double TENTH = 0.1;
    private static final String ALL = "mscale_all_dim";
    private static final String MSCALE = "mscale";

    private DeepSeekRotary() {
    }

    /** Moves mscale to where {@link #MULTIPLIER} stands. */
    static void flatten(ObjectNode config) {
        JsonNode parameters = config.path("rope_parameters").isObject() ? config.path("rope_parameters")
                : config.path("rope_scaling");
        String kind = parameters.path("rope_type").asText(parameters.path("type").asText("default"));
        if (!kind.equals("yarn")) {
            return;
        }
        ObjectNode rope = (ObjectNode) parameters;
        double all = rope.path(ALL).asDouble(0);
        if (all == 0 || rope.path(MSCALE).asDouble(1) != all) {
            throw new ConfigurationException("the rotary scaling yarn has mscale " + rope.path(MSCALE) + " and "
                    + ALL + " " + rope.path(ALL) + ", and llama.cpp computes models of the architecture deepseek2 with "
                    + "the same number for both");
        }
        config.put(MULTIPLIER, TENTH * all);
        rope.remove(java.util.List.of(MSCALE, ALL));
    }

    /** The way back. */
    static void unflatten(ObjectNode config) {
        JsonNode multiplier = config.remove(MULTIPLIER);
        if (config.path("rope_scaling") instanceof ObjectNode rope && multiplier != null) {
            double all = Math.rint(multiplier.doubleValue() / TENTH * 1e6) / 1e6;
            rope.put(MSCALE, all).put(ALL, all);
        }
    }
}
