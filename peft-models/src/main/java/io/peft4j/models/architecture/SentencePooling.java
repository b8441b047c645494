package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.kernel.Activation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * How the hidden states of a text become one vector, as the folder of a sentence-transformers model says.
 *
 * @param modes the parts of the vector, one after the other
 * @param dense linear layers that follow
 * @param normalize whether the vector gets length 1
 * @param maxTokens the most tokens of a text, where the folder limits them
 * @param prompts texts by name that the model was trained to see before others
 * @param defaultPrompt the name of the prompt that is used where none is asked for
 * @param folder the folder, where the model is one of sentence-transformers
 */
public record SentencePooling(List<Mode> modes, List<Dense> dense, boolean normalize, OptionalInt maxTokens,
        Map<String, String> prompts, Optional<String> defaultPrompt, Optional<Path> folder) {
    /** The file that lists the parts of a model. */
    public static final String MODULES = "modules.json";
    private static final String LIMITS = "sentence_bert_config.json";
    private static final String SETTINGS = "config_sentence_transformers.json";

    /** What is taken of the hidden states of the tokens. */
    public enum Mode {
        /** That of the first token. */
        CLS("cls", "pooling_mode_cls_token"),
        /** Their mean. */
        MEAN("mean", "pooling_mode_mean_tokens"),
        /** Their sum over the root of their number. */
        MEAN_SQRT_LENGTH("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
        /** Their mean, the i-th with weight i. */
        WEIGHTED_MEAN("weightedmean", "pooling_mode_weightedmean_tokens"),
        /** That of the last token. */
        LAST("lasttoken", "pooling_mode_lasttoken");

        private final String name;
        private final String flag;

        Mode(String name, String flag) {
            this.name = name;
            this.flag = flag;
        }
    }

    /** The mean of all tokens, which sentence-transformers takes where a folder says nothing. */
    public static final SentencePooling MEAN = new SentencePooling(List.of(Mode.MEAN), List.of(), false,
            OptionalInt.empty(), Map.of(), Optional.empty(), Optional.empty());

    /**
     * A linear layer with what follows it.
     *
     * @param folder where its weights lie
     * @param in elements that it reads
     * @param out elements that it gives
     * @param bias whether it has a bias
     * @param activation what follows, where something does
     */
    public record Dense(Path folder, int in, int out, boolean bias, Optional<Activation> activation) {
        static Dense read(Path folder) {
            ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
            if (config.flag("use_residual", false)) {
                throw config.unsupported("use_residual", true, "false");
            }
            for (String key : List.of("module_input_name", "module_output_name")) {
                config.text(key).filter(name -> !name.equals("sentence_embedding")).ifPresent(name -> {
                    throw config.unsupported(key, name, "sentence_embedding");
                });
            }
            String named = config.text("activation_function").orElse("Tanh");
            String function = named.substring(named.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
            try {
                return new Dense(folder, config.positive("in_features"), config.positive("out_features"),
                        config.flag("bias", true), function.equals("identity") ? Optional.empty()
                                : Optional.of(Activation.of(function)));
            } catch (ConfigurationException e) {
                throw new FileFormatException(config.file(), "activation_function: " + e.getMessage(), e);
            }
        }
    }

    /** Copies lists and map. */
    public SentencePooling {
        modes = List.copyOf(modes);
        dense = List.copyOf(dense);
        prompts = Map.copyOf(prompts);
    }

    /** Whether a folder is one of sentence-transformers. */
    public static boolean isIn(Path folder) {
        return Files.isRegularFile(folder.resolve(MODULES));
    }

    /** Whether a folder is one of sentence-transformers whose model scores two texts. */
    static boolean isCrossEncoder(Path folder) {
        return settings(folder).flatMap(config -> config.text("model_type")).filter("CrossEncoder"::equals)
                .isPresent();
    }

    /** Whether a folder is one of sentence-transformers whose model makes vectors of texts. */
    public static boolean isOfVectors(Path folder) {
        return isIn(folder) && !isCrossEncoder(folder);
    }

    /** What a folder says beside its parts. */
    static Optional<ModelConfig> settings(Path folder) {
        return optional(folder.resolve(SETTINGS));
    }

    /** How the next token judges, where a folder says so. */
    static Optional<NextTokenScore> nextToken(Path folder) {
        if (!isCrossEncoder(folder) || !isIn(folder)) {
            return Optional.empty();
        }
        return SentenceModules.read(folder.resolve(MODULES)).logitScore().map(part -> NextTokenScore.read(folder
                .resolve(part), settings(folder), optional(network(folder).resolve(LIMITS))));
    }

    /** The folder of the network below that of a model, where it has one of its own. */
    public static Path network(Path folder) {
        return isIn(folder) ? folder.resolve(SentenceModules.read(folder.resolve(MODULES)).transformer()) : folder;
    }

    /**
     * Copies what makes a folder one of sentence-transformers for vectors, or one that judges by the next token,
     * beside the network; nothing where it is none, or where the network has a folder of its own in it.
     *
     * @throws UncheckedIOException when a file cannot be copied
     */
    public static void copy(Path from, Path to) {
        if (!isIn(from) || !network(from).equals(from.resolve(""))) {
            return;
        }
        SentenceModules modules = SentenceModules.read(from.resolve(MODULES));
        Optional<String> last = Optional.ofNullable(modules.pooling()).or(modules::logitScore);
        if (last.isEmpty()) {
            return;
        }
        List<String> files = new ArrayList<>(List.of(MODULES, LIMITS, SETTINGS, last.get() + "/config.json"));
        modules.dense().forEach(path -> files.addAll(List.of(path + "/config.json", path + "/model.safetensors")));
        try {
            for (String file : files) {
                if (Files.isRegularFile(from.resolve(file))) {
                    Files.createDirectories(to.resolve(file).getParent());
                    Files.copy(from.resolve(file), to.resolve(file), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy the files of sentence-transformers to " + to, e);
        }
    }

    /**
     * Reads a folder; {@link #MEAN} where it is none of sentence-transformers for vectors.
     *
     * @throws FileFormatException when a file is damaged, or the model has a part that is not supported
     */
    public static SentencePooling of(Path folder) {
        if (!isOfVectors(folder)) {
            return MEAN;
        }
        SentenceModules modules = SentenceModules.read(folder.resolve(MODULES));
        ModelConfig pooling = ModelConfig.read(folder.resolve(modules.pooling()).resolve("config.json"));
        Optional<ModelConfig> limits = optional(folder.resolve(modules.transformer())
                .resolve(LIMITS));
        Optional<ModelConfig> settings = settings(folder);
        Map<String, String> prompts = new LinkedHashMap<>();
        settings.flatMap(config -> config.object("prompts")).ifPresent(named -> named.values().properties()
                .forEach(entry -> prompts.put(entry.getKey(), entry.getValue().asText())));
        Optional<String> standard = settings.flatMap(config -> config.text("default_prompt_name"));
        if (standard.isPresent() && !prompts.containsKey(standard.get())) {
            throw new FileFormatException(settings.get().file(), "default_prompt_name is '" + standard.get()
                    + "', which is not among the prompts " + prompts.keySet());
        }
        if (!prompts.isEmpty() && !pooling.flag("include_prompt", true)) {
            throw pooling.unsupported("include_prompt", false, "true");
        }
        Optional<Integer> most = limits.flatMap(config -> config.optionalPositive("max_seq_length"))
                .or(() -> optional(folder.resolve(modules.transformer()).resolve("tokenizer_config.json"))
                        .flatMap(SentencePooling::tokenizerLimit));
        return new SentencePooling(modes(pooling),
                modules.dense().stream().map(path -> Dense.read(folder.resolve(path))).toList(), modules.normalizes(),
                most.map(OptionalInt::of).orElse(OptionalInt.empty()), prompts, standard, Optional.of(folder));
    }

    /** The limit of folders that newer versions of the library wrote; a tokenizer without one names a huge number. */
    private static Optional<Integer> tokenizerLimit(ModelConfig tokenizer) {
        JsonNode limit = tokenizer.values().path("model_max_length");
        return limit.canConvertToInt() && limit.asInt() > 0 ? Optional.of(limit.asInt()) : Optional.empty();
    }

    private static Optional<ModelConfig> optional(Path file) {
        return Files.isRegularFile(file) ? Optional.of(ModelConfig.read(file)) : Optional.empty();
    }

    /** The newer files name the mode, the older ones have a flag for each. */
    private static List<Mode> modes(ModelConfig pooling) {
        Set<String> asked = new TreeSet<>();
        pooling.text("pooling_mode").ifPresent(asked::add);
        pooling.values().properties().stream().filter(entry -> entry.getKey().startsWith("pooling_mode_")
                && entry.getValue().asBoolean()).forEach(entry -> asked.add(entry.getKey()));
        List<Mode> modes = Stream.of(Mode.values()).filter(mode -> asked.remove(mode.name) | asked.remove(mode.flag))
                .toList();
        if (!asked.isEmpty() || modes.isEmpty()) {
            throw pooling.unsupported("pooling_mode", asked.isEmpty() ? "none" : asked,
                    Stream.of(Mode.values()).map(mode -> mode.name).toList().toString());
        }
        return modes;
    }

    /**
     * The parts of a sentence-transformers model that its {@code modules.json} lists.
     *
     * @param transformer the sub-folder of the network
     * @param pooling the sub-folder of the pooling; null for a cross-encoder
     * @param dense the sub-folders of linear layers
     * @param normalizes whether vectors get length 1
     * @param logitScore the sub-folder of what judges by the next token, of a cross-encoder
     */
    private record SentenceModules(String transformer, String pooling, List<String> dense, boolean normalizes,
            Optional<String> logitScore) {
        static SentenceModules read(Path file) {
            String transformer = null;
            String pooling = null;
            List<String> dense = new ArrayList<>();
            boolean normalizes = false;
            String logitScore = null;
            for (JsonNode module : list(file)) {
                String type = module.path("type").asText();
                String path = module.path("path").asText();
                if (path.startsWith("/") || path.contains("..") || path.contains("\\")) {
                    throw new FileFormatException(file,
                            "names the folder '" + path + "', which is outside the model's folder");
                }
                switch (type.substring(type.lastIndexOf('.') + 1)) {
                    case "Transformer" -> transformer = path;
                    case "Pooling" -> pooling = path;
                    case "Dense" -> {
                        if (normalizes || pooling == null) {
                            throw new FileFormatException(file, "has a Dense that does not stand between Pooling and "
                                    + "Normalize, which is not supported");
                        }
                        dense.add(path);
                    }
                    case "Normalize" -> normalizes = true;
                    case "LogitScore" -> logitScore = path;
                    default -> throw new FileFormatException(file, "has a part of type '" + type + "', which is not "
                            + "supported; supported are Transformer, Pooling, Dense, Normalize "
                            + "and LogitScore");
                }
            }
            boolean scores = isCrossEncoder(file.getParent());
            if (transformer == null || (pooling == null) != scores || logitScore != null && !scores) {
                throw new FileFormatException(file, "must name a Transformer" + (scores ? " and no Pooling, since the "
                        + "model is a CrossEncoder" : " and a Pooling"));
            }
            return new SentenceModules(transformer, pooling, dense, normalizes, Optional.ofNullable(logitScore));
        }

        private static JsonNode list(Path file) {
            JsonNode modules = JsonFiles.read(file);
            if (!modules.isArray()) {
                throw new FileFormatException(file, "is not a JSON list");
            }
            return modules;
        }
    }
}
