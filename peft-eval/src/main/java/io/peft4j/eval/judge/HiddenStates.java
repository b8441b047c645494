package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Vectors from a language model at hand: the mean of its last hidden states over a text's tokens. A model that was not
 * trained for it tells texts apart less well than an embedding model does; it needs no server.
 */
@Internal(shared = true)
public final class HiddenStates implements Embedder {
    private final LanguageModel model;

    /** Vectors of this model. */
    public HiddenStates(LanguageModel model) {
        this.model = Objects.requireNonNull(model, "model");
    }

    @Override
    public String name() {
        return "mean hidden state of " + model.network().description().name();
    }

    @Override
    public List<float[]> embed(List<String> texts) {
        List<float[]> vectors = new ArrayList<>();
        try (ModelLease lease = model.lease(); Workspace workspace = model.engine().workspace(Priority.WORK)) {
            for (String text : texts) {
                int[] ids = model.tokenizer().encode(text);
                vectors.add(ids.length == 0 ? new float[model.network().description().hiddenSize()]
                        : mean(lease, workspace, Arrays.copyOf(ids, Math.min(ids.length, lease.maxPositions()))));
            }
        }
        return vectors;
    }

    private static float[] mean(ModelLease lease, Workspace workspace, int... ids) {
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(ids)));
        try (Pass pass = Pass.evaluation(lease, workspace, batch)) {
            INDArray states = pass.hidden(false).value();
            float[] values = io.peft4j.core.array.Arrays.toFloats(states);
            int rows = io.peft4j.core.array.Arrays.rows(states);
            float[] mean = new float[values.length / rows];
            for (int i = 0; i < values.length; i++) {
                mean[i % mean.length] += values[i] / rows;
            }
            return mean;
        }
    }
}
