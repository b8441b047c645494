package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.RowTask;
import io.peft4j.core.nn.Slot;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Layers of which the embedding adds noise in training: NEFTune (<a
 * href="https://arxiv.org/abs/2310.05914">2310.05914</a>), as Hugging Face Transformers has it. To each of the L H
 * values of a sequence comes a number that is uniform between {@code -a} and {@code a}, {@code a = alpha / sqrt(L H)}.
 * Which numbers follows from the seed of the pass.
 *
 * @param layers the layers without noise
 * @param embedding where it is added
 */
record NoisyEmbedding(LayerSelection layers, Slot embedding, double alpha) implements LayerSelection {
    @Override
    public Layer at(Slot slot) {
        Layer plain = layers.at(slot);
        return slot.path().equals(embedding.path()) ? (context, x) -> noisy(context, plain.forward(context, x)) : plain;
    }

    private Variable noisy(ForwardContext context, Variable states) {
        if (!context.isTraining()) {
            return states;
        }
        int width = states.columns();
        SplittableRandom random = new SplittableRandom(context.nextDropoutSeed());
        INDArray noise = context.tape().arena().allocate(states.value().dataType(), states.value().shape());
        // A segment is a sequence: with noise none share rows.
        for (AttentionLayout.Segment segment : context.batch().layout().segments()) {
            int rows = segment.queryEnd() - segment.queryStart();
            double most = alpha / Math.sqrt((double) rows * width);
            float[] values = new float[rows * width];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (most * (2 * random.nextDouble() - 1));
            }
            Arrays.write(noise, (long) segment.queryStart() * width, values, 0, values.length);
        }
        return ElementwiseOps.add(context.tape(), states, context.tape().constant(noise));
    }

    @Override
    public PackedBatch prepare(PackedBatch batch) {
        return layers.prepare(batch);
    }

    @Override
    public PackedBatch.Targets learned(PackedBatch prepared) {
        return layers.learned(prepared);
    }

    @Override
    public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
        return layers.begin(context, hidden);
    }

    @Override
    public int group(int sequence) {
        return layers.group(sequence);
    }

    @Override
    public boolean readsWholeSequences() {
        return layers.readsWholeSequences();
    }

    @Override
    public boolean needsAllRows(boolean training) {
        return layers.needsAllRows(training);
    }

    @Override
    public RowTask task(int asked) {
        return layers.task(asked);
    }

    @Override
    public int virtualTokens() {
        return layers.virtualTokens();
    }
}
