package io.peft4j.lora.init;

import io.peft4j.core.array.DenseMath;

/**
 * Principal components of rows that come in batches, of which only k components, the mean and the variance are kept
 * (Ross et al., "Incremental learning for robust visual tracking", 2008).
 */
final class IncrementalComponents {
    private final int count;
    private final int width;
    private double[] mean;
    private double[] squares;
    private long seen;
    private double[] components = new double[0];
    private double[] singularValues = new double[0];

    /**
     * Nothing seen yet.
     *
     * @param count k
     * @param width elements of a row
     */
    IncrementalComponents(int count, int width) {
        this.count = count;
        this.width = width;
        this.mean = new double[width];
        this.squares = new double[width];
    }

    /** Whether there are components: from the first batch on. */
    boolean isReady() {
        return seen > 0;
    }

    /** k components of length 1 as rows [k, width], of each the largest element positive; the largest first. */
    double[] components() {
        return components;
    }

    /** Their singular values. */
    double[] singularValues() {
        return singularValues;
    }

    /** The share of all variance that each component explains. */
    double[] explainedVarianceRatio() {
        double all = 0;
        for (double square : squares) {
            all += square;
        }
        double[] ratios = new double[count];
        for (int i = 0; i < count; i++) {
            ratios[i] = all == 0 ? 0 : singularValues[i] * singularValues[i] / all;
        }
        return ratios;
    }

    /** Takes in rows [n, width], which are overwritten. */
    void add(double[] rows) {
        int n = rows.length / width;
        double[] batchMean = center(rows, n);
        long total = seen + n;
        double[] stacked = seen == 0 ? rows : stack(rows, batchMean, n, total);
        for (int j = 0; j < width; j++) {
            double apart = mean[j] - batchMean[j];
            double own = 0;
            for (int i = 0; i < n; i++) {
                own += rows[i * width + j] * rows[i * width + j];
            }
            squares[j] += own + (double) seen * n / total * apart * apart;
            mean[j] = (mean[j] * seen + batchMean[j] * n) / total;
        }
        seen = total;
        DenseMath.RightVectors parts = DenseMath.rightVectors(stacked, stacked.length / width, width, count);
        singularValues = parts.s();
        components = parts.vt();
        turn();
    }

    private double[] center(double[] rows, int n) {
        double[] sums = new double[width];
        for (int i = 0; i < rows.length; i++) {
            sums[i % width] += rows[i];
        }
        for (int j = 0; j < width; j++) {
            sums[j] /= n;
        }
        for (int i = 0; i < rows.length; i++) {
            rows[i] -= sums[i % width];
        }
        return sums;
    }

    /** What is kept of the rows before, the rows, and what the means are apart. */
    private double[] stack(double[] rows, double[] batchMean, int n, long total) {
        double[] stacked = new double[(count + n + 1) * width];
        for (int i = 0; i < count * width; i++) {
            stacked[i] = singularValues[i / width] * components[i];
        }
        System.arraycopy(rows, 0, stacked, count * width, rows.length);
        double factor = Math.sqrt((double) seen / total * n);
        for (int j = 0; j < width; j++) {
            stacked[(count + n) * width + j] = factor * (mean[j] - batchMean[j]);
        }
        return stacked;
    }

    private void turn() {
        for (int i = 0; i < count; i++) {
            double largest = 0;
            for (int j = 0; j < width; j++) {
                double value = components[i * width + j];
                largest = Math.abs(value) > Math.abs(largest) ? value : largest;
            }
            for (int j = 0; j < width && largest < 0; j++) {
                components[i * width + j] = -components[i * width + j];
            }
        }
    }
}
