package io.peft4j.core.kernel.support;

/**
 * Products of small f32 matrices in heap arrays, row-major without gaps. The inner loops run along rows, so that the
 * compiler vectorizes them; OpenBLAS takes what is worth a copy.
 */
final class SmallProducts {
    /** Multiplications of a product that OpenBLAS computes in less time, copies included. */
    private static final int WORTH_A_COPY = 1 << 17;

    private SmallProducts() {
    }

    /** {@code C += A B}: A [m, k], B [k, n], C [m, n]. */
    static void add(int m, int n, int k, float[] a, float[] b, float[] c) {
        if (m * n * k >= WORTH_A_COPY) {
            Blas.add(false, m, n, k, a, b, c);
            return;
        }
        for (int i = 0; i < m; i++) {
            int x = 0;
            for (; x < k - 3; x += 4) {
                addFour(n, a[i * k + x], a[i * k + x + 1], a[i * k + x + 2], a[i * k + x + 3], b, x * n, c, i * n);
            }
            for (; x < k; x++) {
                addOne(n, a[i * k + x], b, x * n, c, i * n);
            }
        }
    }

    /** {@code C += A^T B}: A [k, m], B [k, n], C [m, n]. */
    static void addTransposed(int m, int n, int k, float[] a, float[] b, float[] c) {
        if (m * n * k >= WORTH_A_COPY) {
            Blas.add(true, m, n, k, a, b, c);
            return;
        }
        int x = 0;
        for (; x < k - 3; x += 4) {
            for (int i = 0; i < m; i++) {
                addFour(n, a[x * m + i], a[(x + 1) * m + i], a[(x + 2) * m + i], a[(x + 3) * m + i], b, x * n, c,
                        i * n);
            }
        }
        for (; x < k; x++) {
            for (int i = 0; i < m; i++) {
                addOne(n, a[x * m + i], b, x * n, c, i * n);
            }
        }
    }

    private static void addFour(int n, float a0, float a1, float a2, float a3, float[] b, int at, float[] c, int to) {
        for (int j = 0; j < n; j++) {
            c[to + j] += a0 * b[at + j] + a1 * b[at + n + j] + (a2 * b[at + 2 * n + j] + a3 * b[at + 3 * n + j]);
        }
    }

    /** {@code c[to + j] += a * b[at + j]} for j below n. */
    static void addOne(int n, float a, float[] b, int at, float[] c, int to) {
        for (int j = 0; j < n; j++) {
            c[to + j] += a * b[at + j];
        }
    }

    /** The transpose [columns, rows] of a matrix [rows, columns]. */
    static void transpose(int rows, int columns, float[] a, float[] target) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                target[j * rows + i] = a[i * columns + j];
            }
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
}
