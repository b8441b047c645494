package io.peft4j.data.grader;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.grader.Grader.Grade;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * Grades answers, several at a time. A grader that throws, gives no number or takes too long has no grade for that
 * answer, and the trouble names the item: the others are graded all the same.
 *
 * @param grader what grades
 * @param threads answers at a time, at least 1
 * @param limit the longest that an answer may take
 */
public record Grading(Grader grader, int threads, Duration limit) {
    /** How long an answer may take, where nothing else is said. */
    public static final Duration USUAL_LIMIT = Duration.ofSeconds(60);

    /** Checks the ranges. */
    public Grading {
        if (threads < 1 || limit.isNegative() || limit.isZero()) {
            throw new ConfigurationException("grading needs at least 1 thread and time, got " + threads + " and "
                    + limit.toSeconds() + " s");
        }
    }

    /** As many at a time as there are processors, {@link #USUAL_LIMIT} for each. */
    public static Grading by(Grader grader) {
        return new Grading(grader, Runtime.getRuntime().availableProcessors(), USUAL_LIMIT);
    }

    /**
     * An answer to be graded.
     *
     * @param name what it is called in messages, such as {@code row 3}
     * @param item the row that was asked
     * @param text the answer
     */
    public record Answer(String name, Map<String, Object> item, String text) {
    }

    /**
     * What became of an answer.
     *
     * @param grade its grade
     * @param trouble why there is none, with its name
     */
    public record Outcome(Optional<Grade> grade, Optional<String> trouble) {
    }

    /** Grades answers; the outcomes stand in their order. */
    public List<Outcome> grade(List<Answer> answers) {
        List<Callable<Grade>> calls = new ArrayList<>();
        answers.forEach(answer -> calls.add(() -> grader.inParts(answer.item(), answer.text())));
        List<LimitedCalls.Result<Grade>> results = new LimitedCalls(threads, limit).all(calls);
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            outcomes.add(outcome(answers.get(i), results.get(i)));
        }
        return outcomes;
    }

    private static Outcome outcome(Answer answer, LimitedCalls.Result<Grade> result) {
        Optional<String> trouble = result.trouble().or(() -> result.value().map(Grade::reward)
                .filter(reward -> !Double.isFinite(reward)).map(reward -> "gives " + reward + ", which is no number"));
        return new Outcome(trouble.isPresent() ? Optional.empty() : result.value(),
                trouble.map(what -> "the grader " + what + " (" + answer.name() + ")"));
    }
}
