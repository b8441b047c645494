package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.random.TorchRandom;

/**
 * Clusters of vectors by k-means (Lloyd 1982), as scikit-learn's {@code KMeans(init="random", n_init=1, max_iter=10,
 * random_state=123456789)} finds them, in double.
 */
final class RowClusters {
    private static final long SEED = 123_456_789;
    private static final int MOST_ROUNDS = 10;
    /** Centres that move less, as a share of the mean variance, stand still. */
    private static final double TOLERANCE = 1e-4;

    private final double[] rows;
    private final int count;
    private final int width;
    private final int clusters;
    private final int[] labels;
    private double[] centers;

    private RowClusters(double[] rows, int count, int clusters) {
        this.rows = rows;
        this.count = count;
        this.width = rows.length / count;
        this.clusters = clusters;
        this.labels = new int[count];
        this.centers = new double[clusters * width];
    }

    /**
     * The number of the cluster of each vector.
     *
     * @param rows {@code count} vectors, one after the other
     * @param clusters at most as many as there are vectors
     * @throws ConfigurationException when a cluster loses all its vectors
     */
    static int[] of(double[] rows, int count, int clusters) {
        RowClusters search = new RowClusters(rows, count, clusters);
        search.run();
        return search.labels;
    }

    private void run() {
        double tolerance = TOLERANCE * centered();
        int[] first = chosen();
        for (int k = 0; k < clusters; k++) {
            System.arraycopy(rows, first[k] * width, centers, k * width, width);
        }
        java.util.Arrays.fill(labels, -1);
        for (int round = 0; round < MOST_ROUNDS; round++) {
            boolean same = !label();
            double moved = move();
            if (same) {
                return;
            }
            if (moved <= tolerance) {
                break;
            }
        }
        label();
    }

    /** Takes the mean from all vectors; gives the mean of their columns' variances. */
    private double centered() {
        double sum = 0;
        for (int j = 0; j < width; j++) {
            double mean = 0;
            for (int i = 0; i < count; i++) {
                mean += rows[i * width + j] / count;
            }
            for (int i = 0; i < count; i++) {
                rows[i * width + j] -= mean;
                sum += rows[i * width + j] * rows[i * width + j] / count;
            }
        }
        return sum / width;
    }

    /** NumPy's {@code RandomState.choice} without replacement, of equal probabilities. */
    private int[] chosen() {
        TorchRandom random = new TorchRandom(SEED);
        int[] found = new int[clusters];
        boolean[] taken = new boolean[count];
        int number = 0;
        while (number < clusters) {
            double[] drawn = new double[clusters - number];
            for (int i = 0; i < drawn.length; i++) {
                drawn[i] = random.numpyFraction();
            }
            int left = count - number;
            int[] order = free(taken, left);
            for (double fraction : drawn) {
                int place = order[(int) (fraction * left)];
                if (!taken[place]) {
                    taken[place] = true;
                    found[number++] = place;
                }
            }
        }
        return found;
    }

    private static int[] free(boolean[] taken, int left) {
        int[] places = new int[left];
        int next = 0;
        for (int i = 0; i < taken.length; i++) {
            if (!taken[i]) {
                places[next++] = i;
            }
        }
        return places;
    }

    /** Gives each vector the nearest centre; whether one changed. */
    private boolean label() {
        boolean changed = false;
        for (int i = 0; i < count; i++) {
            int best = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int k = 0; k < clusters; k++) {
                double distance = 0;
                for (int j = 0; j < width; j++) {
                    double difference = rows[i * width + j] - centers[k * width + j];
                    distance += difference * difference;
                }
                if (distance < least) {
                    least = distance;
                    best = k;
                }
            }
            changed |= labels[i] != best;
            labels[i] = best;
        }
        return changed;
    }

    /** Moves each centre to the mean of its vectors; the sum of the squared ways. */
    private double move() {
        double[] means = new double[centers.length];
        int[] sizes = new int[clusters];
        for (int i = 0; i < count; i++) {
            sizes[labels[i]]++;
            for (int j = 0; j < width; j++) {
                means[labels[i] * width + j] += rows[i * width + j];
            }
        }
        double moved = 0;
        for (int k = 0; k < means.length; k++) {
            if (sizes[k / width] == 0) {
                throw new ConfigurationException("a cluster of " + clusters + " has no rows; set num_subspaces to "
                        + "fewer clusters");
            }
            means[k] /= sizes[k / width];
            moved += (means[k] - centers[k]) * (means[k] - centers[k]);
        }
        centers = means;
        return moved;
    }
}
