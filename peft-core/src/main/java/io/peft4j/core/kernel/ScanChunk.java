package io.peft4j.core.kernel;

import io.peft4j.core.array.NativeMemory;
import java.util.Arrays;

/**
 * Some rows of a scan of one head that follow each other, computed together as matrix products. With S the state
 * before them, G[i] the sum of the decays up to row i and D[i][j] = exp(G[i] - G[j]) for j at most i:
 *
 * <pre>
 * U = (I + A)^-1 R,  R[i] = beta[i] (v[i] - exp(G[i]) S^T k[i]),  A[i][j] = beta[i] D[i][j] k[i] . k[j] for j below i
 * Y[i] = exp(G[i]) S^T q[i] + sum over j of P[i][j] U[j],  P[i][j] = D[i][j] q[i] . k[j]
 * S' = exp(G[n]) S + sum over j of exp(G[n] - G[j]) k[j] U[j]^T
 * </pre>
 *
 * Without a rate U = V. The gradients run through the same equations from the end. Products are those of OpenBLAS over
 * native memory, [q; k] being the rows of queries above those of keys; all else runs over heap arrays.
 */
final class ScanChunk implements AutoCloseable {
    /** The most rows. */
    static final int ROWS = 32;

    /** Inputs: rows of queries and keys [n, Dk], of values [n, Dv], decays and rates [n]. */
    final float[] q;
    final float[] k;
    final float[] v;
    final float[] g = new float[ROWS];
    final float[] beta = new float[ROWS];
    /** The result [n, Dv]; in a gradient, that of the result. */
    final float[] y;
    /** Gradients of the inputs. */
    final float[] dq;
    final float[] dk;
    final float[] dv;
    final float[] dg = new float[ROWS];
    final float[] dBeta = new float[ROWS];

    private final int keySize;
    private final int valueSize;
    private final boolean delta;
    private int n;
    /** exp(G[i]), its negative, and exp(G[n] - G[i]). */
    private final float[] grown = new float[ROWS];
    private final float[] negative = new float[ROWS];
    private final float[] left = new float[ROWS];
    private final float[] d = new float[ROWS * ROWS];
    private final float[] p = new float[ROWS * ROWS];
    private final float[] a = new float[ROWS * ROWS];
    private final float[] kk = new float[ROWS * ROWS];
    private final float[] square = new float[ROWS * ROWS];
    private final float[][] inverse = new float[ROWS][ROWS];
    private final float[] w;
    private final float[] byValue;
    private final float[] byKey;

    private final ThreadScratch memory = new ThreadScratch();
    /** Addresses: the state [Dk, Dv] and its gradient. */
    private final long state;
    private final long dState;
    /** [q; k], [q; k] k^T and then [P; ...], [q; k] S, U. */
    private final long qk;
    private final long scores;
    private final long fromState;
    private final long u;
    /** Keys times {@link #left}, R, the inverse of I + A, P U. */
    private final long leftKeys;
    private final long r;
    private final long inverted;
    private final long pu;
    /** [dY; dR], the gradients of [P; A] and of [q; k], [dY; -dR] as the state before saw them. */
    private final long dRows;
    private final long squares;
    private final long dqk;
    private final long seen;

    ScanChunk(int keySize, int valueSize, boolean delta) {
        this.keySize = keySize;
        this.valueSize = valueSize;
        this.delta = delta;
        Blas.load();
        int keys = ROWS * keySize;
        int values = ROWS * valueSize;
        q = new float[keys];
        k = new float[keys];
        v = new float[values];
        y = new float[values];
        dq = new float[keys];
        dk = new float[keys];
        dv = new float[values];
        w = new float[values];
        byValue = new float[values];
        byKey = new float[keys];
        int size = keySize * valueSize;
        int squared = ROWS * ROWS;
        int[] sizes = {size, size, 2 * keys, 2 * squared, 2 * values, values, keys, values, squared, values, 2 * values,
            2 * squared, 2 * keys, 2 * values};
        long[] places = new long[sizes.length];
        long at = memory.scratch(0, Arrays.stream(sizes).asLongStream().sum());
        for (int i = 0; i < sizes.length; i++) {
            places[i] = at;
            at += 4L * sizes[i];
        }
        state = places[0];
        dState = places[1];
        qk = places[2];
        scores = places[3];
        fromState = places[4];
        u = places[5];
        leftKeys = places[6];
        r = places[7];
        inverted = places[8];
        pu = places[9];
        dRows = places[10];
        squares = places[11];
        dqk = places[12];
        seen = places[13];
    }

    /** Says how many rows the inputs have. */
    void rows(int count) {
        n = count;
    }

    /** Sets the state before the next rows. */
    void setState(float[] values) {
        NativeMemory.write(state, values, 0, keySize * valueSize);
    }

    /** Reads the state behind the rows of the last forward pass. */
    void getState(float[] target) {
        NativeMemory.read(state, target, 0, keySize * valueSize);
    }

    /** Sets the gradient of the state behind the next rows. */
    void setStateGradient(float[] values) {
        NativeMemory.write(dState, values, 0, keySize * valueSize);
    }

    /** Reads the gradient of the state before the rows of the last backward pass. */
    void getStateGradient(float[] target) {
        NativeMemory.read(dState, target, 0, keySize * valueSize);
    }

    /** Computes y, and brings the state behind the rows. */
    void forward() {
        solve(true, true);
        product(false, false, n, valueSize, n, scores, u, 0, pu);
        NativeMemory.read(pu, y, 0, n * valueSize);
        NativeMemory.read(fromState, byValue, 0, n * valueSize);
        SmallRows.addScaledRows(n, valueSize, byValue, grown, y);
        bringBehind();
    }

    /** Brings the state behind the rows, whatever the queries are. */
    void advance() {
        solve(false, false);
        bringBehind();
    }

    private void bringBehind() {
        writeLeftKeys();
        product(true, false, keySize, valueSize, n, leftKeys, u, grown[n - 1], state);
    }

    private void product(boolean transposeA, boolean transposeB, int rows, int columns, int inner, long x, long z,
            float kept, long target) {
        Blas.small(memory, transposeA, transposeB, rows, columns, inner, x, z, kept, target);
    }

    /** The address of row n of a matrix. */
    private long second(long matrix, int columns) {
        return matrix + 4L * n * columns;
    }

    private void writeLeftKeys() {
        SmallRows.scaleRows(n, keySize, k, left, byKey);
        NativeMemory.write(leftKeys, byKey, 0, n * keySize);
    }

    /** D, A, U and what U is computed from; with queries also P, and what they read of the state. */
    private void solve(boolean withScores, boolean withRead) {
        decays();
        NativeMemory.write(second(qk, keySize), k, 0, n * keySize);
        if (withScores) {
            NativeMemory.write(qk, q, 0, n * keySize);
        }
        int to = delta ? 2 * n : n;
        int from = withScores ? 0 : n;
        if (to > from) {
            product(false, true, to - from, n, keySize, qk + 4L * from * keySize, second(qk, keySize), 0,
                    scores + 4L * from * n);
        }
        from = withRead ? 0 : n;
        if (to > from) {
            product(false, false, to - from, valueSize, keySize, qk + 4L * from * keySize, state, 0,
                    fromState + 4L * from * valueSize);
        }
        if (withScores) {
            NativeMemory.read(scores, p, 0, n * n);
            for (int i = 0; i < n * n; i++) {
                p[i] *= d[i];
            }
            NativeMemory.write(scores, p, 0, n * n);
        }
        if (delta) {
            solveDelta();
        } else {
            NativeMemory.write(u, v, 0, n * valueSize);
        }
    }

    private void solveDelta() {
        NativeMemory.read(second(scores, n), kk, 0, n * n);
        for (int i = 0; i < n; i++) {
            scaleBelow(i, kk, a);
        }
        NativeMemory.read(second(fromState, valueSize), byValue, 0, n * valueSize);
        System.arraycopy(v, 0, w, 0, n * valueSize);
        SmallRows.addScaledRows(n, valueSize, byValue, negative, w);
        SmallRows.scaleRows(n, valueSize, w, beta, byValue);
        NativeMemory.write(r, byValue, 0, n * valueSize);
        SmallRows.invert(n, a, inverse);
        for (int i = 0; i < n; i++) {
            System.arraycopy(inverse[i], 0, square, i * n, n);
        }
        NativeMemory.write(inverted, square, 0, n * n);
        product(false, false, n, valueSize, n, inverted, r, 0, u);
    }

    /** Row i of the target is that of x times beta and D below the diagonal, 0 elsewhere. */
    private void scaleBelow(int i, float[] x, float[] target) {
        float rate = beta[i];
        for (int at = i * n; at < i * n + i; at++) {
            target[at] = rate * d[at] * x[at];
        }
        Arrays.fill(target, i * n + i, (i + 1) * n, 0);
    }

    /** D by rows: that of the row before times exp(g), in double, so that nothing is lost. */
    private void decays() {
        double[] row = new double[n];
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += g[i];
            grown[i] = (float) Math.exp(sum);
            negative[i] = -grown[i];
            double kept = Math.exp(g[i]);
            for (int j = 0; j < i; j++) {
                row[j] *= kept;
            }
            row[i] = 1;
            for (int j = 0; j < n; j++) {
                d[i * n + j] = (float) row[j];
            }
        }
        System.arraycopy(d, (n - 1) * n, left, 0, n);
    }

    /**
     * Computes the gradients of the inputs from that of the result in {@link #y}. The gradient of the state behind the
     * rows becomes that of the state before them.
     */
    void backward() {
        solve(true, false);
        Arrays.fill(dg, 0, n, 0);
        NativeMemory.write(dRows, y, 0, n * valueSize);
        // dU, from the results and the state behind; then dR, which is dU where U is not solved for
        long dR = second(dRows, valueSize);
        long dU = delta ? r : dR;
        product(true, false, n, valueSize, n, scores, dRows, 0, dU);
        writeLeftKeys();
        product(false, false, n, valueSize, keySize, leftKeys, dState, 1, dU);
        if (delta) {
            product(true, false, n, valueSize, n, inverted, dU, 0, dR);
        }
        NativeMemory.read(dR, dv, 0, n * valueSize);
        scores();
        fromStateBehind();
        throughState();
        // From G to the decays
        for (int i = n - 2; i >= 0; i--) {
            dg[i] += dg[i + 1];
        }
    }

    /** The gradients of P and A, which products with U were taken of; from these the first of queries and keys. */
    private void scores() {
        int rows = delta ? 2 * n : n;
        product(false, true, rows, n, valueSize, dRows, u, 0, squares);
        NativeMemory.read(squares, square, 0, n * n);
        changes(p, 1);
        for (int i = 0; i < n * n; i++) {
            square[i] *= d[i];
        }
        NativeMemory.write(squares, square, 0, n * n);
        if (delta) {
            // dA = -dR U^T; beta scales R and A
            NativeMemory.read(second(squares, n), square, 0, n * n);
            changes(a, -1);
            for (int i = 0; i < n; i++) {
                dBeta[i] = SmallRows.rowDot(valueSize, dv, w, i);
                for (int at = i * n; at < i * n + i; at++) {
                    dBeta[i] -= square[at] * d[at] * kk[at];
                }
                scaleBelow(i, square, square);
            }
            for (int i = 0; i < n * n; i++) {
                square[i] = -square[i];
            }
            NativeMemory.write(second(squares, n), square, 0, n * n);
        }
        product(false, false, rows, keySize, n, squares, second(qk, keySize), 0, dqk);
        product(true, false, n, keySize, rows, squares, qk, delta ? 1 : 0, second(dqk, keySize));
        NativeMemory.read(dqk, dq, 0, n * keySize);
        NativeMemory.read(second(dqk, keySize), dk, 0, n * keySize);
    }

    /** Adds what scores [i][j] that grow with G[i] and shrink with G[j] give to the gradient of G. */
    private void changes(float[] of, float sign) {
        for (int i = 0; i < n; i++) {
            float sum = 0;
            for (int j = 0; j <= i; j++) {
                float change = sign * square[i * n + j] * of[i * n + j];
                sum += change;
                dg[j] -= change;
            }
            dg[i] += sum;
        }
    }

    private void fromStateBehind() {
        dg[n - 1] += grown[n - 1] * Blas.dot(memory, keySize * valueSize, state, dState);
        product(false, true, n, keySize, valueSize, u, dState, 0, leftKeys);
        NativeMemory.read(leftKeys, byKey, 0, n * keySize);
        for (int j = 0; j < n; j++) {
            float change = left[j] * SmallRows.rowDot(keySize, k, byKey, j);
            dg[n - 1] += change;
            dg[j] -= change;
        }
        SmallRows.addScaledRows(n, keySize, byKey, left, dk);
    }

    /** What read the state before: the results, and R. */
    private void throughState() {
        SmallRows.scaleRows(n, valueSize, y, grown, byValue);
        NativeMemory.write(seen, byValue, 0, n * valueSize);
        if (delta) {
            SmallRows.scaleRows(n, valueSize, dv, beta, dv);
            SmallRows.scaleRows(n, valueSize, dv, negative, byValue);
            NativeMemory.write(second(seen, valueSize), byValue, 0, n * valueSize);
        }
        int rows = delta ? 2 * n : n;
        product(false, true, rows, keySize, valueSize, seen, state, 0, dqk);
        throughState(dqk, q, dq);
        if (delta) {
            throughState(second(dqk, keySize), k, dk);
        }
        product(true, false, keySize, valueSize, rows, qk, seen, grown[n - 1], dState);
    }

    private void throughState(long read, float[] x, float[] dx) {
        NativeMemory.read(read, byKey, 0, n * keySize);
        SmallRows.add(n * keySize, byKey, dx);
        for (int i = 0; i < n; i++) {
            dg[i] += SmallRows.rowDot(keySize, x, byKey, i);
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
