package io.peft4j.eval.judge;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Vectors from a language model at hand: the mean of its last hidden states over a text's tokens. A model that was not
 * trained for it tells texts apart less well than an embedding model does; it needs no server.
 */
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
        try (Arena arena = new Arena()) {
            for (String text : texts) {
                int[] ids = model.tokenizer().encode(text);
                int most = model.network().description().maxPositions();
                vectors.add(ids.length == 0 ? new float[model.network().description().hiddenSize()]
                        : mean(arena, java.util.Arrays.copyOf(ids, Math.min(ids.length, most))));
                arena.reset();
            }
        }
        return vectors;
    }

    private float[] mean(Arena arena, int... ids) {
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(ids)));
        synchronized (model.kernels()) {
            try (Tape tape = Tape.inference(model.kernels(), arena,
                    model.network().description().activationType())) {
                ForwardContext context = ForwardContext.evaluation(tape, batch, model.layers());
                float[] states = Arrays.toFloats(model.network().hidden(context).value());
                int width = states.length / ids.length;
                float[] mean = new float[width];
                for (int i = 0; i < states.length; i++) {
                    mean[i % width] += states[i] / ids.length;
                }
                return mean;
            }
        }
    }
}
