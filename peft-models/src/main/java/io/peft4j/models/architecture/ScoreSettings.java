package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How the scores of a model with one output are given, as the folder of a cross-encoder of sentence-transformers says.
 *
 * @param logits whether a score is the output itself; else the logistic function of it, as where nothing is said
 * @param maxTokens the most tokens of two texts, where the tokenizer limits them
 * @param nextToken how the next token judges, of a model that predicts tokens
 */
public record ScoreSettings(boolean logits, OptionalInt maxTokens, Optional<NextTokenScore> nextToken) {
    /** What holds where a folder says nothing. */
    public static final ScoreSettings USUAL = new ScoreSettings(false, OptionalInt.empty(), Optional.empty());
    private static final String ACTIVATION = "activation_fn";
    private static final String SECTION = "sentence_transformers";
    private static final String BEFORE_4 = "sbert_ce_default_activation_function";
    private static final Map<Boolean, String> NAMES = Map.of(true, "torch.nn.modules.linear.Identity", false,
            "torch.nn.modules.activation.Sigmoid");

    /**
     * Reads them of a folder.
     *
     * @param config its configuration, which versions before 6 wrote to
     * @throws FileFormatException when a file is damaged, or scores are given in another way
     */
    public static ScoreSettings of(Path folder, ModelConfig config) {
        Optional<ModelConfig> own = SentencePooling.settings(folder);
        boolean logits = own.flatMap(file -> isIdentity(file, ACTIVATION))
                .or(() -> config.object(SECTION).flatMap(inside -> isIdentity(inside, ACTIVATION)))
                .or(() -> isIdentity(config, BEFORE_4)).orElse(false);
        Optional<NextTokenScore> nextToken = SentencePooling.nextToken(folder);
        own.filter(file -> nextToken.isEmpty() && SentencePooling.isCrossEncoder(folder))
                .flatMap(file -> file.text("default_prompt_name")).ifPresent(name -> {
                    throw own.get().unsupported("default_prompt_name", name, "null for a cross-encoder");
                });
        return new ScoreSettings(logits, maxTokens(SentencePooling.network(folder).resolve("tokenizer_config.json")),
                nextToken);
    }

    private static Optional<Boolean> isIdentity(ModelConfig file, String key) {
        return file.text(key).map(name -> {
            if (!name.matches("torch\\..*\\.(Identity|Sigmoid)")) {
                throw file.unsupported(key, name, NAMES.values().toString());
            }
            return name.endsWith("Identity");
        });
    }

    /** Tokenizers without a limit say a number of thirty digits. */
    private static OptionalInt maxTokens(Path file) {
        if (!Files.isRegularFile(file)) {
            return OptionalInt.empty();
        }
        double most = ModelConfig.read(file).number("model_max_length", Double.MAX_VALUE);
        return most >= 1 && most < Integer.MAX_VALUE ? OptionalInt.of((int) most) : OptionalInt.empty();
    }

    /** Says in a configuration how scores are given, as sentence-transformers reads it since version 4. */
    public static void write(boolean logits, ObjectNode config) {
        config.remove(BEFORE_4);
        config.withObjectProperty(SECTION).put(ACTIVATION, NAMES.get(logits));
    }
}
