package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.FrozenWeight;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Super-tuning; {@link SupertuningConfig} says what it computes. */
@Internal
public final class SupertuningMethod extends ConfiguredMethod<SupertuningConfig> {
    private static final String INDICES = "supertuning_indices";

    @Override
    protected Adapter adapter(SupertuningConfig config, AdapterSetup setup) {
        Map<String, TensorData> indices = new HashMap<>();
        Adapter layers = Targets.of(config.placement(), setup).adapter(config, slot -> {
            int[] places = places(setup, slot, config);
            if (config.saveIndices()) {
                indices.put(AdapterSetup.key(slot, INDICES), TensorData.i32(new long[] {places.length}, places));
            }
            return new SupertuningLayer(setup, slot, config, places);
        });
        return new LayeredAdapter(layers.config(), layers.layers(), List.of(), indices, () -> {
        });
    }

    /** As Python computes the number. */
    private static int count(Linear linear, double sparsity) {
        return (int) (Math.multiplyExact(linear.outFeatures(), linear.inFeatures()) * (1 - sparsity));
    }

    private static int[] places(AdapterSetup setup, Slot slot, SupertuningConfig config) {
        Linear linear = (Linear) slot.layer();
        int elements = Math.multiplyExact(linear.outFeatures(), linear.inFeatures());
        int count = count(linear, config.sparsity());
        if (count < 1) {
            throw new ConfigurationException("sparsity is " + config.sparsity() + ", which leaves none of the "
                    + elements + " elements of " + slot.path() + " to train; use a smaller one");
        }
        return setup.isRestoring() && config.saveIndices()
                ? setup.storedIntegers(slot, INDICES, new int[] {elements}, count)
                : chosen(slot.path(), amounts(linear.weight()), count, config);
    }

    private static float[] amounts(FrozenWeight weight) {
        float[] amounts = weight.toFloats();
        for (int i = 0; i < amounts.length; i++) {
            amounts[i] = Math.abs(amounts[i]);
        }
        return amounts;
    }

    /** The first places in the order of their amounts. */
    private static int[] chosen(String path, float[] amounts, int count, SupertuningConfig config) {
        long[] keys = new long[amounts.length];
        for (int i = 0; i < keys.length; i++) {
            // The bits of positive numbers are in their order.
            int bits = Float.floatToIntBits(amounts[i]);
            keys[i] = (long) (config.selectTop() ? Integer.MAX_VALUE - bits : bits) << 32 | i;
        }
        java.util.Arrays.sort(keys);
        int[] sorted = LongStream.of(keys).mapToInt(key -> (int) key).toArray();
        for (int i = 1; i < Math.min(count + 1, sorted.length) && !config.saveIndices(); i++) {
            if (amounts[sorted[i]] == amounts[sorted[i - 1]]) {
                throw new ConfigurationException("save_precomputed_indices is off, and elements " + sorted[i - 1]
                        + " and " + sorted[i] + " of " + path + " are equal, so that PyTorch's order of them is not "
                        + "known; save the adapter with its indices");
            }
        }
        return java.util.Arrays.copyOf(sorted, count);
    }

    /**
     * Super-tuning on a linear layer (<a href="https://arxiv.org/abs/2607.09287">2607.09287</a>): {@code y = base(x) +
     * x V^T + s (dropout(x) A^T) B^T}: V [out, in] with {@code supertuning_values} [n] at the places of
     * {@code supertuning_indices} [n]; with a rank above 0, {@code supertuning_lora_A} [r, in] and {@code
     * supertuning_lora_B} [out, r]. n parameters, and {@code r * (in + out)}.
     */
    private static final class SupertuningLayer extends ChangeLayer {
        private final float scaling;
        private final AdapterTensor values;
        private final ScatteredDelta matrix;
        /** A and B, or nothing. */
        private final List<AdapterTensor> lowRank;

        SupertuningLayer(AdapterSetup setup, Slot slot, SupertuningConfig config, int[] places) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int rank = config.rank();
            this.scaling = (float) (config.alpha() / Math.max(1, rank));
            this.values = setup.tensor(slot, "supertuning_values",
                    config.initWeights() ? Initializer.ZEROS : Initializer.normal(1), count(linear(),
                            config.sparsity()));
            this.matrix = new ScatteredDelta(out, in, places.length, i -> places[i], i -> i, 1);
            this.lowRank = rank == 0 ? List.of() : List.of(
                    setup.tensor(slot, "supertuning_lora_A.weight", Initializer.linear(in), rank, in),
                    setup.tensor(slot, "supertuning_lora_B.weight", config.initWeights() ? Initializer.ZEROS
                            : Initializer.linear(rank), out, rank));
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable sparse = MatrixOps.matmulTransposed(tape, x, matrix.on(tape, tape.parameter(values.parameter())));
            if (lowRank.isEmpty()) {
                return sparse;
            }
            Variable h = MatrixOps.product(tape, kept, false, tape.parameter(lowRank.get(0).parameter()), true);
            Variable y = MatrixOps.product(tape, h, false, tape.parameter(lowRank.get(1).parameter()), true);
            return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, y, scaling), sparse);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.concat(Stream.of(values), lowRank.stream()).toList();
        }
    }
}
