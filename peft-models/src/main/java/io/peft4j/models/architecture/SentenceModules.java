package io.peft4j.models.architecture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.internal.SmallFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * The parts of a sentence-transformers model that its {@code modules.json} lists.
 *
 * @param transformer the sub-folder of the network
 * @param pooling the sub-folder of the pooling
 * @param normalizes whether vectors get length 1
 */
record SentenceModules(String transformer, String pooling, boolean normalizes) {
    static SentenceModules read(Path file) {
        String transformer = null;
        String pooling = null;
        boolean normalizes = false;
        for (JsonNode module : list(file)) {
            String type = module.path("type").asText();
            String path = module.path("path").asText();
            if (path.startsWith("/") || path.contains("..") || path.contains("\\")) {
                throw new FileFormatException(file, "names the folder '" + path + "', which leads out of the model's");
            }
            switch (type.substring(type.lastIndexOf('.') + 1)) {
                case "Transformer" -> transformer = path;
                case "Pooling" -> pooling = path;
                case "Normalize" -> normalizes = true;
                default -> throw new FileFormatException(file, "has a part of type '" + type + "', which is not "
                        + "supported; supported are Transformer, Pooling and Normalize");
            }
        }
        if (transformer == null || pooling == null) {
            throw new FileFormatException(file, "must name a Transformer and a Pooling");
        }
        return new SentenceModules(transformer, pooling, normalizes);
    }

    private static JsonNode list(Path file) {
        try {
            JsonNode modules = new ObjectMapper().readTree(SmallFiles.read(file, SmallFiles.CONFIGURATION));
            if (!modules.isArray()) {
                throw new FileFormatException(file, "is not a JSON list");
            }
            return modules;
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file, "is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }
}
