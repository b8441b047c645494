package io.peft4j.core.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CloserTest {
    private final List<String> closed = new ArrayList<>();

    private void open(Closer opened, boolean complete) {
        try (opened) {
            opened.add(() -> closed.add("first"));
            opened.add(() -> {
                closed.add("second");
                throw new IOException("gone");
            });
            opened.add(() -> {
                closed.add("third");
                throw new OutOfMemoryError("none left");
            });
            if (!complete) {
                throw new IllegalStateException("the fourth does not open");
            }
            opened.keep();
        }
    }

    @Test
    void whatWasOpenedIsClosedTheLastFirstWhateverThatThrows() {
        IllegalStateException failure = assertThrows(IllegalStateException.class, () -> open(new Closer(), false));
        assertEquals("the fourth does not open", failure.getMessage());
        assertEquals(List.of("third", "second", "first"), closed);
        Throwable closing = failure.getSuppressed()[0];
        assertEquals("none left", closing.getMessage());
        assertEquals("gone", closing.getSuppressed()[0].getMessage());
    }

    @Test
    void whatIsCompleteStaysOpenUntilItsOwnerClosesItOnce() {
        open(new Closer(), true);
        assertEquals(List.of(), closed);
        try (Closer opened = new Closer()) {
            opened.add(() -> closed.add("inner"));
            Closer owner = opened.keep();
            opened.close();
            assertEquals(List.of(), closed);
            owner.close();
            owner.close();
        }
        assertEquals(List.of("inner"), closed);
    }

    @Test
    void aChainOfClosesGoesOnBehindOneThatThrows() {
        IOException gone = new IOException("gone");
        AutoCloseable broken = () -> {
            throw gone;
        };
        UncheckedIOException failure = assertThrows(UncheckedIOException.class,
                () -> Closer.closeAll(List.of(broken, broken, () -> closed.add("last"))));
        assertSame(gone, failure.getCause());
        assertArrayEquals(new Throwable[0], gone.getSuppressed());
        assertEquals(List.of("last"), closed);
    }
}
