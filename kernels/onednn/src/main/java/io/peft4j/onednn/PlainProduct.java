package io.peft4j.onednn;

import io.peft4j.onednn.MatmulSpec.Operand;
import java.util.Arrays;
import java.util.Optional;

/**
 * Runs a {@link MatmulSpec}: by oneDNN, or in plain loops for the shapes (tiny ones) that it has only reference code
 * for.
 */
final class PlainProduct {
    private static final int LEFT = 1;
    private static final int RIGHT = 2;
    private static final int RESULT = 3;
    private static final int OTHER = 4;
    private static final int ELEMENT = 5;

    private PlainProduct() {
    }

    /** Runs the product on operands at the given addresses. */
    static void run(ThreadContext lane, MatmulSpec spec, long a, long b, long c) {
        Optional<CompiledCall> call = lane.call(spec);
        if (call.isPresent()) {
            call.get().run(lane, a, b, c);
        } else {
            inJava(lane, spec, new Span(spec.a().type(), a), new Span(spec.b().type(), b),
                    new Span(spec.c().type(), c));
        }
    }

    private static void inJava(ThreadContext lane, MatmulSpec spec, Span a, Span b, Span c) {
        float[] right = lane.floats(RIGHT, spec.k() * spec.n());
        for (int i = 0; i < spec.k(); i++) {
            readRow(lane, spec.b(), b, i, spec.n(), right, i * spec.n());
        }
        for (int i = 0; i < spec.m(); i++) {
            row(lane, spec, a, c, i, right);
        }
    }

    private static void row(ThreadContext lane, MatmulSpec spec, Span a, Span c, int i, float[] right) {
        int n = spec.n();
        float[] left = lane.floats(LEFT, spec.k());
        readRow(lane, spec.a(), a, i, spec.k(), left, 0);
        float[] result = lane.floats(RESULT, n);
        Arrays.fill(result, 0, n, 0f);
        for (int k = 0; k < spec.k(); k++) {
            float factor = spec.alpha() * left[k];
            for (int j = 0; j < n; j++) {
                result[j] += factor * right[k * n + j];
            }
        }
        Span target = c.from((long) i * spec.c().row());
        if (spec.accumulate()) {
            add(lane, target, result, n);
        }
        OneDnnElements.write(lane, result, target, n);
    }

    private static void add(ThreadContext lane, Span x, float[] sum, int count) {
        float[] other = lane.floats(OTHER, count);
        OneDnnElements.read(lane, x, other, count);
        for (int j = 0; j < count; j++) {
            sum[j] += other[j];
        }
    }

    private static void readRow(ThreadContext lane, Operand layout, Span matrix, int row, int columns, float[] to,
            int offset) {
        Span first = matrix.from((long) row * layout.row());
        int step = layout.column();
        if (step == 1) {
            float[] values = lane.floats(ELEMENT, columns);
            OneDnnElements.read(lane, first, values, columns);
            System.arraycopy(values, 0, to, offset, columns);
            return;
        }
        float[] value = lane.floats(ELEMENT, 1);
        for (int j = 0; j < columns; j++) {
            OneDnnElements.read(lane, first.from((long) j * step), value, 1);
            to[offset + j] = value[0];
        }
    }
}
