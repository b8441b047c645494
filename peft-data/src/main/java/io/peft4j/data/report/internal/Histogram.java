package io.peft4j.data.report.internal;

import java.io.Serializable;
import java.util.Arrays;

/** Lengths: their quantiles, and how many there are of which. */
final class Histogram implements Serializable {
    private static final long serialVersionUID = 1L;

    private int[] values = new int[1024];
    private int size;
    private boolean sorted;

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
        sorted = false;
    }

    void append(Histogram next) {
        for (int i = 0; i < next.size; i++) {
            add(next.values[i]);
        }
    }

    int size() {
        return size;
    }

    long total() {
        return Arrays.stream(values, 0, size).asLongStream().sum();
    }

    int quantile(double share) {
        if (size == 0) {
            return 0;
        }
        if (!sorted) {
            Arrays.sort(values, 0, size);
            sorted = true;
        }
        return values[Math.min(size - 1, (int) (share * size))];
    }

    /** Counts in bins of equal width from 0; the last bin takes all that are longer. */
    int[] bins(int width, int count) {
        int[] bins = new int[count];
        for (int i = 0; i < size; i++) {
            bins[Math.min(count - 1, values[i] / width)]++;
        }
        return bins;
    }

    /** A width that puts 99 of 100 values into so many bins. */
    int width(int count) {
        return Math.max(1, (quantile(0.99) + count) / count);
    }
}
