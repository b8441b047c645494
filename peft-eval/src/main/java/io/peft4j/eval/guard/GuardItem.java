package io.peft4j.eval.guard;

import io.peft4j.eval.metric.FactMatcher;
import io.peft4j.eval.task.RefusalDetector;
import io.peft4j.eval.task.ToolCheck;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A general question whose answer is chosen among given ones by likelihood, and if it can be judged also
 * answered freely; or one that shows tools and asks for a call, or for none.
 *
 * @param category what it tests: language, arithmetic, instructions, knowledge, reading, refusals or tools
 * @param question what is asked
 * @param choices given answers, the right one first; may be none where tools are shown
 * @param accept a free answer is right when it holds one of these texts
 * @param pattern a free answer is right when this is found in it
 * @param refusal a free answer is right when it refuses
 * @param tools a free answer is right when it makes these calls
 * @param practised whether general rows that trainings mix in have questions of this kind, so that it tells less of what
 *     was forgotten
 */
public record GuardItem(String category, String question, List<String> choices, List<String> accept,
        Optional<Pattern> pattern, boolean refusal, Optional<ToolCheck> tools, boolean practised) {
    /** Without tools, of a kind that no training practises. */
    public GuardItem(String category, String question, List<String> choices, List<String> accept,
            Optional<Pattern> pattern, boolean refusal) {
        this(category, question, choices, accept, pattern, refusal, Optional.empty(), false);
    }

    /** Copies the lists; there are two choices or tools, and at most one way to judge free answers. */
    public GuardItem {
        Objects.requireNonNull(category, "category");
        Objects.requireNonNull(question, "question");
        choices = List.copyOf(choices);
        accept = List.copyOf(accept);
        int ways = (accept.isEmpty() ? 0 : 1) + (pattern.isPresent() ? 1 : 0) + (refusal ? 1 : 0) + (tools.isPresent()
                ? 1 : 0);
        if (choices.size() < 2 && !(choices.isEmpty() && tools.isPresent()) || ways > 1) {
            throw new IllegalArgumentException("an item of a guard set needs two choices or tools, and at most one way "
                    + "to judge a free answer: " + question);
        }
    }

    /** Whether it is also answered freely. */
    public boolean isAsked() {
        return refusal || tools.isPresent() || pattern.isPresent() || !accept.isEmpty();
    }

    /** Whether a free answer is right. */
    public boolean isAnsweredBy(String answer) {
        if (refusal) {
            return RefusalDetector.isRefusal(answer);
        }
        if (tools.isPresent()) {
            return tools.get().accepts(answer);
        }
        return pattern.map(p -> p.matcher(answer.strip()).find())
                .orElseGet(() -> accept.stream().anyMatch(text -> FactMatcher.contains(answer, text)));
    }
}
