package io.peft4j.models;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.SmallFiles;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.gguf.GgufCheckpoint;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.models.tokenizer.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What an adapter of Hugging Face PEFT holds of a base whose vocabulary was made larger: tokens, and their rows. */
@Internal(shared = true)
public final class AdapterVocabulary {
    private static final String PREFIX = "base_model.model.";
    private static final String SUFFIX = ".weight";
    private static final String FILE = "adapter_model.safetensors";
    /** Where PEFT keeps a whole matrix: beside a trained one, of a layer without an adapter, with one, with rows. */
    private static final List<String> COPIES = List.of(".original_module.weight", ".weight", ".base_layer.weight",
            ".token_adapter.base_layer.weight");

    private AdapterVocabulary() {
    }

    /**
     * Whether an adapter holds an embedding or output layer with more rows than the base has tokens: it then needs
     * {@link ModelOptions#withTokensOf}.
     */
    public static boolean isWiderThan(ModelSource base, Path adapter) {
        if (!Files.isRegularFile(adapter.resolve(FILE))) {
            return false;
        }
        if (base instanceof ModelSource.GgufPath) {
            try (GgufCheckpoint gguf = GgufCheckpoint.of(GgufFile.open(base.path()))) {
                return isWiderThan(gguf, gguf.config(), adapter);
            }
        }
        Path folder = SentencePooling.network(base.path());
        try (TensorStore tensors = Safetensors.open(folder)) {
            return isWiderThan(tensors, ModelConfig.read(folder.resolve("config.json")), adapter);
        }
    }

    private static boolean isWiderThan(TensorStore base, ModelConfig config, Path adapter) {
        Optional<Integer> tokens = config.optionalPositive("vocab_size");
        try (SafetensorsFile file = SafetensorsFile.open(adapter.resolve(FILE))) {
            return tokens.isPresent() && base.names().stream()
                    .anyMatch(name -> wider(file, name, base.shape(name), tokens.get()).isPresent());
        }
    }

    /**
     * The tokenizer beside an adapter.
     *
     * @throws ConfigurationException when there is none
     */
    static Tokenizer tokenizer(Path adapter, ModelOptions options) {
        if (!Files.isRegularFile(adapter.resolve("tokenizer.json"))) {
            throw new ConfigurationException(adapter + " holds no tokenizer.json, so its tokens are unknown; "
                    + "save the tokenizer beside the adapter (tokenizer.save_pretrained), or list the tokens "
                    + "(ModelOptions.withNewTokens)");
        }
        return Tokenizers.fromFolder(adapter, List.of(), options.chatTemplate(), options.form());
    }

    /** The chat template beside an adapter, with which it was trained. */
    public static Optional<String> chatTemplate(Path adapter) {
        return Optional.of(adapter.resolve("chat_template.jinja")).filter(Files::isRegularFile).map(file -> new String(
                SmallFiles.read(file, SmallFiles.CONFIGURATION), StandardCharsets.UTF_8));
    }

    /**
     * The rows beyond those of the base, by the names of the base's tensors.
     *
     * @param base the base's tensors
     * @param before how many rows it has for tokens
     * @throws FileFormatException when the adapter's matrices differ in their number of rows
     */
    public static Map<String, float[]> rows(Path adapter, TensorStore base, int before) {
        Map<String, float[]> rows = new HashMap<>();
        long count = before;
        try (SafetensorsFile file = SafetensorsFile.open(adapter.resolve(FILE))) {
            for (String name : base.names()) {
                long[] own = base.shape(name);
                Optional<String> key = wider(file, name, own, before);
                if (key.isEmpty()) {
                    continue;
                }
                long[] shape = file.shape(key.get());
                if (count != before && count != shape[0]) {
                    throw new FileFormatException(file.path(), "has " + count + " rows of tokens in one matrix and "
                            + shape[0] + " in " + key.get());
                }
                count = shape[0];
                float[] more = new float[Math.toIntExact((count - before) * own[1])];
                file.readFloats(key.get(), before * own[1], more, 0, more.length);
                rows.put(name, more);
            }
        }
        return rows;
    }

    /** The name under which the adapter holds a tensor of the base with more rows than one for each token. */
    private static Optional<String> wider(SafetensorsFile file, String name, long[] own, int before) {
        if (!name.endsWith(SUFFIX) || own.length != 2 || own[0] != before) {
            return Optional.empty();
        }
        String path = PREFIX + name.substring(0, name.length() - SUFFIX.length());
        return COPIES.stream().map(path::concat).filter(file.tensors()::containsKey).findFirst().filter(key -> {
            long[] shape = file.shape(key);
            return shape.length == 2 && shape[1] == own[1] && shape[0] > before;
        });
    }

    /** How many rows of this length there are. */
    public static int count(Map<String, float[]> rows, TensorStore base) {
        return rows.entrySet().stream().map(entry -> (int) (entry.getValue().length
                / base.shape(entry.getKey())[1])).findFirst().orElse(0);
    }
}
