package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.AttentionStep;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Prefix tuning; {@link PrefixTuningConfig} says what it computes. */
@Internal
public final class PrefixTuningMethod extends ConfiguredMethod<PrefixTuningConfig> {
    @Override
    protected Adapter adapter(PrefixTuningConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrefix(config.virtualTokens(), setup);
        PrefixTuningConfig resolved = config.toBuilder().virtualTokens(tokens)
                .hiddenSize(config.hiddenSize() == 0 ? tokens.tokenDim() : config.hiddenSize()).build();
        int columns = columns(tokens, setup);
        Initializer start = config.initialization() == PrefixTuningConfig.Initialization.ZERO ? Initializer.ZEROS
                : Initializer.normal(1);
        VirtualSource source = config.projection()
                ? VirtualSource.network(setup, () -> projection(setup, resolved, columns), tokens.count(), columns)
                : VirtualSource.table(setup, start, tokens.count(), columns);
        return prefix(setup.isRestoring() ? config : resolved, setup, tokens, source);
    }

    /** Columns of the table of keys and values of all layers. */
    static int columns(VirtualTokens tokens, AdapterSetup setup) {
        for (Slot attention : TokenSizes.attentionLayers(setup)) {
            if (TokenSizes.shape(attention).keyColumns() != tokens.tokenDim()) {
                throw new ConfigurationException("the layers of this model have keys of different widths, which prefix "
                        + "tuning cannot put into one table");
            }
        }
        return Math.multiplyExact(2 * tokens.layers(), tokens.tokenDim());
    }

    /** An adapter whose virtual tokens are keys and values of each attention layer. */
    static Adapter prefix(PeftConfig config, AdapterSetup setup, VirtualTokens tokens, VirtualSource source) {
        List<AdapterLayer> layers = new ArrayList<>();
        TokenSizes.attentionLayers(setup).forEach(slot -> layers.add(new PrefixLayer(slot, source, tokens,
                setup.network() instanceof EncoderDecoderNetwork)));
        return new VirtualTokenAdapter(config, tokens.count(), source, layers,
                batch -> batch.afterPast(tokens.count()));
    }

    private static VirtualSource.Network projection(AdapterSetup setup, PrefixTuningConfig config, int columns) {
        VirtualTokens tokens = config.virtualTokens();
        int dim = tokens.tokenDim();
        int width = config.hiddenSize();
        Initializer last = config.initialization() == PrefixTuningConfig.Initialization.ZERO ? Initializer.ZEROS
                : Initializer.linear(width);
        AdapterTensor table = setup.trainingTensor("embedding.weight", Initializer.normal(1), tokens.count(), dim);
        AdapterTensor w1 = setup.trainingTensor("transform.0.weight", Initializer.linear(dim), width, dim);
        AdapterTensor b1 = setup.trainingTensor("transform.0.bias", Initializer.linear(dim), width);
        AdapterTensor w2 = setup.trainingTensor("transform.2.weight", last, columns, width);
        AdapterTensor b2 = setup.trainingTensor("transform.2.bias", last, columns);
        // The hidden values are small: each layer computes them again, and only its own columns of the rest.
        return new VirtualSource.Network(List.of(table, w1, b1, w2, b2), (tape, context, from, to) -> SmallOps.linear(
                tape, SmallOps.tanh(tape, SmallOps.linear(tape, value(tape, table), value(tape, w1), value(tape, b1))),
                value(tape, w2), value(tape, b2), from, to), tokens.count(), columns);
    }

    private static Variable value(Tape tape, AdapterTensor tensor) {
        return tape.parameter(tensor.parameter());
    }

    /**
     * An attention layer behind a prefix: {@code tokens} keys and values [tokens, key/value heads x D], which every
     * query sees, come before those of the batch. Positions are not applied to them. In the table of all layers, layer
     * i has its keys in the columns from {@code 2 i C} on and its values from {@code (2 i + 1) C} on, C = key/value
     * heads x D. For an encoder-decoder Hugging Face PEFT reads the table twice, as if the decoder's attention to the
     * encoder had a part of it, which is not used: layer i has that of layer {@code 2 i mod L}.
     */
    private static final class PrefixLayer extends AbstractAdapterLayer {
        private final VirtualSource source;
        private final int tokens;
        private final int part;

        PrefixLayer(Slot slot, VirtualSource source, VirtualTokens tokens, boolean twice) {
            super(slot);
            this.source = source;
            this.tokens = tokens.count();
            int index = ((SelfAttention) slot.layer()).index();
            this.part = twice ? 2 * index % tokens.layers() : index;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            return base.forward(context.withAttention(below -> (pass, inputs) -> attend(pass, inputs, below)), x);
        }

        private Variable attend(ForwardContext context, AttentionInputs inputs, AttentionStep below) {
            Tape tape = context.tape();
            Optional<KvCache> cache = context.cache();
            if (cache.isPresent()) {
                if (!cache.get().holdsPast(inputs.layer())) {
                    cache.get().pastIsStored(inputs.layer());
                    cache.get().store(inputs.layer(), converted(tape, part(tape, context, 0), inputs.keys()),
                            converted(tape, part(tape, context, 1), inputs.values()),
                            IntStream.range(0, tokens).toArray());
                }
                return below.run(context, inputs);
            }
            return below.run(context, inputs.with(RowOps.concat(tape, part(tape, context, 0), inputs.keys()),
                    RowOps.concat(tape, part(tape, context, 1), inputs.values())));
        }

        /** Keys (0) or values (1). */
        private Variable part(Tape tape, ForwardContext context, int which) {
            int width = TokenSizes.shape(slot()).keyColumns();
            int from = (2 * part + which) * width;
            return source.columns(tape, Optional.of(context), from, from + width);
        }

        private static INDArray converted(Tape tape, Variable x, Variable like) {
            INDArray y = tape.arena().allocate(like.value().dataType(), x.value().shape());
            tape.kernels().scale(x.value(), 1f, y, false);
            return y;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of();
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("a prefix of keys and values cannot be expressed as a weight");
        }
    }
}
