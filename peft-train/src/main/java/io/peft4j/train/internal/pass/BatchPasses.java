package io.peft4j.train.internal.pass;

import io.peft4j.core.model.Network;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.data.pack.support.Seeds;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Passes;
import io.peft4j.train.objective.SampledAnswer;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The passes of one batch.
 *
 * @param passes run them
 * @param network packs the sequences
 * @param sharePrefixes whether a beginning that sequences have in common is computed once
 * @param dropoutSeed seed of the batch's dropout
 * @param measures takes what is measured
 * @param rows the examples of which it is noted whether they are right
 */
public record BatchPasses(ObjectivePasses passes, Network network, boolean sharePrefixes, long dropoutSeed,
        Measures measures, RowVisits rows)
        implements
            Passes {
    private PackedBatch pack(List<TokenSequence> sequences) {
        return pack(network, sharePrefixes, sequences);
    }

    /** A batch for a training. What routers add counts all its tokens, those of equal beginnings, too. */
    public static PackedBatch pack(Network network, boolean sharePrefixes, List<TokenSequence> sequences) {
        return sharePrefixes && network.routerLossCoefficient() == 0 ? network.pack(sequences)
                : PackedBatch.of(sequences);
    }

    @Override
    public double training(int part, List<TokenSequence> sequences, ToDoubleFunction<Pass> work) {
        return passes.training(pack(sequences), part == 0 ? dropoutSeed : Seeds.mix(dropoutSeed, part, 0), work);
    }

    @Override
    public <T> T evaluation(List<TokenSequence> sequences, Function<Pass, T> work) {
        return passes.evaluation(pack(sequences), work);
    }

    @Override
    public <T> T base(List<TokenSequence> sequences, Function<Pass, T> work) {
        return passes.base(pack(sequences), work);
    }

    @Override
    public long seed() {
        return dropoutSeed;
    }

    @Override
    public void measure(String name, double[] sums, double count) {
        measures.add(name, sums, count);
    }

    @Override
    public void visited(EncodedExample example, boolean right, double loss) {
        measures.visited(rows.place(example), new RowVisits.Visit(right, loss));
    }

    @Override
    public void show(SampledAnswer answer) {
        measures.show(answer);
    }
}
