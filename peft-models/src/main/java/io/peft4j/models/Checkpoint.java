package io.peft4j.models;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.Closer;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.LayaFolder;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.gguf.GgufCheckpoint;
import io.peft4j.models.gguf.GgufDecisions;
import io.peft4j.models.hub.ModelSource;
import io.peft4j.models.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The parts of a model on disk, whatever its form. The tokenizer is read on a thread of its own while the caller reads
 * the weights. Closes what was not taken over, so that a failed load leaves nothing behind.
 */
final class Checkpoint implements AutoCloseable {
    private static final String STOP = "eos_token_id";

    private ModelConfig config;
    private TensorStore tensors;
    private final SentencePooling pooling;
    private final CompletableFuture<Tokenizer> tokenizer;
    private final Set<Integer> stopTokens;
    private final Supplier<DecisionSettings> decisions;
    private Optional<WeightLoader> weights = Optional.empty();
    private boolean tokenizerKept;

    private Checkpoint(ModelConfig config, Set<Integer> stopTokens, TensorStore tensors, SentencePooling pooling,
            Supplier<Tokenizer> tokenizer, Function<Tokenizer, DecisionSettings> decisions) {
        this.config = config;
        this.decisions = () -> decisions.apply(tokenizer());
        this.pooling = pooling;
        this.tensors = tensors;
        this.stopTokens = stopTokens;
        this.tokenizer = CompletableFuture.supplyAsync(tokenizer, task -> {
            Thread thread = new Thread(task, "peft4j-tokenizer");
            thread.setDaemon(true);
            thread.start();
        });
    }

    /** Opens a model, with the new tokens and the chat template of the options. */
    static Checkpoint open(ModelSource source, ModelOptions options) {
        return source instanceof ModelSource.GgufPath ? openGguf(source.path(), options)
                : openFolder(source.path(), options);
    }

    /** The configuration of the model in a folder. */
    static ModelConfig config(Path source) {
        return LayaFolder.isIn(source) ? LayaFolder.read(source)
                : ModelConfig.read(SentencePooling.network(source).resolve("config.json"));
    }

    private static Checkpoint openFolder(Path source, ModelOptions options) {
        Path folder = SentencePooling.network(source);
        ModelConfig config = config(source);
        Path texts = LayaFolder.isIn(source) ? LayaFolder.tokenizer(source) : folder;
        Path generation = folder.resolve("generation_config.json");
        Set<Integer> stopTokens = stopTokens(config);
        if (Files.isRegularFile(generation)) {
            stopTokens.addAll(stopTokens(ModelConfig.read(generation)));
        }
        try (Closer opened = new Closer()) {
            return new Checkpoint(config, stopTokens, opened.add(Safetensors.open(folder)), SentencePooling.of(source),
                    () -> options.tokensOf().map(adapter -> AdapterVocabulary.tokenizer(adapter,
                            options)).orElseGet(() -> Tokenizers.fromFolder(texts, options.newTokens(),
                                    options.chatTemplate(), options.form())),
                    read -> DecisionSettings.read(source, DecisionSettings.DEFAULT)).widened(options, opened);
        }
    }

    private static Checkpoint openGguf(Path file, ModelOptions options) {
        try (Closer opened = new Closer()) {
            GgufFile gguf = opened.add(GgufFile.open(file));
            GgufCheckpoint tensors = GgufCheckpoint.of(gguf);
            return new Checkpoint(tensors.config(), stopTokens(tensors.config()), tensors, tensors.pooling(),
                    () -> options.tokensOf()
                            .map(adapter -> AdapterVocabulary.tokenizer(adapter, options))
                            .orElseGet(() -> Tokenizers.fromGguf(gguf, options.newTokens(), options.chatTemplate(),
                                    options.form())),
                    read -> GgufDecisions.read(gguf, read)).widened(options, opened);
        }
    }

    /**
     * The same with a row for each new token, as far as the checkpoint has none to spare.
     *
     * @param files what was opened for it, its own from here on
     */
    private Checkpoint widened(ModelOptions options, Closer files) {
        files.keep();
        if (options.newTokens().isEmpty() && options.tokensOf().isEmpty()) {
            return this;
        }
        try (Closer opened = new Closer()) {
            opened.add(this);
            int before = config.positive("vocab_size");
            int tokens = tokenizer().vocabSize();
            Map<String, float[]> given = options.tokensOf()
                    .map(adapter -> AdapterVocabulary.rows(adapter, tensors, before)).orElse(Map.of());
            int added = AdapterVocabulary.count(given, tensors);
            int rows = added > 0 ? before + added : Math.max(before, tokens);
            if (tokens > rows) {
                throw new ConfigurationException(options.tokensOf().orElseThrow() + " has " + tokens
                        + " tokens, but rows for " + rows + "; they do not match");
            }
            if (rows > before) {
                tensors = new WiderVocabulary(tensors, before, rows, given);
                config = config.with("vocab_size", rows);
            }
            opened.keep();
            return this;
        }
    }

    /** One id, or a list of them. */
    private static Set<Integer> stopTokens(ModelConfig source) {
        Set<Integer> ids = new HashSet<>();
        JsonNode value = source.values().path(STOP);
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (id.isIntegralNumber() && id.canConvertToInt()) {
                ids.add(id.intValue());
            } else if (!id.isNull() && !id.isMissingNode()) {
                throw new FileFormatException(source.file(), STOP + " is " + value + "; expected the number of a "
                        + "token, or a list of numbers");
            }
        }
        return ids;
    }

    Set<String> tensorNames() {
        return tensors.names();
    }

    ModelConfig config() {
        return config;
    }

    /** The quantized type of the most values; empty where none are quantized. */
    Optional<BlockType> quantizedType() {
        Map<BlockType, Long> values = new EnumMap<>(BlockType.class);
        tensors.names().forEach(name -> tensors.blockType(name).filter(BlockType::isQuantized)
                .ifPresent(type -> values.merge(type, tensors.elements(name), Long::sum)));
        return values.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
    }

    /** Whether it has rows for tokens that are not in the files. */
    boolean isWidened() {
        return tensors instanceof WiderVocabulary;
    }

    /** How hidden states become the vector of a text. */
    SentencePooling pooling() {
        return pooling;
    }

    /** How it reads typed questions. */
    DecisionSettings decisions() {
        return decisions.get();
    }

    /** How many values the tensors have that are loaded. */
    ModelSize size() {
        Predicate<String> left = Architectures.of(config) instanceof CheckpointForm form ? form.staysInFile(config)
                : tensor -> false;
        return ModelSize.of(tensors, config.optionalPositive("vocab_size").orElse(0), left.negate());
    }

    /** The weights in the given type; to be called once. */
    WeightLoader weights(WeightType type, int threads) {
        weights = Optional.of(new WeightLoader(tensors, type, threads));
        return weights.get();
    }

    /** The tokenizer, when it has been read. */
    Tokenizer tokenizer() {
        try {
            return tokenizer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw (Error) e.getCause();
        }
    }

    Set<Integer> stopTokens() {
        Set<Integer> all = new HashSet<>(stopTokens);
        tokenizer().eosId().ifPresent(all::add);
        return all;
    }

    /** Leaves the tokenizer open when this is closed. */
    void keepTokenizer() {
        tokenizerKept = true;
    }

    @Override
    public void close() {
        weights.ifPresentOrElse(WeightLoader::close, tensors::close);
        if (!tokenizerKept) {
            tokenizer.handle((read, failure) -> read).thenAccept(read -> Optional.ofNullable(read)
                    .ifPresent(Tokenizer::close)).join();
        }
    }
}
