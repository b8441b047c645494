package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import java.util.Map;
import java.util.function.Function;

/** C3A; {@link C3aConfig} says what it computes. */
@Internal
public final class C3aMethod extends ConfiguredMethod<C3aConfig> {
    /** SmolLM2's layers have sides that 256, the default, does not divide. */
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("block_size", "16");
    }

    @Override
    protected Adapter adapter(C3aConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> sizes = targets.values(PathPatterns.belowAnother("block_size_pattern",
                config.blockSizePattern()), config.blockSize());
        return targets.adapter(config, slot -> layer(setup, slot, config, sizes.apply(slot)));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, C3aConfig config, int size) {
        Linear linear = (Linear) slot.layer();
        int out = linear.outFeatures();
        int in = linear.inFeatures();
        if (out % size != 0 || in % size != 0) {
            throw new ConfigurationException("block_size is " + size + ", which does not divide both sides of the "
                    + "weight [" + out + ", " + in + "] of " + slot.path());
        }
        Initializer start = switch (config.initialization()) {
            case XAVIER_UNIFORM -> Initializer.uniform(Math.sqrt(6.0 / (in + out)));
            case KAIMING_UNIFORM -> Initializer.uniform(Math.sqrt(1.0 / in));
            case GAUSSIAN -> Initializer.normal(1);
            default -> Initializer.ZEROS;
        };
        AdapterTensor kernel = setup.tensor(slot, "c3a_kernel", start, out / size, in / size, size);
        // Few blocks: the Fourier transforms of rows cost as much as a product with the whole matrix.
        boolean pays = (long) (out / size) * (in / size) > 3L * ((out + in) / size);
        return new ParameterDelta(setup, slot, kernel, circulant(out, in, size)) {
            /** In training by Fourier transforms of the blocks, which many rows pay for. */
            @Override
            protected Variable change(ForwardContext context, Variable x) {
                return context.isTraining() && pays ? CirculantProduct.of(context.tape(), x,
                        context.tape().parameter(kernel.parameter()), size) : super.change(context, x);
            }

            @Override
            protected boolean joinsWeights() {
                return false;
            }
        };
    }

    /** Block (m, n): {@code D[m B + t, n B + j] = w[m, n, (j - t) mod B] / in}. */
    private static ParameterDelta.Delta circulant(int out, int in, int size) {
        return new ScatteredDelta(out, in, out * in, i -> i, place -> {
            int row = place / in;
            int column = place % in;
            int block = row / size * (in / size) + column / size;
            return block * size + Math.floorMod(column % size - row % size, size);
        }, 1.0 / in);
    }
}
