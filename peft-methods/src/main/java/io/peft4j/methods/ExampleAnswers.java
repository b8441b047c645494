package io.peft4j.methods;

import io.peft4j.core.nn.PackedBatch;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The answers of CPT's example, which are learned beside the rows, once for each sequence. The mean over both is, times
 * the weights of the rows, {@code f * rows + sequences * f * answers} with {@code f = R / (R + sequences * places)} for
 * rows with the weights R.
 *
 * @param places their numbers in the example; its first token is predicted from nothing
 * @param ids their tokens
 * @param weights their weights
 */
record ExampleAnswers(int[] places, int[] ids, double[] weights) {
    static ExampleAnswers of(CptConfig config) {
        List<Integer> types = config.types();
        int[] places = IntStream.range(1, types.size()).filter(i -> types.get(i) > 0 && types.get(i) % 4 == 0)
                .toArray();
        double factor = config.weighting() == CptConfig.Weighting.DECAY ? config.decayFactor() : 1;
        double[] weights = IntStream.of(places).mapToDouble(place -> Math.pow(factor, 1 + IntStream.of(places)
                .map(types::get).filter(type -> type > types.get(place)).distinct().count())).toArray();
        return new ExampleAnswers(places, IntStream.of(places).map(config.tokenIds()::get).toArray(), weights);
    }

    /** The targets of a batch that begins with the rows of the example, with the answers behind them. */
    PackedBatch.Targets beside(PackedBatch batch) {
        PackedBatch.Targets own = batch.targets();
        double all = IntStream.range(0, own.count()).mapToDouble(i -> own.weights()[i]).sum();
        int sequences = batch.lastRows().length;
        double share = all / (all + (double) sequences * places.length);
        int count = own.count();
        int[] rows = java.util.Arrays.copyOf(own.rows(), count + places.length);
        int[] tokens = java.util.Arrays.copyOf(own.ids(), rows.length);
        float[] learned = new float[rows.length];
        for (int i = 0; i < count; i++) {
            learned[i] = (float) (share * own.weights()[i]);
        }
        for (int i = 0; i < places.length; i++) {
            rows[count + i] = places[i] - 1;
            tokens[count + i] = ids[i];
            learned[count + i] = (float) (share * sequences * weights[i]);
        }
        return new PackedBatch.Targets(rows, tokens, learned, java.util.Arrays.copyOf(own.sequences(), rows.length));
    }
}
