package io.peft4j.serve.rescue;

import io.peft4j.eval.task.EvaluationItem;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether an answer says what the training data say: it is right by {@link EvaluationItem#isAnsweredBy}, or it has most
 * of a reference's words and all of its numbers, which are what a business asks for and a model gets wrong.
 */
final class AnswerJudge {
    /** F1 of words from which on two texts say much the same. */
    private static final double ALIKE = 0.5;
    private static final Pattern NUMBER = Pattern.compile("\\d+(?:[.,:]\\d+)*");

    private AnswerJudge() {
    }

    static boolean isRight(EvaluationItem item, String answer) {
        if (item.isAnsweredBy(answer)) {
            return true;
        }
        return !item.hasFacts() && item.wordOverlap(answer) >= ALIKE && item.references().stream()
                .anyMatch(reference -> numbers(answer).containsAll(numbers(reference)));
    }

    private static Set<String> numbers(String text) {
        Set<String> numbers = new TreeSet<>();
        Matcher matcher = NUMBER.matcher(text);
        while (matcher.find()) {
            numbers.add(matcher.group());
        }
        return numbers;
    }
}
