package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.LayerMemory;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a decoder is made of, by value: the difference between two families is a difference between two of these.
 *
 * @param sizes the numbers that all decoders have
 * @param names where the parts outside of the layers stand
 * @param norm the kind of all norms
 * @param layers the layers from the embedding on
 * @param scales multipliers at both ends
 * @param ends what some decoders have besides at both ends
 * @param storedTransposed whether checkpoints hold the weights of linear layers as [in, out], as GPT-2's do
 * @param routerLoss factor on what routers add to the loss of a training; 0: nothing
 */
record DecoderPlan(Sizes sizes, Names names, NormPlan norm, List<LayerPlan> layers, Scales scales,
        Ends ends, boolean storedTransposed, double routerLoss) {
    /**
     * The numbers that all decoders have.
     *
     * @param vocabulary V
     * @param hidden H
     * @param maxPositions the longest sequence
     * @param tied whether the output layer is the input embedding
     * @param paddingId the token whose embedding is not trained
     */
    record Sizes(int vocabulary, int hidden, int maxPositions, boolean tied, OptionalInt paddingId) {
    }

    /**
     * Paths, as Hugging Face Transformers names the places, and other beginnings that they have in some checkpoints.
     *
     * @param embedding the input embedding
     * @param positions the embedding of positions, where they are learned
     * @param layers what all layers stand below, by their numbers
     * @param norm the final norm
     * @param head the output layer
     * @param aliases a beginning of names here, and its replacement in some checkpoints
     */
    record Names(String embedding, Optional<String> positions, String layers, String norm, String head,
            Map<String, String> aliases) {
        /** Llama's; a checkpoint without an output layer may leave {@code model.} out. */
        static final Names LLAMA = new Names("model.embed_tokens", Optional.empty(), "model.layers", "model.norm",
                "lm_head", Map.of("model.", ""));

        /** Those of the network without an output layer, as Transformers calls them then. */
        Names bare() {
            String beginning = embedding.substring(0, embedding.indexOf('.') + 1);
            return new Names(embedding.substring(beginning.length()), positions.map(path -> without(beginning, path)),
                    without(beginning, layers), without(beginning, norm), head, Map.of("", beginning));
        }

        private static String without(String beginning, String path) {
            return path.startsWith(beginning) ? path.substring(beginning.length()) : path;
        }
    }

    /**
     * Multipliers.
     *
     * @param embedding factor on the rows of the embedding, part of it
     * @param input factor on what enters the first layer
     * @param logits factor on the logits
     * @param logitCap bound of the logits, which become {@code cap * tanh(logits / cap)}; 0: none
     */
    record Scales(float embedding, float input, float logits, float logitCap) {
        static final Scales NONE = new Scales(1, 1, 1, 0);
    }

    /**
     * What some decoders have besides.
     *
     * @param embeddingNorm the place of a norm of what enters the first layer
     * @param transform what is between the final norm and the output layer
     * @param headBias whether the output layer has a bias
     * @param layerInputs what makes an own input of each layer
     */
    record Ends(Optional<String> embeddingNorm, Optional<Transform> transform, boolean headBias,
            Optional<Inputs> layerInputs) {
        static final Ends NONE = new Ends(Optional.empty(), Optional.empty(), false, Optional.empty());

        Ends withLayerInputs(Inputs value) {
            return new Ends(embeddingNorm, transform, headBias, Optional.of(value));
        }
    }

    /**
     * An embedding, a linear layer and a norm that make an own input of each layer; see {@link LayerInputs}.
     *
     * @param table the name of the embedding [V, L x P], if there is one
     * @param projection that of the linear layer [L x P, H]
     * @param norm that of the norm [P]
     * @param rows V, at least the vocabulary
     * @param width P
     */
    record Inputs(Optional<String> table, String projection, String norm, int rows, int width) {
    }

    /**
     * A linear layer [H, H], an activation and a norm.
     *
     * @param linear the place of the linear layer
     * @param bias whether it has a bias
     * @param norm the place of the norm
     */
    record Transform(String linear, boolean bias, Activation activation, String norm) {
    }

    /** How one layer differs from what all have in common. */
    @FunctionalInterface
    interface LayerChange {
        /** The plan of layer {@code index}. */
        LayerPlan apply(int index, LayerPlan common);
    }

    /** Copies the list. */
    DecoderPlan {
        layers = List.copyOf(layers);
    }

    /** Without multipliers, and with Llama's names. */
    static DecoderPlan of(Sizes sizes, NormPlan norm, List<LayerPlan> layers) {
        return new DecoderPlan(sizes, Names.LLAMA, norm, layers, Scales.NONE, Ends.NONE, false, 0);
    }

    /** The same with every layer changed. */
    DecoderPlan mapLayers(LayerChange change) {
        List<LayerPlan> changed = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            changed.add(change.apply(i, layers.get(i)));
        }
        return new DecoderPlan(sizes, names, norm, changed, scales, ends, storedTransposed, routerLoss);
    }

    /** Whether layers read more than what the one before has made: such a network runs from the embedding on. */
    boolean isWhole() {
        return ends.layerInputs().isPresent() || layers.stream().anyMatch(layer -> layer.mixer()
                .memory() instanceof LayerMemory.Shared);
    }

    DecoderPlan withNames(Names value) {
        return new DecoderPlan(sizes, value, norm, layers, scales, ends, storedTransposed, routerLoss);
    }

    DecoderPlan withNorm(NormPlan value) {
        return new DecoderPlan(sizes, names, value, layers, scales, ends, storedTransposed, routerLoss);
    }

    DecoderPlan withScales(Scales value) {
        return new DecoderPlan(sizes, names, norm, layers, value, ends, storedTransposed, routerLoss);
    }

    DecoderPlan withEnds(Ends value) {
        return new DecoderPlan(sizes, names, norm, layers, scales, value, storedTransposed, routerLoss);
    }

    /** With linear layers that checkpoints hold as [in, out]. */
    DecoderPlan withTransposedLayers() {
        return new DecoderPlan(sizes, names, norm, layers, scales, ends, true, routerLoss);
    }

    /**
     * With what routers add to the loss of a training, where the configuration asks for it.
     *
     * @param usual the factor on it where none is given
     */
    DecoderPlan withRouterLoss(ModelConfig config, double usual) {
        double coefficient = config.number("router_aux_loss_coef", usual);
        return new DecoderPlan(sizes, names, norm, layers, scales, ends, storedTransposed,
                config.flag("output_router_logits", false) ? coefficient : 0);
    }
}
