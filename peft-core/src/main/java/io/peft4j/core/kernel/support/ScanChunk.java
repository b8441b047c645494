package io.peft4j.core.kernel.support;

import java.util.Arrays;

/**
 * Some rows of a scan of one head that follow each other, computed together as matrix products. With S the state
 * before them, G[i] the sum of the decays up to row i and D[i][j] = exp(G[i] - G[j]) for j at most i:
 *
 * <pre>
 * (I + A) U = R,  A[i][j] = beta[i] D[i][j] k[i] . k[j] below the diagonal,  R[i] = beta[i] (v[i] - exp(G[i]) S^T k[i])
 * Y[i] = exp(G[i]) S^T q[i] + sum over j of P[i][j] U[j],  P[i][j] = D[i][j] q[i] . k[j]
 * S' = exp(G[n]) S + sum over j of exp(G[n] - G[j]) k[j] U[j]^T
 * </pre>
 *
 * Without a rate U = V. The gradients run through the same equations from the end.
 */
final class ScanChunk {
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
    /** exp(G[i]) and exp(G[n] - G[i]). */
    private final float[] grown = new float[ROWS];
    private final float[] left = new float[ROWS];
    private final float[] d = new float[ROWS * ROWS];
    private final float[] p = new float[ROWS * ROWS];
    private final float[] a = new float[ROWS * ROWS];
    private final float[] square = new float[ROWS * ROWS];
    private final float[] u;
    private final float[] w;
    private final float[] byValue;
    private final float[] byKey;
    private final float[] kt;
    private final float[] ut;
    private final float[] turned;

    ScanChunk(int keySize, int valueSize, boolean delta) {
        this.keySize = keySize;
        this.valueSize = valueSize;
        this.delta = delta;
        q = new float[ROWS * keySize];
        k = new float[ROWS * keySize];
        v = new float[ROWS * valueSize];
        y = new float[ROWS * valueSize];
        dq = new float[ROWS * keySize];
        dk = new float[ROWS * keySize];
        dv = new float[ROWS * valueSize];
        u = new float[ROWS * valueSize];
        w = new float[ROWS * valueSize];
        byValue = new float[ROWS * valueSize];
        byKey = new float[ROWS * keySize];
        kt = new float[ROWS * keySize];
        ut = new float[ROWS * valueSize];
        turned = new float[keySize * valueSize];
    }

    /** Says how many rows the inputs have. */
    void rows(int count) {
        n = count;
    }

    /** Computes y where wanted, and brings the state [Dk, Dv] behind the rows. */
    void forward(float[] state, boolean wanted) {
        solve(state);
        if (wanted) {
            clear(y, n * valueSize);
            SmallProducts.scaleRows(n, keySize, q, grown, byKey);
            SmallProducts.add(n, valueSize, keySize, byKey, state, y);
            SmallProducts.add(n, valueSize, n, p, u, y);
        }
        scale(state, grown[n - 1]);
        SmallProducts.scaleRows(n, keySize, k, left, byKey);
        SmallProducts.addTransposed(keySize, valueSize, n, byKey, u, state);
    }

    /** D, P, A, U, and what U is solved from. */
    private void solve(float[] state) {
        decays();
        SmallProducts.transpose(n, keySize, k, kt);
        clear(p, n * n);
        SmallProducts.add(n, n, keySize, q, kt, p);
        for (int i = 0; i < n * n; i++) {
            p[i] *= d[i];
        }
        System.arraycopy(v, 0, u, 0, n * valueSize);
        if (!delta) {
            return;
        }
        clear(a, n * n);
        SmallProducts.add(n, n, keySize, k, kt, a);
        clear(byValue, n * valueSize);
        SmallProducts.add(n, valueSize, keySize, k, state, byValue);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i * n + j] *= j < i ? beta[i] * d[i * n + j] : 0;
            }
            for (int j = i * valueSize; j < (i + 1) * valueSize; j++) {
                w[j] = v[j] - grown[i] * byValue[j];
                u[j] = beta[i] * w[j];
            }
            for (int j = 0; j < i; j++) {
                SmallProducts.addOne(valueSize, -a[i * n + j], u, j * valueSize, u, i * valueSize);
            }
        }
    }

    private void decays() {
        double[] sums = new double[n];
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += g[i];
            sums[i] = sum;
            grown[i] = (float) Math.exp(sum);
        }
        for (int i = 0; i < n; i++) {
            left[i] = (float) Math.exp(sum - sums[i]);
            for (int j = 0; j < n; j++) {
                d[i * n + j] = j <= i ? (float) Math.exp(sums[i] - sums[j]) : 0;
            }
        }
    }

    /**
     * Computes the gradients of the inputs from that of the result in {@link #y}.
     *
     * @param state the state before the rows
     * @param dState the gradient of the state behind them; becomes that of the state before them
     */
    void backward(float[] state, float[] dState) {
        solve(state);
        clear(dq, n * keySize);
        clear(dk, n * keySize);
        clear(dv, n * valueSize);
        clear(dg, n);
        // dU, from the results and the state behind
        SmallProducts.addTransposed(n, valueSize, n, p, y, dv);
        SmallProducts.scaleRows(n, keySize, k, left, byKey);
        SmallProducts.add(n, valueSize, keySize, byKey, dState, dv);
        SmallProducts.transpose(n, valueSize, u, ut);
        scores(y, p, d, q, dq);
        fromStateBehind(state, dState);
        SmallProducts.transpose(keySize, valueSize, state, turned);
        // What reads the state before: the results
        throughState(y, q, dq, 1);
        SmallProducts.scaleRows(n, keySize, q, grown, byKey);
        SmallProducts.addTransposed(keySize, valueSize, n, byKey, y, dState);
        if (delta) {
            deltaRule(dState);
        }
        // From G to the decays
        for (int i = n - 2; i >= 0; i--) {
            dg[i] += dg[i + 1];
        }
    }

    /**
     * The gradient of scores {@code [i][j] = factor[i][j] x[i] . k[j]}, j at most i, of which products with U were
     * taken: dScores = dRows U^T; adds to the gradients of x, of k and of G.
     */
    private void scores(float[] dRows, float[] scores, float[] factor, float[] x, float[] dx) {
        clear(square, n * n);
        SmallProducts.add(n, n, valueSize, dRows, ut, square);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                float change = square[i * n + j] * scores[i * n + j];
                dg[i] += change;
                dg[j] -= change;
                square[i * n + j] *= factor[i * n + j];
            }
        }
        SmallProducts.add(n, keySize, n, square, k, dx);
        SmallProducts.addTransposed(n, keySize, n, square, x, dk);
    }

    private void fromStateBehind(float[] state, float[] dState) {
        double kept = 0;
        for (int i = 0; i < keySize; i++) {
            kept += SmallProducts.rowDot(valueSize, state, dState, i);
        }
        dg[n - 1] += (float) (grown[n - 1] * kept);
        SmallProducts.transpose(keySize, valueSize, dState, turned);
        clear(byKey, n * keySize);
        SmallProducts.add(n, keySize, valueSize, u, turned, byKey);
        for (int j = 0; j < n; j++) {
            float change = left[j] * SmallProducts.rowDot(keySize, k, byKey, j);
            dg[n - 1] += change;
            dg[j] -= change;
            SmallProducts.addOne(keySize, left[j], byKey, j * keySize, dk, j * keySize);
        }
        scale(dState, grown[n - 1]);
    }

    /** Adds the gradients of {@code sign * exp(G[i]) S^T x[i]} to those of x and G; {@link #turned} holds S^T. */
    private void throughState(float[] dRows, float[] x, float[] dx, float sign) {
        clear(byKey, n * keySize);
        SmallProducts.add(n, keySize, valueSize, dRows, turned, byKey);
        for (int i = 0; i < n; i++) {
            dg[i] += sign * grown[i] * SmallProducts.rowDot(keySize, x, byKey, i);
            SmallProducts.addOne(keySize, sign * grown[i], byKey, i * keySize, dx, i * keySize);
        }
    }

    /** From dU in {@link #dv} back through (I + A) U = R. */
    private void deltaRule(float[] dState) {
        for (int i = n - 1; i > 0; i--) {
            for (int j = 0; j < i; j++) {
                SmallProducts.addOne(valueSize, -a[i * n + j], dv, i * valueSize, dv, j * valueSize);
            }
        }
        // dA = -dR U^T; the gradient of beta is that of A and R over beta
        SmallProducts.scaleRows(n, valueSize, dv, minusOnes(), byValue);
        System.arraycopy(d, 0, p, 0, n * n);
        for (int i = 0; i < n; i++) {
            dBeta[i] = SmallProducts.rowDot(valueSize, dv, w, i);
            for (int j = 0; j < n; j++) {
                p[i * n + j] = j < i ? beta[i] * d[i * n + j] : 0;
            }
        }
        rateOfScores();
        scores(byValue, a, p, k, dk);
        SmallProducts.scaleRows(n, valueSize, dv, beta, dv);
        throughState(dv, k, dk, -1);
        SmallProducts.scaleRows(n, keySize, k, grown, byKey);
        for (int i = 0; i < n * keySize; i++) {
            byKey[i] = -byKey[i];
        }
        SmallProducts.addTransposed(keySize, valueSize, n, byKey, dv, dState);
    }

    /** Adds {@code sum over j of dA[i][j] D[i][j] k[i] . k[j]} to the gradient of the rate. */
    private void rateOfScores() {
        clear(square, n * n);
        SmallProducts.add(n, n, keySize, k, kt, square);
        float[] products = new float[n * n];
        SmallProducts.add(n, n, valueSize, byValue, ut, products);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                dBeta[i] += products[i * n + j] * d[i * n + j] * square[i * n + j];
            }
        }
    }

    private static float[] minusOnes() {
        float[] ones = new float[ROWS];
        Arrays.fill(ones, -1);
        return ones;
    }

    private static void clear(float[] x, int count) {
        Arrays.fill(x, 0, count, 0);
    }

    private void scale(float[] state, float factor) {
        for (int i = 0; i < keySize * valueSize; i++) {
            state[i] *= factor;
        }
    }
}
