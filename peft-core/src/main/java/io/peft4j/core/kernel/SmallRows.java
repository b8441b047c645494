package io.peft4j.core.kernel;

/** Loops over the rows of small f32 matrices in heap arrays, row-major without gaps. */
final class SmallRows {
    private SmallRows() {
    }

    /** {@code c[to + j] += a * b[at + j]} for j below n. */
    static void addOne(int n, float a, float[] b, int at, float[] c, int to) {
        for (int j = 0; j < n; j++) {
            c[to + j] += a * b[at + j];
        }
    }

    /** The dot product of row i of two matrices of {@code columns} columns. */
    static float rowDot(int columns, float[] a, float[] b, int i) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int at = i * columns;
        int j = 0;
        for (; j < columns - 3; j += 4) {
            s0 += a[at + j] * b[at + j];
            s1 += a[at + j + 1] * b[at + j + 1];
            s2 += a[at + j + 2] * b[at + j + 2];
            s3 += a[at + j + 3] * b[at + j + 3];
        }
        for (; j < columns; j++) {
            s0 += a[at + j] * b[at + j];
        }
        return s0 + s1 + (s2 + s3);
    }

    /** Row i of the target is row i of the matrix times {@code factors[i]}. */
    static void scaleRows(int rows, int columns, float[] a, float[] factors, float[] target) {
        for (int i = 0; i < rows; i++) {
            float factor = factors[i];
            for (int j = i * columns; j < (i + 1) * columns; j++) {
                target[j] = factor * a[j];
            }
        }
    }

    /** Adds row i of the matrix times {@code factors[i]} to row i of the target. */
    static void addScaledRows(int rows, int columns, float[] a, float[] factors, float[] target) {
        for (int i = 0; i < rows; i++) {
            float factor = factors[i];
            for (int j = i * columns; j < (i + 1) * columns; j++) {
                target[j] += factor * a[j];
            }
        }
    }

    /** {@code target += a} of the first {@code count} elements. */
    static void add(int count, float[] a, float[] target) {
        for (int i = 0; i < count; i++) {
            target[i] += a[i];
        }
    }

    /**
     * The rows of the inverse of {@code I + A}, A [n, n] strictly lower triangular.
     *
     * @param rows what the rows go to, each with at least n elements
     */
    static void invert(int n, float[] a, float[][] rows) {
        for (int i = 0; i < n; i++) {
            java.util.Arrays.fill(rows[i], 0, n, 0);
            rows[i][i] = 1;
            for (int j = 0; j < i; j++) {
                subtract(j + 1, a[i * n + j], rows[j], rows[i]);
            }
        }
    }

    private static void subtract(int count, float factor, float[] x, float[] target) {
        for (int i = 0; i < count; i++) {
            target[i] -= factor * x[i];
        }
    }
}
