package io.peft4j.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What is wrong with a server, as long as it is. */
class ProblemsTest {
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final Problems problems = new Problems(nanos::get);

    @Test
    void aProblemThatIsNotMetAgainIsForgotten() {
        problems.met("b", Duration.ofNanos(10));
        problems.met("a", Duration.ofNanos(10));
        assertEquals(List.of("a", "b"), problems.now());
        nanos.addAndGet(8);
        problems.met("a", Duration.ofNanos(10));
        nanos.addAndGet(8);
        assertEquals(List.of("a"), problems.now());
        nanos.addAndGet(8);
        assertEquals(List.of(), problems.now());
    }

    @Test
    void errorsOfTheJvmAreProblemsWhereverTheyComeFrom() {
        problems.note(new IllegalStateException("decoding failed", new OutOfMemoryError("Java heap space")));
        problems.note(new IllegalStateException("no error"));
        problems.note(new StackOverflowError());
        assertEquals(List.of("an error of the JVM: OutOfMemoryError"), problems.now());
    }
}
