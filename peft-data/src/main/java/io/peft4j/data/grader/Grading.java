package io.peft4j.data.grader;

import io.peft4j.core.error.ConfigurationException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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

    /** A grader at work on an answer. */
    private static final class Work {
        private final Answer answer;
        private final Future<Grade> result;
        private final long begin = System.nanoTime();

        Work(Grader grader, Answer answer, ExecutorService pool) {
            this.answer = answer;
            this.result = pool.submit(() -> grader.inParts(answer.item(), answer.text()));
        }

        Outcome await(Duration limit) throws InterruptedException {
            try {
                Grade grade = result.get(Math.max(0, begin + limit.toNanos() - System.nanoTime()),
                        TimeUnit.NANOSECONDS);
                return Double.isFinite(grade.reward()) ? new Outcome(Optional.of(grade), Optional.empty())
                        : failed("gives " + grade.reward() + ", which is no number");
            } catch (TimeoutException e) {
                result.cancel(true);
                return failed("takes longer than " + limit.toMillis() / 1000.0 + " s");
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                return failed("fails: " + (cause.getMessage() == null ? cause.getClass().getSimpleName()
                        : cause.getMessage()));
            }
        }

        private Outcome failed(String what) {
            return new Outcome(Optional.empty(), Optional.of("the grader " + what + " (" + answer.name() + ")"));
        }
    }

    /** Grades answers; the outcomes stand in their order. */
    public List<Outcome> grade(List<Answer> answers) {
        // One that never ends keeps neither the others nor the program from going on.
        ExecutorService pool = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "peft4j-grader");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Outcome> outcomes = new ArrayList<>();
            Deque<Work> working = new ArrayDeque<>();
            for (Answer answer : answers) {
                if (working.size() == threads) {
                    outcomes.add(working.remove().await(limit));
                }
                working.add(new Work(grader, answer, pool));
            }
            while (!working.isEmpty()) {
                outcomes.add(working.remove().await(limit));
            }
            return outcomes;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigurationException("grading was interrupted", e);
        } finally {
            pool.shutdownNow();
        }
    }
}
