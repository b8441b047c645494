package io.peft4j.models.gguf;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.SentencePooling.Mode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an encoder's hidden states become one vector, in a GGUF file. llama.cpp has numbers for some ways, and no place
 * for the rest: whether the vector gets length 1 and the most tokens of a text stand under keys of our own, which it
 * leaves alone.
 */
final class GgufPooling {
    private static final Logger LOG = LoggerFactory.getLogger(GgufPooling.class);
    private static final String TYPE = ".pooling_type";
    private static final String NORMALIZE = "peft4j.embedding.normalize";
    private static final String MOST_TOKENS = "peft4j.embedding.max_tokens";
    /** In the order of llama.cpp's numbers from 1; 0 is none. */
    private static final List<Mode> MODES = List.of(Mode.MEAN, Mode.CLS, Mode.LAST);

    private GgufPooling() {
    }

    /**
     * Reads it; the mean where the file does not say.
     *
     * @throws FileFormatException when it is a way that is not known
     */
    static SentencePooling read(GgufFile file, String architecture) {
        GgufMetadata metadata = file.metadata();
        int type = (int) metadata.integer(architecture + TYPE, 0);
        if (type < 0 || type > MODES.size()) {
            throw new FileFormatException(file.path(), architecture + TYPE + " is " + type + "; supported are 0 to 3 "
                    + "(none, mean, first and last token)");
        }
        int most = (int) Math.max(0, Math.min(Integer.MAX_VALUE, metadata.integer(MOST_TOKENS, 0)));
        return new SentencePooling(List.of(MODES.get(Math.max(0, type - 1))), List.of(),
                metadata.bool(NORMALIZE, false),
                most > 0 ? OptionalInt.of(most) : OptionalInt.empty(), Map.of(), Optional.empty(), Optional.empty());
    }

    /**
     * Adds it to a file.
     *
     * @throws ConfigurationException when llama.cpp has no number for it
     */
    static void write(GgufWriter writer, String architecture, SentencePooling pooling) {
        if (pooling.modes().size() != 1 || !MODES.contains(pooling.modes().get(0))) {
            throw new ConfigurationException("pooling is " + pooling.modes() + ", and llama.cpp supports one of "
                    + MODES + " only");
        }
        if (!pooling.dense().isEmpty()) {
            throw new ConfigurationException("a GGUF file cannot store the dense layers " + pooling.dense().stream()
                    .map(dense -> dense.folder().getFileName()).toList() + "; write a Hugging Face folder");
        }
        writer.uint32(architecture + TYPE, MODES.indexOf(pooling.modes().get(0)) + 1);
        if (pooling.normalize()) {
            writer.bool(NORMALIZE, true);
        }
        pooling.maxTokens().ifPresent(most -> writer.uint32(MOST_TOKENS, most));
        if (!pooling.prompts().isEmpty()) {
            LOG.warn("a GGUF file cannot store the prompts {}; put them before the texts yourself",
                    pooling.prompts());
        }
    }
}
