package io.peft4j.core.decision;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionQuestion.Kind;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.io.PlainNames;
import io.peft4j.core.io.SmallFiles;
import io.peft4j.core.option.With;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How a model reads questions, as {@value #FILE} and {@value #TEMPLATE} say, which Transformers reads, too. Keys that
 * it does not know, such as the calibration's, it ignores. Of a Laya checkpoint {@value #LAYA} says it.
 *
 * @param labels by the word of a kind the texts of one token that stand for its options; where there are none
 *     {@code Yes} and {@code No}, or {@code A}, {@code B}, ...
 * @param temperature what logits are divided by, by the word of a kind ({@code choice}), or with the number of its
 *     options ({@code choice:3-5}; 2, 3-5, 6-10, 11+), which comes first
 * @param template Jinja that makes the prompt; a plain one as the user's message by default
 * @param noulOptions the order in which a prompt has {@code true} and {@code false}
 * @param controlTokensAsText whether control tokens in a user's text are text
 * @param adapter the sub-folder of an adapter that belongs to the model
 * @param maxTokens the most tokens of a sequence with option markers
 * @param maxQuestionTokens the most of them for the question and its options
 * @param plainQuestion what is asked of rows that are a text without a question
 * @param calibration what was fitted to answers
 * @param namesAsLabels whether the options of a choice are labelled by the first tokens of their own names, where these
 *     differ, and not by {@code labels}
 * @param trained what the model was trained on
 */
@With
public record DecisionSettings(Map<String, List<String>> labels, Map<String, Double> temperature,
        Optional<String> template, List<String> noulOptions, boolean controlTokensAsText, Optional<String> adapter,
        OptionalInt maxTokens, OptionalInt maxQuestionTokens, Optional<DecisionQuestion> plainQuestion,
        @Internal DecisionCalibration calibration, boolean namesAsLabels, @Internal TrainedStates trained)
        implements
            DecisionSettingsWith {
    /** The file of the settings. */
    public static final String FILE = "decision.json";
    /** The file of the prompt. */
    public static final String TEMPLATE = "decision_template.jinja";
    /** The file that makes a folder a Laya checkpoint. */
    public static final String LAYA = "rl_agent_config.json";
    /** The lowest temperature that is fitted, or taken from a Laya checkpoint: lower ones make certain of a guess. */
    public static final double LEAST_TEMPERATURE = 0.5;
    /** The highest one. */
    public static final double MOST_TEMPERATURE = 5;
    /** The most tokens of a sequence with option markers, where nothing is said. */
    public static final int MARKED_TOKENS = 512;
    /** The most of them for the question and its options. */
    public static final int MARKED_QUESTION_TOKENS = 192;
    /** What a model has of which nothing is said. */
    public static final DecisionSettings DEFAULT = new DecisionSettings(Map.of(), Map.of(), Optional.empty(),
            List.of("true", "false"), true, Optional.empty(), OptionalInt.empty(), OptionalInt.empty(),
            Optional.empty(), DecisionCalibration.NONE, false, TrainedStates.NONE);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** Copies and checks. */
    public DecisionSettings {
        labels = Map.copyOf(labels);
        temperature = Map.copyOf(temperature);
        noulOptions = List.copyOf(noulOptions);
        Objects.requireNonNull(template, "template");
        Objects.requireNonNull(calibration, "calibration");
        Objects.requireNonNull(trained, "trained");
        if (!noulOptions.stream().sorted().toList().equals(List.of("false", "true"))) {
            throw new ConfigurationException("noul_options must be \"true\" and \"false\" in one of their orders, got "
                    + noulOptions);
        }
        if (adapter.filter(folder -> !Stream.of(folder.split("/", -1)).allMatch(PlainNames::isPlain)).isPresent()) {
            throw new ConfigurationException("the adapter '" + adapter.get() + "' is not the name of a folder below "
                    + "the model's");
        }
        temperature.forEach((key, value) -> {
            if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
                throw new ConfigurationException("the temperature of " + key + " is " + value + "; it must be above 0");
            }
        });
    }

    /** The same with other temperatures and what else was fitted. */
    @Internal(shared = true)
    public DecisionSettings withFitted(Map<String, Double> temperatures, DecisionCalibration fitted) {
        return new DecisionSettings(labels, temperatures, template, noulOptions, controlTokensAsText, adapter,
                maxTokens, maxQuestionTokens, plainQuestion, fitted, namesAsLabels, trained);
    }

    /**
     * The same with the options of choices labelled by their names.
     *
     * @param choice what Transformers, which labels by place, finds as the labels of a choice
     */
    public DecisionSettings withNamesAsLabels(List<String> choice) {
        Map<String, List<String>> named = new LinkedHashMap<>(labels);
        named.put(Kind.CHOICE.word(), choice);
        return new DecisionSettings(choice.isEmpty() ? labels : named, temperature, template, noulOptions,
                controlTokensAsText, adapter, maxTokens, maxQuestionTokens, plainQuestion, calibration, true, trained);
    }

    /** The labels of a question, in the order of a prompt's options, where these are not labelled by their names. */
    public List<String> labels(Kind kind) {
        List<String> named = namesAsLabels && kind == Kind.CHOICE ? List.of()
                : labels.getOrDefault(kind.word(), List.of());
        return !named.isEmpty() ? named : kind == Kind.NOUL ? List.of("Yes", "No")
                : IntStream.rangeClosed('A', 'Z').mapToObj(Character::toString).toList();
    }

    /** What the logits of a question are divided by. */
    public double temperature(DecisionQuestion question) {
        return temperature.getOrDefault(bucket(question.kind(), question.options().size()),
                temperature.getOrDefault(question.kind().word(), 1.0));
    }

    /** The key of a kind with a number of options, such as {@code choice:3-5}. */
    public static String bucket(Kind kind, int options) {
        return kind.word() + ":" + (options <= 2 ? "2" : options <= 5 ? "3-5" : options <= 10 ? "6-10" : "11+");
    }

    /** The probabilities of a question's options, as they were fitted to the question or to its kind. */
    public double[] probabilities(DecisionQuestion question, double... logits) {
        Optional<DecisionCalibration.Entry> fitted = calibration.of(question);
        if (fitted.isPresent()) {
            return fitted.get().applied(logits);
        }
        double heat = temperature(question);
        return DecisionCalibration.softmax(Arrays.stream(logits).map(logit -> logit / heat).toArray());
    }

    /**
     * The settings of a folder; those of {@code otherwise} where it says nothing.
     *
     * @throws FileFormatException when a file is damaged or asks for what is not supported
     * @throws UncheckedIOException when a file cannot be read
     */
    public static DecisionSettings read(Path folder, DecisionSettings otherwise) {
        DecisionSettings settings = otherwise;
        try {
            if (Files.isRegularFile(folder.resolve(LAYA))) {
                settings = settings.ofLaya(JsonFiles.object(folder.resolve(LAYA)));
            }
            if (Files.isRegularFile(folder.resolve(FILE))) {
                settings = settings.with(JsonFiles.object(folder.resolve(FILE)));
            }
        } catch (ConfigurationException e) {
            throw new FileFormatException(folder.resolve(FILE), e.getMessage(), e);
        }
        Path prompt = folder.resolve(TEMPLATE);
        return !Files.isRegularFile(prompt) ? settings
                : settings.withTemplate(new String(SmallFiles.read(prompt, SmallFiles.CONFIGURATION),
                        StandardCharsets.UTF_8));
    }

    private DecisionSettings ofLaya(JsonNode values) {
        if (!values.path("option_layout").asText("sequential").equals("sequential")) {
            throw new ConfigurationException("option_layout is " + values.path("option_layout")
                    + "; supported is \"sequential\"");
        }
        Map<String, Double> heats = new LinkedHashMap<>();
        JsonNode byKind = values.path("temperature");
        if (byKind.isArray() && byKind.size() == Kind.values().length) {
            for (Kind kind : Kind.values()) {
                heats.put(kind.word(), clamped(byKind.get(kind.ordinal())));
            }
        } else if (!byKind.isMissingNode()) {
            throw new ConfigurationException("temperature is " + byKind + "; expected three numbers");
        }
        values.path("temperature_by_options").properties()
                .forEach(entry -> heats.put(entry.getKey(), clamped(entry.getValue())));
        return new DecisionSettings(labels, heats, template, noulOptions, controlTokensAsText, adapter,
                OptionalInt.of(values.path("max_len").asInt(MARKED_TOKENS)),
                OptionalInt.of(values.path("head_max_len").asInt(MARKED_QUESTION_TOKENS)), plainQuestion, calibration,
                namesAsLabels, trained);
    }

    private static double clamped(JsonNode value) {
        return !value.isNumber() ? 1 : Math.min(MOST_TEMPERATURE, Math.max(LEAST_TEMPERATURE, value.doubleValue()));
    }

    /**
     * The same with what a {@value #FILE} says.
     *
     * @throws ConfigurationException when it says something that is not possible
     */
    public DecisionSettings with(JsonNode values) {
        Map<String, List<String>> named = new LinkedHashMap<>(values.has("labels") ? Map.of() : labels);
        values.path("labels").properties().forEach(entry -> named.put(entry.getKey(), texts(entry.getValue())));
        // What was fitted to another model's answers is of no use to this one's.
        Map<String, Double> heats = new LinkedHashMap<>(values.has("temperature") ? Map.of() : temperature);
        values.path("temperature").properties()
                .forEach(entry -> heats.put(entry.getKey(), entry.getValue().doubleValue()));
        return new DecisionSettings(named, heats, template, values.has("noul_options")
                ? texts(values.get("noul_options")) : noulOptions,
                values.path("sanitize_control_tokens").asBoolean(controlTokensAsText),
                values.path("adapter").isTextual() ? Optional.of(values.path("adapter").textValue()) : adapter,
                limit(values, "max_len", maxTokens), limit(values, "head_max_len", maxQuestionTokens),
                values.path("question").isObject() ? Optional.of(DecisionQuestion.of(values.get("question")))
                        : plainQuestion,
                values.has("calibration") ? calibration(values.get("calibration")) : calibration,
                values.path("names_as_labels").asBoolean(namesAsLabels),
                values.has("trained_states") ? new TrainedStates(texts(values.get("trained_states"))) : trained);
    }

    private static OptionalInt limit(JsonNode values, String key, OptionalInt otherwise) {
        return values.path(key).isInt() ? OptionalInt.of(values.get(key).intValue()) : otherwise;
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static DecisionCalibration calibration(JsonNode values) {
        try {
            return MAPPER.treeToValue(values, DecisionCalibration.class);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("calibration: " + e.getOriginalMessage(), e);
        }
    }

    /** The settings as they stand in {@value #FILE}, without the prompt. */
    public ObjectNode toJson() {
        ObjectNode node = MAPPER.createObjectNode();
        ObjectNode named = node.putObject("labels");
        labels.forEach((kind, texts) -> {
            ArrayNode list = named.putArray(kind);
            texts.forEach(list::add);
        });
        ObjectNode heats = node.putObject("temperature");
        temperature.entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(entry -> heats.put(entry.getKey(), entry.getValue()));
        ArrayNode order = node.putArray("noul_options");
        noulOptions.forEach(order::add);
        node.put("sanitize_control_tokens", controlTokensAsText);
        node.put("adapter", adapter.orElse(null));
        maxTokens.ifPresent(most -> node.put("max_len", most));
        maxQuestionTokens.ifPresent(most -> node.put("head_max_len", most));
        plainQuestion.ifPresent(question -> node.set("question", question.toJson()));
        if (!calibration.questions().isEmpty()) {
            node.set("calibration", MAPPER.valueToTree(calibration));
        }
        if (namesAsLabels) {
            node.put("names_as_labels", true);
        }
        if (!trained.hashes().isEmpty()) {
            trained.hashes().forEach(node.putArray("trained_states")::add);
        }
        return node;
    }

    /** The files of the settings by their names; none where nothing is said. */
    public Map<String, String> files() {
        Map<String, String> files = new LinkedHashMap<>();
        if (!equals(DEFAULT)) {
            files.put(FILE, toJson().toPrettyString() + "\n");
            template.ifPresent(text -> files.put(TEMPLATE, text));
        }
        return files;
    }

    /**
     * Writes the settings into a folder.
     *
     * @throws UncheckedIOException when a file cannot be written
     */
    public void write(Path folder) {
        Map<Path, AtomicFiles.Content> together = new LinkedHashMap<>();
        files().forEach((name, text) -> together.put(folder.resolve(name), AtomicFiles.text(text)));
        AtomicFiles.writeTogether(together);
    }
}
