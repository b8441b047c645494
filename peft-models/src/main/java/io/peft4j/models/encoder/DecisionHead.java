package io.peft4j.models.encoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Laya's head of decisions, a score for each token, of which those of the option markers are read:
 * {@code h = hidden + type_emb[kind of the question]}, then transformer layers with norms before their parts and no
 * positions, as many as the checkpoint has, then {@code w2 gelu(w1 norm(h))}. What a checkpoint lacks is initialized,
 * but no transformer layers, of which Laya has two: they would have to be learned from noise by the few rows of a user,
 * and in the encoder's own layers, which are trained with the head, options and text see each other already.
 */
record DecisionHead(Slot kinds, List<Slot> layers, Slot scorer) implements EncoderNetwork.TaskHead {
    /** The prefix of the names of the encoder's tensors, with a dot. */
    static final String ENCODER = "encoder.";
    /** Kinds of questions. */
    static final int KINDS = 3;
    private static final int HEAD_SIZE = 64;
    private static final double DEVIATION = 0.02;
    private static final EncoderPlan.Norm NORM = new EncoderPlan.Norm(1e-5f, true);

    /** Whether a checkpoint has one. */
    static boolean isIn(WeightLoader weights) {
        return weights.has("scorer.3.weight");
    }

    /**
     * Makes the places of a head.
     *
     * @param before the number of the encoder's layers
     */
    static DecisionHead build(EncoderPlaces places, int hidden, int before) {
        Slot kinds = places.headTable("type_emb", KINDS, hidden, DEVIATION, DecisionHead::kinds);
        List<Slot> layers = new ArrayList<>();
        while (places.has("head.layers." + layers.size() + ".linear1")) {
            layers.add(layer(places, "head.layers." + layers.size(), hidden, before + layers.size()));
        }
        return new DecisionHead(kinds, layers, places.containing("scorer", () -> new Scorer(
                places.headNorm("scorer.0", hidden, NORM),
                places.headLinear("scorer.1", hidden, hidden, true, DEVIATION),
                places.headLinear("scorer.3", 1, hidden, true, DEVIATION))));
    }

    /** The attention heads of a layer. */
    static int heads(int hidden) {
        return Math.max(1, hidden / HEAD_SIZE);
    }

    private static int[] kinds(PackedBatch batch) {
        return batch.types().length == 0 ? new int[batch.rows()] : batch.types();
    }

    private static Slot layer(EncoderPlaces places, String path, int hidden, int index) {
        int heads = heads(hidden);
        int size = hidden / heads;
        return places.containing(path, () -> {
            Slot attention = places.containing(path + ".self_attn", () -> new EncoderAttention(index,
                    new AttentionShape(heads, heads, size, (float) (1 / Math.sqrt(size))),
                    List.of(places.packedAttention(path + ".self_attn", hidden)), Optional.empty(), 0,
                    AttentionExtras.NONE));
            return new EncoderLayer(new EncoderLayer.Parts(attention,
                    places.linear(path + ".self_attn.out_proj", hidden, hidden, true),
                    Optional.of(places.norm(path + ".norm1", hidden, NORM)),
                    new FeedForward(List.of(places.linear(path + ".linear1", 4 * hidden, hidden, true)),
                            places.linear(path + ".linear2", hidden, 4 * hidden, true), Activation.RELU, false, 0),
                    places.norm(path + ".norm2", hidden, NORM)), true, 0);
        });
    }

    /** From a hidden state to a score. */
    private record Scorer(Slot norm, Slot inner, Slot output) implements Layer {
        @Override
        public Variable forward(ForwardContext context, Variable x) {
            return output.forward(context, ElementwiseOps.activate(context.tape(), Activation.GELU,
                    inner.forward(context, norm.forward(context, x))));
        }
    }

    @Override
    public Slot output() {
        return ((Scorer) scorer.layer()).output();
    }

    @Override
    public HeadPlan.Rows rows() {
        return HeadPlan.Rows.ALL;
    }

    @Override
    public Variable forward(ForwardContext context, Variable hidden) {
        Variable x = ElementwiseOps.add(context.tape(), hidden, kinds.forward(context, context.noInput()));
        for (Slot layer : layers) {
            x = layer.forward(context, x);
        }
        return scorer.forward(context, x);
    }
}
