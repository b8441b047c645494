package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * Where the time of a request went: {@code queue}, {@code prompt} and {@code decoding} follow each other, the others
 * are parts of these. Java Flight Recorder has it as {@code io.peft4j.Answer}.
 *
 * @param queue from its submission until it joined the batch
 * @param prompt from then to its first token
 * @param decoding from its first token to its end
 * @param engine for which passes with it waited for the engine, where others computed
 * @param schema for which threads searched what its constraint allows next
 * @param promptTokens tokens of the prompt
 * @param reusedTokens of these, those whose keys and values were there already
 * @param newTokens tokens of all of its answers
 */
@Internal(shared = true)
public record AnswerTimings(Duration queue, Duration prompt, Duration decoding, Duration engine, Duration schema,
        int promptTokens, int reusedTokens, int newTokens) {
    /** From its submission to its first token. */
    public Duration firstToken() {
        return queue.plus(prompt);
    }

    /** From its submission to its end. */
    public Duration total() {
        return firstToken().plus(decoding);
    }

    /** The mean time of a token behind the first; empty without any. */
    public Optional<Duration> perToken() {
        return newTokens < 2 ? Optional.empty() : Optional.of(decoding.dividedBy(newTokens - 1L));
    }

    /** Takes the times of a request, on the threads that decode, search and close. */
    static final class Watch {
        private final long submitted = System.nanoTime();
        private final Answer event = new Answer();
        private final AtomicLong engine = new AtomicLong();
        private final AtomicLong schema = new AtomicLong();
        private volatile long begun;
        private volatile long first;

        Watch() {
            event.begin();
        }

        long submitted() {
            return submitted;
        }

        /** The request joins the batch. */
        void begin() {
            begun = System.nanoTime();
        }

        /** A token was chosen. */
        void token() {
            first = first == 0 ? System.nanoTime() : first;
        }

        void waited(long nanos) {
            engine.addAndGet(nanos);
        }

        void searched(long nanos) {
            schema.addAndGet(nanos);
        }

        /** The request ends now. What it did not come to took no time. */
        AnswerTimings end(PendingRequest request) {
            long now = System.nanoTime();
            long joined = begun == 0 ? now : begun;
            long token = first == 0 ? now : first;
            AnswerTimings timings = new AnswerTimings(Duration.ofNanos(joined - submitted), Duration.ofNanos(token
                    - joined), Duration.ofNanos(now - token), Duration.ofNanos(engine.get()), Duration.ofNanos(
                            schema
                                    .get()),
                    request.promptTokens(), request.reusedTokens(), request.answers().stream()
                            .mapToInt(GrowingAnswer::length).sum());
            event.commit(timings, request.request().adapter());
            return timings;
        }
    }

    /** The event of Java Flight Recorder. */
    @Name("io.peft4j.Answer")
    @Label("Answer")
    @Category({"PEFT4J", "Answers"})
    @StackTrace(false)
    static final class Answer extends Event {
        private String adapter;
        @Timespan(Timespan.NANOSECONDS)
        private long queue;
        @Timespan(Timespan.NANOSECONDS)
        private long prompt;
        @Timespan(Timespan.NANOSECONDS)
        private long decoding;
        @Timespan(Timespan.NANOSECONDS)
        private long engine;
        @Timespan(Timespan.NANOSECONDS)
        private long schema;
        private int promptTokens;
        private int reusedTokens;
        private int newTokens;

        void commit(AnswerTimings timings, String name) {
            if (shouldCommit()) {
                adapter = name;
                queue = timings.queue().toNanos();
                prompt = timings.prompt().toNanos();
                decoding = timings.decoding().toNanos();
                engine = timings.engine().toNanos();
                schema = timings.schema().toNanos();
                promptTokens = timings.promptTokens();
                reusedTokens = timings.reusedTokens();
                newTokens = timings.newTokens();
                commit();
            }
        }
    }
}
