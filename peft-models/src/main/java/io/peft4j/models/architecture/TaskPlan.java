package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.Task;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * What a network is built for.
 *
 * @param task the task, with the names of all labels
 * @param pooling for {@link Task.Type#FEATURE_EXTRACTION}, how hidden states become a vector
 * @param scores for a {@linkplain Task.Type#SEQ_CLS classifier} with one output, how its scores are given
 * @param seed seed of the values of what the checkpoint lacks
 */
public record TaskPlan(Task task, SentencePooling pooling, ScoreSettings scores, long seed) {
    /** Refuses null. */
    public TaskPlan {
        Objects.requireNonNull(task, "task");
        Objects.requireNonNull(pooling, "pooling");
        Objects.requireNonNull(scores, "scores");
    }

    /** What a checkpoint says itself. */
    public static TaskPlan of(ModelConfig config, Task.Type otherwise) {
        return of(config, Optional.empty(), otherwise, 0, SentencePooling.MEAN,
                () -> ScoreSettings.USUAL);
    }

    /** Says in a configuration that a checkpoint is for a task with a head. */
    public static void write(Task task, ObjectNode config) {
        TaskReader.write(task, config);
    }

    /** Values of the head's last layer for each row. */
    public int outputs() {
        return task.type() == Task.Type.QUESTION_ANS ? 2 : task.type() == Task.Type.DECISION ? 1
                : task.labels().size();
    }

    /** The most tokens of a sequence, where the folder limits them. */
    public OptionalInt maxTokens() {
        return task.type() == Task.Type.FEATURE_EXTRACTION || task.type() == Task.Type.DECISION ? pooling.maxTokens()
                : scores.maxTokens();
    }

    /** The exception for a task that models of a type have no head for. */
    public ConfigurationException unsupported(String modelType, Object supported) {
        return new ConfigurationException("a model of type " + modelType + " cannot be loaded for " + task.type()
                + "; it can for " + supported);
    }

    /**
     * The task that a checkpoint is for, or the one that is asked for.
     *
     * @param asked the task that it is to be loaded for, where not its own; labels without names get the checkpoint's
     * @param otherwise what models of the architecture are for where {@code architectures} does not say
     * @param scores how scores are given, asked for a classifier with one output
     */
    public static TaskPlan of(ModelConfig config, Optional<Task> asked, Task.Type otherwise, long seed,
            SentencePooling pooling, Supplier<ScoreSettings> scores) {
        Task own = TaskReader.read(config, otherwise);
        // A folder of sentence-transformers makes vectors, also with a decoder.
        boolean embeds = pooling.folder().isPresent() && own.type() == Task.Type.CAUSAL_LM;
        boolean judges = !embeds && own.type() == Task.Type.CAUSAL_LM && scores.get().nextToken().isPresent();
        Task stored = embeds ? Task.EMBEDDING : judges ? Task.RERANKING : own;
        Task task = asked.map(wanted -> TaskReader.withLabels(config, wanted)).orElse(stored);
        boolean unnamed = task.labels().equals(Task.unnamedLabels(task.labels().size()))
                && stored.type() == task.type() && stored.labels().size() == task.labels().size();
        return new TaskPlan(unnamed ? task.withLabels(stored.labels()) : task, pooling,
                isScoring(task) ? scores.get() : ScoreSettings.USUAL, seed);
    }

    private static boolean isScoring(Task task) {
        return task.type() == Task.Type.SEQ_CLS && task.labels().size() == 1;
    }

    /** Reads what a checkpoint is for out of its {@code config.json}. */
    private static final class TaskReader {
        /** The ends of names in {@code architectures}. */
        private static final Map<String, Task.Type> ENDS = ends();

        private TaskReader() {
        }

        private static Map<String, Task.Type> ends() {
            Map<String, Task.Type> ends = new LinkedHashMap<>();
            ends.put("ForSequenceClassification", Task.Type.SEQ_CLS);
            ends.put("ForTokenClassification", Task.Type.TOKEN_CLS);
            ends.put("ForQuestionAnswering", Task.Type.QUESTION_ANS);
            ends.put("ForDecision", Task.Type.DECISION);
            ends.put("ForCausalLM", Task.Type.CAUSAL_LM);
            ends.put("LMHeadModel", Task.Type.CAUSAL_LM);
            return ends;
        }

        static Task read(ModelConfig config, Task.Type otherwise) {
            String name = config.values().path("architectures").path(0).asText("");
            Task.Type type = ENDS.entrySet().stream().filter(end -> name.endsWith(end.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst().orElse(otherwise);
            return withLabels(config, Task.of(type));
        }

        /** The class of the model for the task, the names of the labels, and how they are learned. */
        static void write(Task task, ObjectNode config) {
            String before = config.path("architectures").path(0).asText("");
            String family = before.isEmpty() ? config.path("model_type").asText() : before.replaceFirst(
                    "(For[A-Z]\\w*|LMHeadModel|Model)$", "");
            String end = ENDS.entrySet().stream().filter(entry -> entry.getValue() == task.type())
                    .map(Map.Entry::getKey)
                    .findFirst().orElse("Model");
            config.putArray("architectures").add(family + end);
            if (!task.type().hasLabels()) {
                return;
            }
            ObjectNode names = config.putObject("id2label");
            ObjectNode numbers = config.putObject("label2id");
            for (int i = 0; i < task.labels().size(); i++) {
                names.put(String.valueOf(i), task.labels().get(i));
                numbers.put(task.labels().get(i), i);
            }
            config.remove("num_labels");
            if (task.type() == Task.Type.SEQ_CLS) {
                config.put("problem_type", switch (task.problem()) {
                    case SINGLE_LABEL -> "single_label_classification";
                    case MULTI_LABEL -> "multi_label_classification";
                    case REGRESSION -> "regression";
                });
            }
        }

        /** A task with the checkpoint's labels, and the way they are learned, where it has none of its own. */
        static Task withLabels(ModelConfig config, Task task) {
            if (!task.type().hasLabels() || !task.labels().isEmpty()) {
                return task;
            }
            List<String> labels = labels(config);
            return new Task(task.type(), labels, task.type() == Task.Type.SEQ_CLS ? problem(config, labels.size())
                    : Task.Problem.SINGLE_LABEL, config.has("problem_type"));
        }

        /** {@code id2label} in the order of its numbers; without it as many as {@code num_labels} says, or two. */
        private static List<String> labels(ModelConfig config) {
            JsonNode names = config.values().path("id2label");
            if (!names.isObject() || names.isEmpty()) {
                return Task.unnamedLabels(config.optionalPositive("num_labels").orElse(2));
            }
            List<String> labels = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                JsonNode name = names.get(String.valueOf(i));
                if (name == null || !name.isValueNode()) {
                    throw new FileFormatException(config.file(),
                            "id2label has no name for label " + i + "; expected the "
                                    + "numbers 0 to " + (names.size() - 1));
                }
                labels.add(name.asText());
            }
            return labels;
        }

        /** As transformers: without {@code problem_type}, one output is a number. */
        private static Task.Problem problem(ModelConfig config, int labels) {
            Optional<String> named = config.text("problem_type");
            if (named.isEmpty()) {
                return labels == 1 ? Task.Problem.REGRESSION : Task.Problem.SINGLE_LABEL;
            }
            return switch (named.get()) {
                case "regression" -> Task.Problem.REGRESSION;
                case "single_label_classification" -> Task.Problem.SINGLE_LABEL;
                case "multi_label_classification" -> Task.Problem.MULTI_LABEL;
                default -> throw config.unsupported("problem_type", named.get(),
                        "regression, single_label_classification, multi_label_classification");
            };
        }
    }
}
