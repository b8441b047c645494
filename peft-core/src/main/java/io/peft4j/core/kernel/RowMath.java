package io.peft4j.core.kernel;

/** Reductions over heap arrays, with several running values so that one addition need not wait for the last. */
final class RowMath {
    private static final int PIECE = 128;

    private RowMath() {
    }

    /** The sum of products in double. */
    static double dot(float[] a, float[] b, int count) {
        return dot(a, b, 0, count);
    }

    /** The sum of the products of elements {@code from} to {@code to}, in double. */
    static double dot(float[] a, float[] b, int from, int to) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = from;
        for (; i < to - 3; i += 4) {
            s0 += (double) a[i] * b[i];
            s1 += (double) a[i + 1] * b[i + 1];
            s2 += (double) a[i + 2] * b[i + 2];
            s3 += (double) a[i + 3] * b[i + 3];
        }
        for (; i < to; i++) {
            s0 += (double) a[i] * b[i];
        }
        return (s0 + s1) + (s2 + s3);
    }

    /**
     * The sum of products, in float over short pieces and in double over those: twice as fast as {@link #dot}, and as
     * good to a few units in the last place of the largest sum of a piece.
     */
    static double dotInPieces(float[] a, float[] b, int from, int to) {
        double sum = 0;
        for (int at = from; at < to; at += PIECE) {
            sum += floatDot(a, b, at, Math.min(to, at + PIECE));
        }
        return sum;
    }

    private static float floatDot(float[] a, float[] b, int from, int to) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        int i = from;
        for (; i < to - 7; i += 8) {
            s0 += a[i] * b[i];
            s1 += a[i + 1] * b[i + 1];
            s2 += a[i + 2] * b[i + 2];
            s3 += a[i + 3] * b[i + 3];
            s4 += a[i + 4] * b[i + 4];
            s5 += a[i + 5] * b[i + 5];
            s6 += a[i + 6] * b[i + 6];
            s7 += a[i + 7] * b[i + 7];
        }
        for (; i < to; i++) {
            s0 += a[i] * b[i];
        }
        return (s0 + s1) + (s2 + s3) + ((s4 + s5) + (s6 + s7));
    }

    /** The sum of elements {@code from} to {@code to}, in double. */
    static double sum(float[] a, int from, int to) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = from;
        for (; i < to - 3; i += 4) {
            s0 += a[i];
            s1 += a[i + 1];
            s2 += a[i + 2];
            s3 += a[i + 3];
        }
        for (; i < to; i++) {
            s0 += a[i];
        }
        return (s0 + s1) + (s2 + s3);
    }

    /** The largest of elements {@code from} to {@code to}; NaN where one is NaN. */
    static float max(float[] a, int from, int to) {
        float m0 = Float.NEGATIVE_INFINITY;
        float m1 = m0;
        float m2 = m0;
        float m3 = m0;
        int i = from;
        for (; i < to - 3; i += 4) {
            m0 = Math.max(m0, a[i]);
            m1 = Math.max(m1, a[i + 1]);
            m2 = Math.max(m2, a[i + 2]);
            m3 = Math.max(m3, a[i + 3]);
        }
        for (; i < to; i++) {
            m0 = Math.max(m0, a[i]);
        }
        return Math.max(Math.max(m0, m1), Math.max(m2, m3));
    }

    /** Subtracts from elements {@code from} to {@code to}. */
    static void subtract(float[] a, float shift, int from, int to) {
        for (int i = from; i < to; i++) {
            a[i] -= shift;
        }
    }

    /** Adds the first elements of {@code b} to those of {@code a}. */
    static void add(float[] a, float[] b, int count) {
        for (int i = 0; i < count; i++) {
            a[i] += b[i];
        }
    }

    /** Multiplies the first elements of {@code a} by those of {@code b}. */
    static void multiply(float[] a, float[] b, int count) {
        for (int i = 0; i < count; i++) {
            a[i] *= b[i];
        }
    }

    /** Multiplies elements {@code from} to {@code to}. */
    static void scale(float[] a, float factor, int from, int to) {
        for (int i = from; i < to; i++) {
            a[i] *= factor;
        }
    }
}
