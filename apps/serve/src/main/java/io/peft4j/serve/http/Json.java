package io.peft4j.serve.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;

/** Reads and writes JSON; strict about what comes from outside. */
public final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxTokenCount(Bound.JSON_VALUES.most()).build())
            .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {
    }

    /** An object without fields. */
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** A list without entries. */
    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /**
     * Reads what this server wrote itself.
     *
     * @throws IllegalStateException when it is not JSON
     */
    public static JsonNode stored(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored value is not valid JSON", e);
        }
    }

    /**
     * Reads what a client sent.
     *
     * @throws JsonProcessingException when it is not one JSON value
     */
    public static JsonNode parse(byte[] text) throws IOException {
        return MAPPER.reader(new Counted()).readTree(text);
    }

    /**
     * As above, as it comes.
     *
     * @throws JsonProcessingException when it is not one JSON value
     */
    static JsonNode parse(InputStream text) throws IOException {
        return MAPPER.reader(new Counted()).readTree(text);
    }

    /** Makes the values of one text, up to a number. */
    private static final class Counted extends JsonNodeFactory {
        private static final long serialVersionUID = 1;
        private int containers;

        private void count() {
            containers++;
            if (containers > Bound.JSON_CONTAINERS.most()) {
                throw ApiException.invalid(
                        "the body of the request is not taken: it has more than " + Bound.JSON_CONTAINERS.most()
                                + " lists and objects");
            }
        }

        @Override
        public ArrayNode arrayNode() {
            count();
            return super.arrayNode();
        }

        @Override
        public ObjectNode objectNode() {
            count();
            return super.objectNode();
        }
    }

    /** Lists, maps, texts and numbers of Java as JSON. */
    public static JsonNode value(Object value) {
        return MAPPER.valueToTree(value);
    }

    /** As text, on one line. */
    public static String text(JsonNode value) {
        return value.toString();
    }
}
