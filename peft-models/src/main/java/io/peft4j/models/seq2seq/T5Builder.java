package io.peft4j.models.seq2seq;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.BatchChecks;
import io.peft4j.models.architecture.CrossAttention;
import io.peft4j.models.architecture.FeedForward;
import io.peft4j.models.architecture.LoadedNetwork;
import io.peft4j.models.architecture.Places;
import io.peft4j.models.architecture.RelativeBias;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds a {@link T5Network} from a checkpoint; the paths of the places are the checkpoint's tensor names. */
final class T5Builder {
    /** What all places of the decoder stand below. */
    static final String DECODER = "decoder";

    private final T5Config config;
    private final WeightLoader weights;
    private final Places places;
    private final List<AutoCloseable> biases = new ArrayList<>();

    T5Builder(T5Config config, WeightLoader weights) {
        this.config = config;
        this.weights = weights;
        this.places = new Places(weights, name -> T5Gguf.stored(weights, name));
    }

    T5Network build(String name, String modelType) {
        FrozenWeight table = places.matrix("shared", config.vocabulary(), config.hidden());
        Slot embedding = places.place("shared", new Embedding(table, config.paddingId()));
        RelativeBias encoderBias = bias("encoder", true);
        RelativeBias decoderBias = bias(DECODER, false);
        List<T5Block> encoder = blocks("encoder", config.layers(), encoderBias, false);
        Slot encoderNorm = norm("encoder.final_layer_norm");
        List<T5Block> decoder = blocks(DECODER, config.decoderLayers(), decoderBias, true);
        Slot decoderNorm = norm(DECODER + ".final_layer_norm");
        boolean tied = !places.has("lm_head");
        Slot head = places.place("lm_head", new Linear(tied ? table
                : places.matrix("lm_head", config.vocabulary(), config.hidden()), Optional.empty()));
        ModelDescription description = new ModelDescription(name, modelType, config.vocabulary(), config.hidden(),
                config.decoderLayers(), T5Config.LONGEST, tied, weights.activationType(), places.parameters());
        List<AutoCloseable> owned = new ArrayList<>(biases);
        owned.addAll(weights.takeOwnership());
        return new T5Network(description, config, new T5Network.Parts(embedding, encoder, encoderNorm, decoder,
                decoderNorm, head), places.all(), owned);
    }

    private RelativeBias bias(String stack, boolean bidirectional) {
        String path = stack + ".block.0.layer.0.SelfAttention.relative_attention_bias";
        int heads = config.shape().heads();
        RelativeBias bias = new RelativeBias(places.floats(path, config.buckets(), heads), config.maxDistance(),
                bidirectional);
        biases.add(bias);
        places.place(path, bias);
        return bias;
    }

    private List<T5Block> blocks(String stack, int count, RelativeBias bias, boolean decodes) {
        List<T5Block> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String path = stack + ".block." + i + ".layer.";
            int index = i;
            Slot self = places.containing(path + "0.SelfAttention",
                    () -> attention(path + "0.SelfAttention", index, bias.extras()));
            Slot selfNorm = norm(path + "0.layer_norm");
            Optional<T5Block.Cross> cross = Optional.empty();
            if (decodes) {
                T5Attention own = attention(path + "1.EncDecAttention", config.decoderLayers() + i,
                        AttentionExtras.NONE);
                cross = Optional.of(new T5Block.Cross(norm(path + "1.layer_norm"), new CrossAttention(own.index(),
                        own.shape(), own.query(), own.key(), own.value(), own.output())));
            }
            String last = path + (decodes ? 2 : 1);
            FeedForward feedForward = feedForward(last + ".DenseReluDense.");
            blocks.add(new T5Block(selfNorm, self, cross, norm(last + ".layer_norm"), feedForward, config.dropout()));
        }
        return blocks;
    }

    private T5Attention attention(String path, int index, AttentionExtras bias) {
        int columns = config.shape().queryColumns();
        return new T5Attention(index, config.shape(), linear(path + ".q", columns, config.hidden()),
                linear(path + ".k", columns, config.hidden()), linear(path + ".v", columns, config.hidden()),
                linear(path + ".o", config.hidden(), columns), bias);
    }

    private FeedForward feedForward(String path) {
        int hidden = config.hidden();
        List<Slot> up = config.gated() ? List.of(linear(path + "wi_0", config.width(), hidden),
                linear(path + "wi_1", config.width(), hidden))
                : List.of(linear(path + "wi", config.width(), hidden));
        return new FeedForward(up, linear(path + "wo", hidden, config.width()), config.activation(), config.gated(),
                config.dropout());
    }

    private Slot linear(String path, int out, int in) {
        return places.linear(path, out, in, false);
    }

    private Slot norm(String path) {
        return places.place(path, new RmsNorm(places.vector(path + ".weight", config.hidden()), config.epsilon()));
    }

    /**
     * Attention of T5 of a sequence to itself: scores are not scaled and have a bias by distance.
     *
     * @param index number of the layer in the key/value cache
     */
    private record T5Attention(int index, AttentionShape shape, Slot query, Slot key, Slot value, Slot output,
            AttentionExtras bias) implements SelfAttention {
        /** Attention of x [N, H] to itself. */
        @Override
        public Variable forward(ForwardContext context, Variable x) {
            return output.forward(context, context.attend(new AttentionInputs(index, shape, context.batch().layout(),
                    query.forward(context, x), key.forward(context, x), value.forward(context, x),
                    bias)));
        }
    }

    /**
     * T5 (<a href="https://arxiv.org/abs/1910.10683">1910.10683</a>): an encoder, and a decoder that looks at its
     * states. The first half of the layers of a key/value cache are the decoder's own, the second half hold the
     * encoder's. Built by {@link T5Builder}; owns its weights.
     */
    private static final class T5Network extends LoadedNetwork implements EncoderDecoderNetwork {
        private final T5Config config;
        private final Parts parts;

        /** The parts in the order of the computation. */
        record Parts(Slot embedding, List<T5Block> encoder, Slot encoderNorm, List<T5Block> decoder, Slot decoderNorm,
                Slot head) {
        }

        T5Network(ModelDescription description, T5Config config, Parts parts, List<Slot> slots,
                List<AutoCloseable> weights) {
            super(description, slots, weights);
            this.config = config;
            this.parts = parts;
        }

        @Override
        public List<Slot> decoderSlots() {
            return slots().stream().filter(slot -> slot.path().startsWith(T5Builder.DECODER + ".")).toList();
        }

        @Override
        public Slot embedding() {
            return parts.embedding();
        }

        @Override
        public Slot head() {
            return parts.head();
        }

        @Override
        public int startToken() {
            return config.startToken();
        }

        @Override
        public Variable hidden(ForwardContext context) {
            if (context.batch().virtualTokens().length > 0) {
                throw new IllegalArgumentException("virtual tokens are not supported before the sequences of "
                        + description().modelType());
            }
            ForwardContext read = context.onSource();
            boolean cached = context.cache().map(KvCache::holdsSource).orElse(false);
            Optional<Variable> states = cached ? Optional.empty() : Optional.of(run(read, parts.encoder(),
                    parts.encoderNorm(), read, Optional.empty()));
            Variable hidden = run(context, parts.decoder(), parts.decoderNorm(), read, states);
            context.cache().ifPresent(KvCache::sourceIsStored);
            return hidden;
        }

        private Variable run(ForwardContext context, List<T5Block> blocks, Slot norm, ForwardContext read,
                Optional<Variable> states) {
            BatchChecks.requireTokens(context.batch(), description());
            Variable x = FeedForward.dropped(context, parts.embedding().forward(context, context.noInput()),
                    config.dropout());
            for (int i = 0; i < blocks.size(); i++) {
                T5Block block = blocks.get(i);
                x = context.block(x, (c, input) -> block.forward(c, input, read, states), blocks.size() - 1 - i);
            }
            return FeedForward.dropped(context, context.block(x, norm::forward), config.dropout());
        }

        @Override
        public Variable logits(ForwardContext context, Variable hidden) {
            return parts.head().forward(context, config.scalesOutput() ? ElementwiseOps.scale(context.tape(), hidden,
                    (float) (1 / Math.sqrt(config.hidden()))) : hidden);
        }

        @Override
        public KvCache newCache(int rows) {
            return new KvCache(2 * parts.decoder().size(), rows, config.shape().keyColumns(),
                    description().activationType());
        }
    }

    /**
     * A layer of T5, whose parts add to what enters their norms: attention to the sequence itself, of a decoder
     * attention to the encoder, and a feed-forward network.
     *
     * @param cross norm and attention to the encoder
     */
    private record T5Block(Slot selfNorm, Slot self, Optional<Cross> cross, Slot feedForwardNorm,
            FeedForward feedForward,
            float dropout) {
        /** Attention to the encoder behind its norm. */
        record Cross(Slot norm, CrossAttention attention) {
        }

        Variable forward(ForwardContext context, Variable x, ForwardContext read, Optional<Variable> states) {
            Variable h = FeedForward.sum(context, x, self.forward(context, selfNorm.forward(context, x)), dropout);
            if (cross.isPresent()) {
                Variable normed = cross.get().norm().forward(context, h);
                h = FeedForward.sum(context, h, cross.get().attention().forward(context, normed, read, states),
                        dropout);
            }
            return FeedForward.sum(context, h, feedForward.forward(context, feedForwardNorm.forward(context, h)),
                    dropout);
        }
    }
}
