package io.peft4j.eval.report;

import io.peft4j.core.Internal;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.ArmDetails;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One way of answering the items.
 *
 * @param name its name: {@code base}, {@code tuned}, {@code few-shot}, ...
 * @param description what answered, and how it was asked
 * @param answers one for each item
 * @param scores its metrics, by name
 * @param details what else was measured of it
 * @param seconds how long the answers took; 0 where they were given or all known from an earlier run
 */
public record ArmResult(String name, String description, List<String> answers, Map<String, Double> scores,
        @Internal ArmDetails details, double seconds) {
    /** Copies the collections. */
    public ArmResult {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        answers = List.copyOf(answers);
        scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
        Objects.requireNonNull(details, "details");
    }

    /** The scores of an arm's answers. */
    static ArmResult of(ArmAnswers arm, AnswerScoring scoring) {
        return new ArmResult(arm.name(), arm.description(), arm.texts(), scoring.scores(arm.texts()),
                scoring.details(arm.texts(), arm.measures()), arm.seconds());
    }
}
