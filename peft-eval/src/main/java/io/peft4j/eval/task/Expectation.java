package io.peft4j.eval.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.With;
import java.util.List;
import java.util.Optional;

/**
 * What else is expected of an answer, beside references and texts that it must contain.
 *
 * @param facts checks that must all pass for the answer to be right
 * @param normalizes whether numbers and units are normalised where facts are looked for, see
 *     {@link FactCheck#normalized}
 * @param label the class that a classifying answer must name
 * @param form the form that it must keep to
 * @param choices given answers of which a model chooses by likelihood
 * @param refusal whether a right answer refuses to help
 * @param tools which tools it must call
 * @param former the same question in a former edition, with what was right then
 */
@With
public record Expectation(List<FactCheck> facts, boolean normalizes, Optional<String> label,
        Optional<FormatCheck> form, Optional<Choices> choices, Optional<Boolean> refusal, Optional<ToolCheck> tools,
        Optional<EvaluationItem> former) implements ExpectationWith {
    /** Nothing. */
    public static final Expectation NONE = new Expectation(List.of(), false, Optional.empty(), Optional.empty(),
            Optional.empty(), Optional.empty());

    /**
     * Given answers.
     *
     * @param texts at least two, none empty
     * @param answer index of the right one
     */
    public record Choices(List<String> texts, int answer) {
        /** Copies the list and checks it. */
        public Choices {
            texts = List.copyOf(texts);
            if (texts.size() < 2 || answer < 0 || answer >= texts.size() || texts.stream().anyMatch(String::isEmpty)) {
                throw new ConfigurationException("choices need two texts, none empty, and the right one among them; "
                        + "got " + texts + " and the index " + answer);
            }
        }
    }

    /** Without tools and a former edition. */
    public Expectation(List<FactCheck> facts, boolean normalizes, Optional<String> label, Optional<FormatCheck> form,
            Optional<Choices> choices, Optional<Boolean> refusal) {
        this(facts, normalizes, label, form, choices, refusal, Optional.empty(), Optional.empty());
    }

    /** Copies the list. */
    public Expectation {
        ExpectationWith.check(facts, label, form, choices, refusal, tools, former);
        facts = List.copyOf(facts);
    }

    /** That these checks pass. */
    public static Expectation facts(FactCheck... checks) {
        return new Expectation(List.of(checks), false, Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty());
    }

    /** That the answer names this class. */
    public static Expectation label(String label) {
        return new Expectation(List.of(), false, Optional.of(label), Optional.empty(), Optional.empty(),
                Optional.empty());
    }

    /** That the answer keeps to a form. */
    public static Expectation form(FormatCheck form) {
        return new Expectation(List.of(), false, Optional.empty(), Optional.of(form), Optional.empty(),
                Optional.empty());
    }

    /** That one of these texts, the one at {@code answer}, is the likeliest. */
    public static Expectation choice(List<String> texts, int answer) {
        return new Expectation(List.of(), false, Optional.empty(), Optional.empty(),
                Optional.of(new Choices(texts, answer)), Optional.empty());
    }

    /** The same with numbers and units normalised. */
    public Expectation normalized() {
        return new Expectation(facts.stream().map(FactCheck::normalized).toList(), true, label, form, choices,
                refusal, tools, former.map(EvaluationItem::normalized));
    }

    /** The same with facts that are drawn from a reference. */
    Expectation with(DrawnFacts drawn) {
        return new Expectation(List.of(drawn), normalizes, label, form, choices, refusal, tools, former);
    }

    /** Whether there is something to judge an answer's text by. */
    boolean judgesText() {
        return !facts.isEmpty() || label.isPresent() || form.isPresent() || choices.isPresent() || refusal.isPresent()
                || tools.isPresent();
    }
}
