package io.peft4j.models.gguf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.model.Task;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a model reads typed questions, in a GGUF file. llama.cpp has keys for Laya's form, for chat models whose options
 * have letters by their place, and for temperatures. What it has none for, such as other labels, is under keys of
 * our own, and its server then answers no questions by the file.
 */
public final class GgufDecisions {
    private static final Logger LOG = LoggerFactory.getLogger(GgufDecisions.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SETTINGS = "peft4j.decision.settings";
    private static final String TEMPLATE = "peft4j.decision.template";
    private static final String LAYA = "laya";
    private static final String MARKED = "modern-bert";
    private static final String MOST_QUESTION_TOKENS = "max_head_tokens";
    /** llama.cpp's name of a number of options by that of the settings. */
    private static final Map<String, String> BUCKETS = Map.of("2", "2", "3-5", "3_5", "6-10", "6_10", "11+", "11");
    private static final Pattern TEMPERATURE = Pattern.compile("(choice|score|noul)(?:[.:](.*))?");
    /** Keys of the settings that the type says. */
    private static final List<String> OF_TYPE = List.of("labels", "noul_options", "head_max_len", "names_as_labels");

    private GgufDecisions() {
    }

    /** What a file's model is for. */
    public static Task task(GgufFile file) {
        return file.metadata().string(prefix(file) + "type", "").equals(LAYA) ? Task.DECISION
                : Task.of(Architectures.of(file).defaultTask());
    }

    private static String prefix(GgufFile file) {
        return file.metadata().string("general.architecture", "") + ".decision.";
    }

    /**
     * A configuration with the number of layers of a head with option markers, if there is one.
     *
     * @throws ConfigurationException when llama.cpp has no place for it
     */
    static ModelConfig withHead(ModelConfig config, List<ModelTensor> tensors) {
        if (tensors.stream().noneMatch(tensor -> tensor.name().equals("scorer.3.weight"))) {
            return config;
        }
        int layers = (int) tensors.stream().filter(tensor -> tensor.name()
                .matches("head\\.layers\\.\\d+\\.linear1\\.weight")).count();
        if (!config.modelType().equals("modernbert") || layers == 0) {
            throw new ConfigurationException("llama.cpp reads option markers by ModernBERT with Laya's head of one or "
                    + "more layers, and this is a model of the type " + config.modelType() + " whose head has "
                    + layers + "; write a Hugging Face folder");
        }
        return config.with(ModelConfig.HEAD_LAYERS, layers);
    }

    /**
     * Adds the settings to a file.
     *
     * @param architecture llama.cpp's name of the architecture
     * @param marks whether the model has a head with option markers
     * @throws ConfigurationException when a file has no place for what was fitted
     */
    static void write(GgufWriter writer, String architecture, DecisionSettings settings, Tokenizer tokenizer,
            boolean marks) {
        if (!marks && settings.equals(DecisionSettings.DEFAULT)) {
            return;
        }
        if (!settings.calibration().questions().isEmpty()) {
            throw new ConfigurationException(DecisionSettings.FILE + " has a calibration by question, and a GGUF file "
                    + "holds temperatures only, no biases, curves or thresholds; write a Hugging Face folder, or "
                    + "remove \"calibration\" to answer with the temperatures");
        }
        String prefix = architecture + ".decision.";
        settings.temperature().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> writer
                .float32(prefix + "temperature." + written(entry.getKey()), entry.getValue().floatValue()));
        ObjectNode own = settings.toJson();
        own.remove(List.of("temperature", "adapter"));
        Optional<String> type = marks ? Optional.of(LAYA) : SystemOnePrompt.type(settings, tokenizer);
        type.ifPresent(name -> {
            writer.string(prefix + "type", name);
            own.remove(OF_TYPE);
            if (settings.controlTokensAsText()) {
                own.remove("sanitize_control_tokens");
            }
        });
        if (marks) {
            own.put("max_len", settings.maxTokens().orElse(DecisionSettings.MARKED_TOKENS));
            addMarkers(writer, prefix, settings, tokenizer);
        } else if (type.isPresent()) {
            writer.string(SystemOnePrompt.KEY, SystemOnePrompt.letters(settings, tokenizer));
        } else {
            LOG.info(
                    "llama.cpp's server answers no questions by this file, whose options are not labelled A, B, ... by "
                            + "their place; only PEFT4J does");
            settings.template().ifPresent(text -> writer.string(TEMPLATE, text));
        }
        if (!own.isEmpty()) {
            writer.string(SETTINGS, own.toString());
        }
    }

    private static void addMarkers(GgufWriter writer, String prefix, DecisionSettings settings, Tokenizer tokenizer) {
        SystemOnePrompt.Tokens tokens = SystemOnePrompt.Tokens.of(tokenizer).orElseThrow(
                () -> new ConfigurationException(tokenizer + " has no tokens to mark options with"));
        writer.uint32(prefix + MOST_QUESTION_TOKENS, settings.maxQuestionTokens()
                .orElse(DecisionSettings.MARKED_QUESTION_TOKENS))
                .uint32("tokenizer.ggml.mask_token_id", tokens.mask())
                .uint32("tokenizer.ggml.seperator_token_id", tokens.separator())
                .string(SystemOnePrompt.KEY, SystemOnePrompt.laya(tokenizer, tokens));
    }

    private static String written(String key) {
        Matcher parts = TEMPERATURE.matcher(key);
        String bucket = parts.matches() && parts.group(2) != null ? BUCKETS.get(parts.group(2)) : "";
        if (!parts.matches() || bucket == null) {
            throw new ConfigurationException("llama.cpp has no key for the temperature of \"" + key + "\"");
        }
        return bucket.isEmpty() ? parts.group(1) : parts.group(1) + "." + bucket;
    }

    /**
     * The settings of a file; the usual ones where it says nothing.
     *
     * @throws FileFormatException when a key is missing or of a kind that is not supported
     */
    public static DecisionSettings read(GgufFile file, Tokenizer tokenizer) {
        GgufMetadata metadata = file.metadata();
        String prefix = prefix(file);
        ObjectNode values = own(file);
        ObjectNode heats = JSON.createObjectNode();
        metadata.keys().stream().filter(key -> key.startsWith(prefix + "temperature.")).forEach(key -> heats
                .put(read(file, key, prefix), GgufConfig.decimal(metadata.floating(key))));
        if (!heats.isEmpty()) {
            values.set("temperature", heats);
        }
        Optional<String> template = metadata.has(TEMPLATE) ? Optional.of(metadata.string(TEMPLATE))
                : Optional.empty();
        if (metadata.has(prefix + "type")) {
            String type = metadata.string(prefix + "type");
            String prompt = metadata.string(SystemOnePrompt.KEY);
            if (prefix.startsWith(MARKED + ".")) {
                addLaya(file, tokenizer, prompt, values);
            } else {
                addLetters(file, tokenizer, type, values);
                template = Optional.of(SystemOnePrompt.template(prompt));
            }
        }
        try {
            DecisionSettings settings = values.isEmpty() ? DecisionSettings.DEFAULT
                    : DecisionSettings.DEFAULT.with(values);
            return template.map(settings::withTemplate).orElse(settings);
        } catch (ConfigurationException e) {
            throw new FileFormatException(file.path(), e.getMessage(), e);
        }
    }

    private static ObjectNode own(GgufFile file) {
        if (!file.metadata().has(SETTINGS)) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode values = JSON.readTree(file.metadata().string(SETTINGS));
            if (values instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file.path(), SETTINGS + " is no JSON: " + e.getOriginalMessage(), e);
        }
        throw new FileFormatException(file.path(), SETTINGS + " is no JSON object");
    }

    private static String read(GgufFile file, String key, String prefix) {
        Matcher parts = TEMPERATURE.matcher(key.substring(prefix.length() + "temperature.".length()));
        if (parts.matches() && parts.group(2) == null) {
            return parts.group(1);
        }
        return BUCKETS.entrySet().stream().filter(bucket -> parts.matches() && bucket.getValue().equals(parts.group(2)))
                .map(bucket -> parts.group(1) + ":" + bucket.getKey()).findFirst()
                .orElseThrow(() -> new FileFormatException(file.path(), "the temperature " + key + " is of no kind and "
                        + "number of options; supported are choice, score and noul, with .2, .3_5, .6_10 or .11"));
    }

    /** {@link io.peft4j.models.architecture.GgufForm} has read the type with the layers. */
    private static void addLaya(GgufFile file, Tokenizer tokenizer, String prompt, ObjectNode values) {
        GgufMetadata metadata = file.metadata();
        String key = prefix(file) + MOST_QUESTION_TOKENS;
        long most = metadata.integer(key);
        if (most < 1 || most > Integer.MAX_VALUE) {
            throw new FileFormatException(file.path(), key + " is " + most + "; it must be a number of tokens");
        }
        SystemOnePrompt.Tokens tokens = SystemOnePrompt.Tokens.of(tokenizer).orElseThrow(() -> new FileFormatException(
                file.path(), "its tokenizer has no tokens to mark options with"));
        if (!SystemOnePrompt.isLaya(prompt, tokenizer, tokens)) {
            throw new FileFormatException(file.path(), SystemOnePrompt.KEY + " is not Laya's prompt, which is the only "
                    + "one that is supported with option markers");
        }
        values.put("head_max_len", (int) most);
        if (!values.has("max_len")) {
            // llama.cpp reads as much as the encoder can.
            values.put("max_len", (int) Math.min(Integer.MAX_VALUE, metadata.integer(MARKED + ".context_length")));
        }
    }

    private static void addLetters(GgufFile file, Tokenizer tokenizer, String type, ObjectNode values) {
        if (!type.equals(SystemOnePrompt.TRUE_FIRST) && !type.equals(SystemOnePrompt.FALSE_FIRST)) {
            throw new FileFormatException(file.path(),
                    prefix(file) + "type is \"" + type + "\"; supported are \"" + LAYA
                            + "\", \"" + SystemOnePrompt.TRUE_FIRST + "\" and \"" + SystemOnePrompt.FALSE_FIRST
                            + "\", the first of " + MARKED + " alone");
        }
        List<String> labels = SystemOnePrompt.labels(type, tokenizer);
        if (labels.size() < 2) {
            throw new FileFormatException(file.path(),
                    "its tokenizer has no tokens for the letters that label options");
        }
        ObjectNode named = values.putObject("labels");
        for (Kind kind : Kind.values()) {
            ArrayNode list = named.putArray(kind.word());
            (kind == Kind.NOUL ? labels.subList(0, 2) : labels).forEach(list::add);
        }
        boolean trueFirst = type.equals(SystemOnePrompt.TRUE_FIRST);
        values.putArray("noul_options").add(String.valueOf(trueFirst)).add(String.valueOf(!trueFirst));
    }
}
