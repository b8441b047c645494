package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.NumpyRandom;
import io.peft4j.core.safetensors.TensorData;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Uni-LoRA; {@link UniLoraConfig} says what it computes. */
@Internal
public final class UniLoraMethod extends ConfiguredMethod<UniLoraConfig> {
    @Override
    protected Adapter adapter(UniLoraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        UniLoraConfig stored = targets.named(config.toBuilder()
                .fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build());
        AdapterTensor vector = setup.sharedTensor("base_model.unilora_theta_d", config.initWeights()
                ? Initializer.uniform(config.initBound()) : Initializer.normal(1), config.length());
        Choice choice = Choice.drawn(targets.slots(), config);
        Map<String, TensorData> saved = new HashMap<>();
        List<AdapterLayer> layers = targets.layers(slot -> {
            int[][] own = config.saveIndices() ? choice.saved(setup, slot, config.rank(), saved)
                    : choice.of(slot, config.rank());
            return new UniLoraLayer(setup, slot, config, vector, own, choice);
        });
        return new LayeredAdapter(stored, layers, List.of(vector), saved, choice.scales()::close);
    }

    /**
     * Which element of the vector each element of A and B comes from, A before B, layer after layer: every element of
     * the vector as often as any other, but for one, shuffled.
     *
     * @param indices the choice for all layers
     * @param scales {@code 1 / sqrt(n_i)} [d]
     * @param first where a layer's choice begins, by path
     */
    private record Choice(int[] indices, INDArray scales, Map<String, Integer> first) {
        static Choice drawn(List<Slot> slots, UniLoraConfig config) {
            Map<String, Integer> first = new HashMap<>();
            int count = 0;
            for (Slot slot : slots) {
                first.put(slot.path(), count);
                count = Math.addExact(count, Math.multiplyExact(config.rank(), sides(slot)));
            }
            NumpyRandom random = new NumpyRandom(config.seed());
            int repeated = count / config.length() * config.length();
            int[] extras = count == repeated ? new int[0] : random.choice(config.length(), count - repeated);
            int times = Math.max(1, count / config.length());
            int[] indices = IntStream.concat(IntStream.range(0, repeated).map(i -> i / times), IntStream.of(extras))
                    .toArray();
            random.shuffle(indices);
            int[] uses = new int[config.length()];
            IntStream.of(indices).forEach(i -> uses[i]++);
            float[] scales = new float[uses.length];
            for (int i = 0; i < scales.length; i++) {
                scales[i] = uses[i] == 0 ? 0 : 1 / (float) Math.sqrt(uses[i]);
            }
            return new Choice(indices, Arrays.of(scales, scales.length), first);
        }

        private static int sides(Slot slot) {
            Linear linear = (Linear) slot.layer();
            return linear.inFeatures() + linear.outFeatures();
        }

        /** The choice of a layer, A's and B's elements. */
        int[][] of(Slot slot, int rank) {
            int from = first.get(slot.path());
            int split = from + rank * ((Linear) slot.layer()).inFeatures();
            return new int[][] {java.util.Arrays.copyOfRange(indices, from, split),
                java.util.Arrays.copyOfRange(indices, split, from + rank * sides(slot))};
        }

        /** As {@link #of}, for a file that has the choice, which is read from there. */
        int[][] saved(AdapterSetup setup, Slot slot, int rank, Map<String, TensorData> saved) {
            Linear linear = (Linear) slot.layer();
            int[][] own = of(slot, rank);
            long[][] shapes = {{rank, linear.inFeatures()}, {linear.outFeatures(), rank}};
            float[] all = Arrays.toFloats(scales);
            for (int part = 0; part < own.length; part++) {
                String name = part == 0 ? "A" : "B";
                if (setup.isRestoring()) {
                    int[] bounds = new int[(int) shapes[part][0]];
                    java.util.Arrays.fill(bounds, all.length);
                    int[] read = setup.storedIntegers(slot, "unilora_indices_" + name, bounds, shapes[part]);
                    own[part] = read.length == 0 ? own[part] : read;
                }
                float[] factors = new float[own[part].length];
                for (int i = 0; i < factors.length; i++) {
                    factors[i] = all[own[part][i]];
                }
                saved.put(AdapterSetup.key(slot, "unilora_indices_" + name), TensorData.i64(shapes[part], own[part]));
                saved.put(setup.idleTensor(slot, "unilora_scales_" + name, shapes[part]),
                        TensorData.f32(shapes[part], factors));
            }
            return own;
        }
    }

    /**
     * Uni-LoRA on a linear layer (<a href="https://arxiv.org/abs/2506.00799">2506.00799</a>): {@code y = base(x) +
     * (dropout(x) A^T) B^T}: A [r, in] and B [out, r] with elements of {@code unilora_theta_d} [d], which all layers
     * share, times {@code 1 / sqrt(n_i)}. No parameters of its own.
     */
    private static final class UniLoraLayer extends ChangeLayer {
        private final AdapterTensor vector;
        private final INDArray scales;
        private final ScatteredDelta a;
        private final ScatteredDelta b;

        UniLoraLayer(AdapterSetup setup, Slot slot, UniLoraConfig config, AdapterTensor vector, int[][] own,
                Choice choice) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int rank = config.rank();
            this.vector = vector;
            this.scales = choice.scales();
            this.a = new ScatteredDelta(rank, in, rank * in, i -> i, i -> own[0][i], 1);
            this.b = new ScatteredDelta(out, rank, out * rank, i -> i, i -> own[1][i], 1);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable t = SmallOps.matrix(tape, tape.parameter(vector.parameter()), Math.toIntExact(scales.length()));
            Variable scaled = ScaleOps.columns(tape, t, tape.constant(scales));
            Variable h = MatrixOps.product(tape, kept, false, a.on(tape, scaled), true);
            return MatrixOps.product(tape, h, false, b.on(tape, scaled), true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of();
        }
    }
}
