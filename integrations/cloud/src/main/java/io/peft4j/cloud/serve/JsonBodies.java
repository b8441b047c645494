package io.peft4j.cloud.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;

/** Bodies of requests as JSON. */
final class JsonBodies {
    /** The type of a body that is one JSON value. */
    static final String JSON_TYPE = "application/json";
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonBodies() {
    }

    /** The value in a text. */
    static JsonNode json(String text) {
        try {
            JsonNode node = JSON.readTree(text);
            if (node == null || node.isMissingNode()) {
                throw new ConfigurationException("the body is empty; it must be JSON");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("the body is not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
