package io.peft4j.core.model;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The output layer and the loss on supervised rows of a batch. Logits exist for a chunk of the targets at a time,
 * and each chunk goes forward and back on a tape of its own: what it leaves are the losses and the gradient of its
 * hidden states.
 *
 * @param chunkRows rows of logits at a time
 * @param targets those of the batch, or {@linkplain io.peft4j.core.nn.LayerSelection#learned with more behind them}
 */
record TargetHead(CausalNetwork network, Workspace workspace, ForwardContext context, int chunkRows,
        PackedBatch.Targets targets) {
    /**
     * What was computed for the targets.
     *
     * @param nll the loss of each, in their order
     * @param hits whether each was predicted: no other token was likelier
     */
    record Losses(float[] nll, boolean[] hits) {
    }

    /**
     * The negative log-likelihoods. Computes at once: for use within {@link Workspace#compute}.
     *
     * @param hidden the hidden states of the targets
     */
    Losses losses(INDArray hidden) {
        return forChunks((chunk, nll, hits) -> {
            try (Tape head = workspace.inference(DataType.FLOAT)) {
                Variable logits = network.logits(context.onTape(head), head.constant(part(chunk, hidden)));
                head.kernels().crossEntropy(logits.value(), chunk.ids(), nll, hits);
            }
        });
    }

    /**
     * The losses, with the gradients of their sum, each times its share. Computes at once: for use within
     * {@link Workspace#compute}.
     *
     * @param gradient gets the gradient of the hidden states added
     */
    Losses backward(INDArray hidden, INDArray gradient, float[] shares, SmoothedLabels labels) {
        return forChunks((chunk, nll, hits) -> {
            try (Tape head = workspace.recording(hidden.dataType())) {
                Variable logits = network.logits(context.onTape(head), input(head, chunk, hidden, gradient));
                labels.gradient(head.kernels(), logits.value(), chunk.ids(), chunk.of(shares), nll, hits);
                head.backward(logits, logits.value());
            }
        });
    }

    /**
     * The sum of a loss of the logits, with its gradients. The loss runs outside of the engine.
     *
     * @param gradient gets the gradient of the hidden states added
     */
    double backward(INDArray hidden, INDArray gradient, Pass.LogitLoss loss) {
        double sum = 0;
        for (TargetChunk chunk : TargetChunk.of(targets, chunkRows)) {
            try (Tape head = workspace.recording(hidden.dataType())) {
                Variable logits = workspace
                        .compute(() -> network.logits(context.onTape(head), input(head, chunk, hidden, gradient)));
                float[] values = Arrays.toFloats(logits.value());
                sum += loss.compute(chunk.from(), chunk.to(), values);
                workspace.compute(() -> {
                    Arrays.write(logits.value(), 0, values, 0, values.length);
                    head.backward(logits, logits.value());
                    return logits;
                });
            }
        }
        return sum;
    }

    /** Computes the losses of a chunk. */
    @FunctionalInterface
    private interface ChunkLoss {
        /**
         * Computes them.
         *
         * @param nll is filled with the losses
         * @param hits is filled with whether no other token was likelier
         */
        void compute(TargetChunk chunk, float[] nll, boolean[] hits);
    }

    private Losses forChunks(ChunkLoss loss) {
        float[] all = new float[targets.count()];
        boolean[] allHits = new boolean[all.length];
        for (TargetChunk chunk : TargetChunk.of(targets, chunkRows)) {
            float[] nll = new float[chunk.size()];
            boolean[] hits = new boolean[chunk.size()];
            loss.compute(chunk, nll, hits);
            System.arraycopy(nll, 0, all, chunk.from(), nll.length);
            System.arraycopy(hits, 0, allHits, chunk.from(), hits.length);
        }
        return new Losses(all, allHits);
    }

    private Variable input(Tape head, TargetChunk chunk, INDArray hidden, INDArray gradient) {
        return head.input(part(chunk, hidden), part(chunk, gradient));
    }

    private INDArray part(TargetChunk chunk, INDArray rows) {
        return workspace.arena().rows(rows, chunk.from(), chunk.to());
    }
}
