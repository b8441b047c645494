package io.peft4j.core.peft;

import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How far the logits of a model are from those that it, or another one, gave for the same tokens.
 *
 * @param relative root of the summed squares of the differences over that of the logits, each row less its mean
 * @param largest the largest difference of a logit
 * @param positions number of positions compared
 * @param sameTop share of positions with the same most likely token
 */
public record LogitDifference(double relative, double largest, int positions, double sameTop) {
    /**
     * All logits [T, V] of each sequence; of a model with a head what it says to all of them, as one row. An
     * encoder-decoder reads a sequence and predicts it again.
     */
    public static List<float[]> logits(LanguageModel model, List<int[]> sequences) {
        if (model.network().task().type().hasHead()) {
            return List.of(outputs(model, sequences));
        }
        List<float[]> all = new ArrayList<>();
        try (ModelLease lease = model.lease(); Workspace workspace = model.engine().workspace(Priority.WORK)) {
            for (int[] ids : sequences) {
                PackedBatch batch = PackedBatch.of(List.of(sequence(model.network(), ids)));
                try (Pass pass = Pass.evaluation(lease, workspace, batch)) {
                    // Virtual tokens, where a method has them, come first.
                    int first = pass.batch().rows() - ids.length;
                    all.add(pass.logits(IntStream.range(first, first + ids.length).toArray()));
                }
            }
        }
        return all;
    }

    private static TokenSequence sequence(Network network, int[] ids) {
        if (!(network instanceof EncoderDecoderNetwork decoder)) {
            return TokenSequence.unsupervised(ids);
        }
        int[] shifted = new int[ids.length];
        System.arraycopy(ids, 0, shifted, 1, ids.length - 1);
        shifted[0] = decoder.startToken();
        return TokenSequence.unsupervised(shifted).withSource(ids);
    }

    private static float[] outputs(LanguageModel model, List<int[]> sequences) {
        try (ModelLease lease = model.lease();
                Workspace workspace = model.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, PackedBatch.of(sequences.stream()
                        .map(TokenSequence::unsupervised).toList()))) {
            return pass.outputs();
        }
    }

    /** The length of a row of what {@link #logits} gave for a model: V, or that of the one row. */
    public static int columns(LanguageModel model, List<float[]> logits) {
        return model.network().task().type().hasHead() ? logits.get(0).length
                : model.network().description().vocabularySize();
    }

    /**
     * Compares logits.
     *
     * @param before logits of {@link #logits}
     * @param after the same of the changed model
     * @param vocabulary {@link #columns}
     */
    public static LogitDifference between(List<float[]> before, List<float[]> after, int vocabulary) {
        double[] sums = new double[3];
        int positions = 0;
        int same = 0;
        for (int s = 0; s < before.size(); s++) {
            int rows = before.get(s).length / vocabulary;
            for (int row = 0; row < rows; row++) {
                same += add(before.get(s), after.get(s), row * vocabulary, vocabulary, sums) ? 1 : 0;
            }
            positions += rows;
        }
        return new LogitDifference(Math.sqrt(sums[0] / Math.max(sums[1], Double.MIN_NORMAL)), sums[2], positions,
                positions == 0 ? 1 : (double) same / positions);
    }

    /** Adds a row to the squares of differences and of logits and to the largest; whether the best token is equal. */
    private static boolean add(float[] before, float[] after, int from, int count, double[] sums) {
        double mean = 0;
        int bestBefore = from;
        int bestAfter = from;
        for (int i = from; i < from + count; i++) {
            mean += before[i] / (double) count;
            bestBefore = before[i] > before[bestBefore] ? i : bestBefore;
            bestAfter = after[i] > after[bestAfter] ? i : bestAfter;
        }
        for (int i = from; i < from + count; i++) {
            double difference = Math.abs((double) after[i] - before[i]);
            sums[0] += difference * difference;
            sums[1] += (before[i] - mean) * (before[i] - mean);
            sums[2] = difference > sums[2] || Double.isNaN(difference) ? difference : sums[2];
        }
        return bestBefore == bestAfter;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "logits differ by %.2g of their size (at most %.2g), the most likely token "
                + "is the same at %.1f %% of %d positions", relative, largest, 100 * sameTop, positions);
    }
}
