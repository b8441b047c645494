package io.peft4j.eval.guard;

import io.peft4j.eval.metric.internal.FactMatcher;
import io.peft4j.eval.task.internal.RefusalDetector;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A general question whose answer is chosen among given ones by likelihood, and where there is a way to judge it also
 * answered freely.
 *
 * @param category what it tests: language, arithmetic, instructions, knowledge, reading or refusals
 * @param question what is asked
 * @param choices given answers, the right one first
 * @param accept a free answer is right when it holds one of these texts
 * @param pattern a free answer is right when this is found in it
 * @param refusal a free answer is right when it refuses
 */
public record GuardItem(String category, String question, List<String> choices, List<String> accept,
        Optional<Pattern> pattern, boolean refusal) {
    /** Copies the lists; there are two choices, and at most one way to judge free answers. */
    public GuardItem {
        Objects.requireNonNull(category, "category");
        Objects.requireNonNull(question, "question");
        choices = List.copyOf(choices);
        accept = List.copyOf(accept);
        int ways = (accept.isEmpty() ? 0 : 1) + (pattern.isPresent() ? 1 : 0) + (refusal ? 1 : 0);
        if (choices.size() < 2 || ways > 1) {
            throw new IllegalArgumentException("an item of a guard set needs two choices, and at most one way to judge "
                    + "a free answer: " + question);
        }
    }

    /** Whether it is also answered freely. */
    public boolean isAsked() {
        return refusal || pattern.isPresent() || !accept.isEmpty();
    }

    /** Whether a free answer is right. */
    public boolean isAnsweredBy(String answer) {
        if (refusal) {
            return RefusalDetector.isRefusal(answer);
        }
        return pattern.map(p -> p.matcher(answer.strip()).find())
                .orElseGet(() -> accept.stream().anyMatch(text -> FactMatcher.contains(answer, text)));
    }
}
