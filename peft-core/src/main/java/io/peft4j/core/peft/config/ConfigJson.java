package io.peft4j.core.peft.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.SmallFiles;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** JSON of adapter configurations: strict reading, Python's layout in writing. */
@Internal
public final class ConfigJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    private static final ObjectWriter WRITER = MAPPER.writer(new PythonLayout());

    private ConfigJson() {
    }

    /**
     * Reads any value.
     *
     * @param source where it comes from, for messages
     * @throws ConfigurationException when it is not JSON, or a key appears in it twice
     */
    public static JsonNode parse(String json, String source) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException(source + " is not valid JSON: " + e.getOriginalMessage()
                    + (e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr()),
                    e);
        }
    }

    /**
     * Reads an object.
     *
     * @throws ConfigurationException as {@link #parse}, and when it is something else
     */
    public static ObjectNode parseObject(String json, String source) {
        if (parse(json, source) instanceof ObjectNode object) {
            return object;
        }
        throw new ConfigurationException(source + " must be a JSON object, {...}");
    }

    /**
     * The text of a file of at most a few megabytes.
     *
     * @throws FileFormatException when it is longer, or not in UTF-8
     */
    public static String readFile(Path file) {
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(SmallFiles.read(file, SmallFiles.CONFIGURATION))).toString();
        } catch (CharacterCodingException e) {
            throw new FileFormatException(file, "is not encoded in UTF-8", e);
        }
    }

    /** A value as Python's {@code json.dumps(..., indent=2)} writes it. */
    public static String write(JsonNode node) {
        try {
            return WRITER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("Cannot write a configuration as JSON", e);
        }
    }

    private static final class PythonLayout extends DefaultPrettyPrinter {
        private static final long serialVersionUID = 1L;

        PythonLayout() {
            super(Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                    .withObjectEmptySeparator("").withArrayEmptySeparator(""));
            DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
            indentObjectsWith(indenter);
            indentArraysWith(indenter);
        }

        private PythonLayout(PythonLayout base) {
            super(base);
        }

        @Override
        public PythonLayout createInstance() {
            return new PythonLayout(this);
        }
    }
}
