package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
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
@Internal(shared = true)
public final class LayerProbe {
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
        try (ModelLease lease = base.lease();
                Workspace workspace = base.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease.withLayers(tapped), workspace, PackedBatch.of(sequences))) {
            pass.hidden(base.network().output().filter(places::contains).isPresent());
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
        LayerSelection observed = slot -> !gradients.containsKey(slot) ? slot.layer() : (context, x) -> MatrixOps
                .observeWeight(context.tape(), slot.layer().forward(context, x), x, gradients.get(slot));
        try (ModelLease lease = base.lease(); Workspace workspace = base.engine().workspace(Priority.WORK)) {
            batches.forEach(batch -> backward(lease.withLayers(observed), workspace, PackedBatch.of(batch),
                    batches.size()));
        }
        return gradients;
    }

    private static void backward(ModelLease model, Workspace workspace, PackedBatch batch, int batches) {
        double weight = 0;
        for (float value : batch.targets().weights()) {
            weight += value;
        }
        if (weight > 0) {
            try (Pass pass = Pass.differentiating(model, workspace, batch)) {
                pass.backward(weight * batches);
            }
        }
    }
}
