package io.peft4j.core.model;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a model is for, by Hugging Face's task types, and what its head needs to know.
 *
 * @param type the kind of task
 * @param labels the names of the outputs in their order ({@code id2label}); empty where the outputs are none that a
 *     user names, or where their number is the checkpoint's
 * @param problem how a classifier's outputs are learned ({@code problem_type})
 * @param stated whether it was given how they are learned, rather than that it follows from their number; makes no
 *     other task
 */
public record Task(Type type, List<String> labels, Problem problem, boolean stated) {
    /** The kinds of tasks, named as in {@code task_type} of an adapter's configuration. */
    public enum Type {
        /** The next token. */
        CAUSAL_LM,
        /** Classes, or a number, for a text. */
        SEQ_CLS,
        /** A text for a text. */
        SEQ_2_SEQ_LM,
        /** A class for each token. */
        TOKEN_CLS,
        /** Where the answer to a question begins and ends in a text. */
        QUESTION_ANS,
        /** A vector for a text. */
        FEATURE_EXTRACTION,
        /** A score for each option of a question; Hugging Face PEFT has no name for it. */
        DECISION;

        /** Whether there is a result for each token, not for each sequence. */
        public boolean judgesTokens() {
            return this == TOKEN_CLS || this == QUESTION_ANS || this == DECISION;
        }

        /**
         * Names of the layers that an adapter for the task trains as a whole, as Hugging Face PEFT has them: whichever
         * of them a model has.
         */
        public List<String> savedModules() {
            return switch (this) {
                case SEQ_CLS, TOKEN_CLS -> List.of("classifier", "score");
                case QUESTION_ANS -> List.of("qa_outputs");
                case DECISION -> List.of("type_emb", "scorer");
                default -> List.of();
            };
        }

        /** Whether the result is not tokens but that of a head of the task's own. */
        public boolean hasHead() {
            return this != CAUSAL_LM && this != SEQ_2_SEQ_LM;
        }

        /** Whether the head has labels. */
        public boolean hasLabels() {
            return this == SEQ_CLS || this == TOKEN_CLS;
        }
    }

    /** How the outputs of a classifier of texts are learned. */
    public enum Problem {
        /** One of the labels is right: softmax and cross-entropy. */
        SINGLE_LABEL,
        /** Any number of the labels is right: a logistic loss for each. */
        MULTI_LABEL,
        /** The outputs are numbers: mean squared error. */
        REGRESSION
    }

    /** The next token; what models are for where nothing else is said. */
    public static final Task CAUSAL_LM = of(Type.CAUSAL_LM);
    /** Where an answer begins and ends in a text. */
    public static final Task QUESTION_ANSWERING = of(Type.QUESTION_ANS);
    /** A score for each option of a question. */
    public static final Task DECISION = of(Type.DECISION);
    /** A vector for a text. */
    public static final Task EMBEDDING = of(Type.FEATURE_EXTRACTION);
    /** A score for two texts: how well the second answers the first. */
    public static final Task RERANKING = new Task(Type.SEQ_CLS, unnamedLabels(1), Problem.MULTI_LABEL);

    /** Checks that labels stand where they have a meaning, each once. */
    public Task {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(problem, "problem");
        labels = List.copyOf(labels);
        if (!labels.isEmpty() && !type.hasLabels()) {
            throw new ConfigurationException("a model for " + type + " has no labels, got " + labels);
        }
        if (labels.stream().distinct().count() != labels.size()) {
            throw new ConfigurationException("a label appears twice in " + labels);
        }
    }

    /** A task whose problem is stated. */
    public Task(Type type, List<String> labels, Problem problem) {
        this(type, labels, problem, true);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Task task && type == task.type && labels.equals(task.labels)
                && problem == task.problem;
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, labels, problem);
    }

    /** A task without labels. */
    public static Task of(Type type) {
        return new Task(type, List.of(), Problem.SINGLE_LABEL);
    }

    /** Texts of which each has one of these labels. */
    public static Task classification(String... labels) {
        return new Task(Type.SEQ_CLS, List.of(labels), Problem.SINGLE_LABEL);
    }

    /** Texts of which each has any number of these labels. */
    public static Task multiLabel(String... labels) {
        return new Task(Type.SEQ_CLS, List.of(labels), Problem.MULTI_LABEL);
    }

    /** Texts of which each has a number for each name. */
    public static Task regression(String... names) {
        return new Task(Type.SEQ_CLS, List.of(names), Problem.REGRESSION);
    }

    /** Tokens of which each has one of these labels, for instance {@code O}, {@code B-PER} and {@code I-PER}. */
    public static Task tagging(String... labels) {
        return new Task(Type.TOKEN_CLS, List.of(labels), Problem.SINGLE_LABEL);
    }

    /** The same with other labels. */
    public Task withLabels(List<String> names) {
        return new Task(type, names, problem, stated);
    }

    /** Labels without names, as Hugging Face calls them: {@code LABEL_0}, {@code LABEL_1}, ... */
    public static List<String> unnamedLabels(int count) {
        return IntStream.range(0, count).mapToObj(i -> "LABEL_" + i).toList();
    }

    /**
     * The number of a label, given by name or by number.
     *
     * @throws ConfigurationException when there is no such label
     */
    public int label(String nameOrNumber) {
        int index = labels.indexOf(nameOrNumber);
        if (index >= 0) {
            return index;
        }
        if (nameOrNumber.matches("\\d{1,8}") && Integer.parseInt(nameOrNumber) < labels.size()) {
            return Integer.parseInt(nameOrNumber);
        }
        throw new ConfigurationException("unknown label '" + nameOrNumber + "'; "
                + SimilarNames.sentence(nameOrNumber, labels));
    }
}
