package io.peft4j.methods.internal;

import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.methods.PrefixTuningConfig;
import io.peft4j.methods.VirtualTokens;
import java.util.ArrayList;
import java.util.List;

/** Prefix tuning; {@link PrefixTuningConfig} says what it computes. */
public final class PrefixTuningMethod extends ConfiguredMethod<PrefixTuningConfig> {
    /** For the {@link java.util.ServiceLoader}. */
    public PrefixTuningMethod() {
        super(PrefixTuningConfig.class, "prefix-tuning",
                "keys and values before those of every sequence, in each layer",
                "https://arxiv.org/abs/2101.00190");
    }

    @Override
    protected Adapter adapter(PrefixTuningConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrefix(config.virtualTokens(), setup);
        PrefixTuningConfig resolved = config.toBuilder().virtualTokens(tokens)
                .hiddenSize(config.hiddenSize() == 0 ? tokens.tokenDim() : config.hiddenSize()).build();
        int width = tokens.tokenDim();
        for (SelfAttention attention : TokenSizes.attentionLayers(setup)) {
            if (attention.shape().keyColumns() != width) {
                throw new ConfigurationException("the layers of this model have keys of different widths, which prefix "
                        + "tuning cannot put into one table");
            }
        }
        int columns = Math.multiplyExact(2 * tokens.layers(), width);
        Initializer start = config.initialization() == PrefixTuningConfig.Initialization.ZERO ? Initializer.ZEROS
                : Initializer.normal(1);
        VirtualSource source = config.projection()
                ? VirtualSource.network(setup, () -> projection(setup, resolved, columns), tokens.count(), columns)
                : VirtualSource.table(setup, start, tokens.count(), columns);
        List<AdapterLayer> layers = new ArrayList<>();
        setup.network().slots().stream().filter(slot -> slot.layer() instanceof SelfAttention)
                .forEach(slot -> layers.add(new PrefixLayer(slot, source, tokens.count())));
        return new VirtualTokenAdapter(setup.isRestoring() ? config : resolved, tokens.count(), source, layers,
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
}
