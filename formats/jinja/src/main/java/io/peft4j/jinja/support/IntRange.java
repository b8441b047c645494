package io.peft4j.jinja.support;

import java.util.AbstractList;
import java.util.List;

/** A Python range: numbers from {@code start} to before {@code stop}. */
record IntRange(long start, long stop, long step) {
    /** Jinja's sandbox refuses longer ranges. */
    private static final int MAX_LENGTH = 100_000;

    IntRange {
        if (step == 0) {
            throw new TemplateError("range() arg 3 must not be zero");
        }
        double length = Math.ceil(((double) stop - start) / step);
        if (length > MAX_LENGTH) {
            throw new TemplateError("a range may not be longer than " + MAX_LENGTH);
        }
    }

    int length() {
        return (int) Math.max(0, Math.ceil(((double) stop - start) / step));
    }

    /** The numbers as a read-only list. */
    List<Object> items() {
        int length = length();
        return new AbstractList<>() {
            @Override
            public Object get(int index) {
                return start + index * step;
            }

            @Override
            public int size() {
                return length;
            }
        };
    }
}
