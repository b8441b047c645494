package io.peft4j.core.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.FileFormatException;
import java.io.IOException;
import java.nio.file.Path;

/** Reads JSON files that are {@linkplain SmallFiles small}. */
@Internal(shared = true)
public final class JsonFiles {
    private static final ObjectMapper JSON = new ObjectMapper();

    private JsonFiles() {
    }

    /**
     * The value of a file.
     *
     * @throws FileFormatException when it is not JSON, or larger than a configuration
     * @throws java.io.UncheckedIOException when it cannot be read
     */
    public static JsonNode read(Path file) {
        return read(file, SmallFiles.CONFIGURATION);
    }

    /**
     * The object of a file.
     *
     * @throws FileFormatException when it is not a JSON object, or larger than a configuration
     * @throws java.io.UncheckedIOException when it cannot be read
     */
    public static ObjectNode object(Path file) {
        return object(file, SmallFiles.CONFIGURATION);
    }

    /** As {@link #object(Path)}, of at most so many bytes. */
    public static ObjectNode object(Path file, long most) {
        if (read(file, most) instanceof ObjectNode object) {
            return object;
        }
        throw new FileFormatException(file, "is not a JSON object");
    }

    private static JsonNode read(Path file, long most) {
        byte[] bytes = SmallFiles.read(file, most);
        try {
            return JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file, "is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            // The bytes are here already: what they say of their encoding is wrong.
            throw new FileFormatException(file, "is not valid JSON in UTF-8", e);
        }
    }
}
