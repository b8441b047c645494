package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import io.peft4j.data.near.PassageIndex;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How a model learns from itself ({@link SelfDistillationObjective}).
 *
 * @param alpha which divergence of teacher t and student s is minimized, from 0 to 1: 0 is {@code KL(t || s)}, 1 is
 *     {@code KL(s || t)}, between them {@code alpha KL(t || m) + (1 - alpha) KL(s || m)} with
 *     {@code m = alpha t + (1 - alpha) s}; default 0.5
 * @param along the answers that both are compared along
 * @param teacher the weights of the teacher
 * @param maxNewTokens the most tokens of an own answer; default 64
 * @param temperature of own answers in training, 0 for greedy ones; default 1. Those of validation data are greedy
 * @param prompt what the teacher is asked, with {@code {prompt}} for the last message and {@code {context}} for what it
 *     knows more than the student
 * @param passages where what belongs to a question is found if a row says nothing; default none
 * @param most passages of them
 */
@With
public record SelfDistillationOptions(@Option(range = "[0,1]") double alpha, Along along, Teacher teacher,
        @Option(range = "[1,)", called = "the most tokens of an answer") int maxNewTokens,
        @Option(range = "[0,)", zero = "greedy", called = "the temperature of answers") double temperature,
        String prompt, Optional<PassageIndex> passages,
        @Option(range = "[1,)", called = "the number of passages") int most) implements SelfDistillationOptionsWith {
    /** What the teacher is asked by default: what it knows more comes first, so that equal beginnings are shared. */
    public static final String PROMPT = "{context}\n\n{prompt}";
    private static final int MOST = 2;

    /** The answers that teacher and student are compared along. */
    public enum Along {
        /** What the student answers now, without the context. */
        OWN,
        /** The answers of the rows. */
        GIVEN
    }

    /** The weights of the teacher. */
    public enum Teacher {
        /** The base model without the adapter. */
        BASE,
        /** The model as it is trained so far. */
        LIVE
    }

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when a number is out of range, or the prompt lacks a place
     */
    public SelfDistillationOptions {
        SelfDistillationOptionsWith.check(alpha, along, teacher, maxNewTokens, temperature, prompt, passages, most);
        if (!prompt.contains("{prompt}") || !prompt.contains("{context}")) {
            throw new ConfigurationException("the teacher's prompt '" + prompt
                    + "' has no place for {prompt} or {context}");
        }
    }

    /** The defaults. */
    public static SelfDistillationOptions defaults() {
        return new SelfDistillationOptions(0.5, Along.OWN, Teacher.BASE, 64, 1, PROMPT, Optional.empty(), MOST);
    }

    /** The same along other answers. */
    public SelfDistillationOptions along(Along answers) {
        return withAlong(answers);
    }

    /** The same with own answers that are drawn otherwise. */
    public SelfDistillationOptions withAnswers(int tokens, double heat) {
        return withMaxNewTokens(tokens).withTemperature(heat);
    }

    /** The same with passages for rows that have no context. */
    public SelfDistillationOptions withPassages(PassageIndex index, int count) {
        return withPassages(index).withMost(count);
    }

    /** What the teacher is asked. */
    String asked(String question, List<String> context) {
        return prompt.replace("{context}", String.join("\n\n", context)).replace("{prompt}", question);
    }

    /** The choice of a name in lower case. */
    static <T extends Enum<T>> T named(Class<T> type, String what, String name) {
        List<String> names = Arrays.stream(type.getEnumConstants()).map(SelfDistillationOptions::name).toList();
        int place = names.indexOf(name);
        if (place < 0) {
            throw new ConfigurationException("unknown " + what + " '" + name + "'; use one of " + names);
        }
        return type.getEnumConstants()[place];
    }

    /** The name of a choice on the command line. */
    static String name(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT);
    }
}
