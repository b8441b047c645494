package io.peft4j.core.model;

import io.peft4j.core.array.HeapRows;
import io.peft4j.core.kernel.LossKernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Cross-entropy whose targets are spread: {@code (1 - e) nll + e mean(-log p) = nll + e (z_target - mean(z))} of logits
 * z, with the gradient {@code p - (1 - e) onehot - e / V}.
 *
 * @param share e; 0 is the plain cross-entropy
 */
record SmoothedLabels(double share) {
    /**
     * Losses, and gradients in the place of the logits.
     *
     * @param logits [n, V], written over
     * @param shares what the gradient of each row is multiplied by
     * @param losses is filled with the loss of each row
     * @param hits is filled with whether its target is the likeliest
     */
    void gradient(LossKernels kernels, INDArray logits, int[] ids, float[] shares, float[] losses, boolean[] hits) {
        double[] more = share == 0 ? new double[0] : distances(logits, ids);
        kernels.crossEntropyGradient(logits, ids, shares, losses, hits);
        if (share > 0) {
            for (int i = 0; i < losses.length; i++) {
                losses[i] += (float) (share * more[i]);
            }
            spread(logits, ids, shares);
        }
    }

    /** How far the logit of each target is above the mean of its row. */
    private static double[] distances(INDArray logits, int[] ids) {
        double[] distances = new double[ids.length];
        HeapRows.forPieces(ids.length, (piece, from, count) -> {
            float[] z = HeapRows.read(logits, from, count);
            int width = z.length / count;
            for (int i = 0; i < count; i++) {
                double sum = 0;
                for (int j = 0; j < width; j++) {
                    sum += z[i * width + j];
                }
                distances[from + i] = z[i * width + ids[from + i]] - sum / width;
            }
        });
        return distances;
    }

    private void spread(INDArray gradient, int[] ids, float[] shares) {
        HeapRows.forPieces(ids.length, (piece, from, count) -> {
            float[] g = HeapRows.read(gradient, from, count);
            int width = g.length / count;
            for (int i = 0; i < count; i++) {
                float most = (float) (share * shares[from + i]);
                for (int j = 0; j < width; j++) {
                    g[i * width + j] -= most / width;
                }
                g[i * width + ids[from + i]] += most;
            }
            HeapRows.write(gradient, from, g, false);
        });
    }
}
