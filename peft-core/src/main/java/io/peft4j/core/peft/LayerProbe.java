package io.peft4j.core.peft;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Looks into the base model while it computes: what its layers get, and how the loss depends on their weights. The
 * model runs as it is, without adapters, and is not changed.
 */
public final class LayerProbe {
    /** Rows of logits that are computed at once. */
    private static final int CHUNK = 128;

    private final BaseLanguageModel base;

    /** A probe of a model. */
    public LayerProbe(BaseLanguageModel base) {
        this.base = Objects.requireNonNull(base, "base");
    }

    /** Is given what a layer gets. */
    @FunctionalInterface
    public interface InputReader {
        /**
         * Reads.
         *
         * @param slot the place
         * @param x its input [N, I], one row for each token of the sequences in their order; places that get the same
         *     input get the same object. To be read only, and before the call returns
         */
        void read(Slot slot, Variable x);
    }

    /** Runs sequences, packed into one batch, and shows what layers get, in the order of the computation. */
    public void inputs(List<TokenSequence> sequences, Set<Slot> places, InputReader reader) {
        LayerSelection tapped = slot -> !places.contains(slot) ? slot.layer() : (context, x) -> {
            reader.read(slot, x);
            return slot.layer().forward(context, x);
        };
        synchronized (base.kernels()) {
            try (Arena arena = new Arena(); Tape tape = Tape.inference(base.kernels(), arena, activationType())) {
                ForwardContext context = ForwardContext.evaluation(tape, PackedBatch.of(sequences), tapped);
                Variable hidden = base.network().hidden(context);
                if (places.contains(base.network().head())) {
                    base.network().logits(context, hidden);
                }
            }
        }
    }

    /**
     * The gradients of the loss for the weights of linear layers: of the mean negative log-likelihood of a supervised
     * token of each batch, averaged over the batches.
     *
     * @param batches the data
     * @param places where linear layers are
     * @return for each place dW [O, I], FLOAT; the caller closes them
     */
    public Map<Slot, INDArray> gradients(List<List<TokenSequence>> batches, List<Slot> places) {
        Map<Slot, INDArray> gradients = new LinkedHashMap<>();
        places.forEach(slot -> {
            Linear linear = (Linear) slot.layer();
            gradients.put(slot, Arrays.zeros(DataType.FLOAT, linear.outFeatures(), linear.inFeatures()));
        });
        synchronized (base.kernels()) {
            LayerSelection observed = slot -> !gradients.containsKey(slot) ? slot.layer() : (context, x) ->
                    MatrixOps.observeWeight(context.tape(), slot.layer().forward(context, x), x, gradients.get(slot));
            batches.forEach(batch -> backward(PackedBatch.of(batch), observed, batches.size()));
        }
        return gradients;
    }

    private DataType activationType() {
        return base.network().description().activationType();
    }

    private void backward(PackedBatch batch, LayerSelection layers, int batches) {
        double weight = 0;
        for (float value : batch.targets().weights()) {
            weight += value;
        }
        if (weight == 0) {
            return;
        }
        try (Arena arena = new Arena(); Tape tape = Tape.recording(base.kernels(), arena, activationType())) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, layers);
            Variable rows = base.network().hidden(context, batch.targets().rows());
            INDArray gradient = arena.zeros(rows.value().dataType(), rows.value().shape());
            for (int from = 0; from < batch.targets().count(); from += CHUNK) {
                backward(batch, layers, arena, from, rows.value(), gradient, weight * batches);
            }
            if (rows.requiresGradient()) {
                tape.backward(rows, gradient);
            }
        }
    }

    /** From the loss of some rows to their hidden states. */
    private void backward(PackedBatch batch, LayerSelection layers, Arena arena, int from, INDArray rows,
            INDArray gradient, double normalizer) {
        int to = Math.min(batch.targets().count(), from + CHUNK);
        int[] ids = java.util.Arrays.copyOfRange(batch.targets().ids(), from, to);
        float[] weights = java.util.Arrays.copyOfRange(batch.targets().weights(), from, to);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (weights[i] / normalizer);
        }
        try (Tape tape = Tape.recording(base.kernels(), arena, DataType.FLOAT)) {
            ForwardContext context = ForwardContext.evaluation(tape, batch, layers);
            Variable logits = base.network().logits(context, tape.input(arena.rows(rows, from, to),
                    arena.rows(gradient, from, to)));
            base.kernels().crossEntropyBackward(logits.value(), ids, weights);
            tape.backward(logits, logits.value());
        }
    }
}
