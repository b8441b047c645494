package io.peft4j.data.task;

import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * A question and the answer in a text.
 *
 * @param question the question
 * @param context the text
 * @param start where the answer begins, in UTF-16 units; empty if there is none
 * @param answer the answer as it is in the text; empty if there is none
 * @param answers all texts that are right, this one first: SQuAD has several
 */
public record SpanQuestion(String question, String context, OptionalInt start, String answer,
        List<String> answers) {
    /** Checks that the answer is where it is said to be. */
    public SpanQuestion {
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(context, "context");
        Objects.requireNonNull(answer, "answer");
        answers = List.copyOf(answers);
        if (start.isPresent() ? start.getAsInt() < 0 || answer.isEmpty() || !context.startsWith(answer,
                start.getAsInt()) : !answer.isEmpty()) {
            throw new IllegalArgumentException("the answer '" + answer + "' is not at " + start
                    + " of its text");
        }
    }

    /** A question with one answer, or none. */
    public SpanQuestion(String question, String context, OptionalInt start, String answer) {
        this(question, context, start, answer, answer.isEmpty() ? List.of() : List.of(answer));
    }

    /** Where the answer ends. */
    public int end() {
        return start.orElse(0) + answer.length();
    }
}
