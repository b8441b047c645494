package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RoAd; {@link RoadConfig} says what it computes. */
@Internal
public final class RoadMethod extends ConfiguredMethod<RoadConfig> {
    @Override
    protected Adapter adapter(RoadConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new RoadLayer(setup, slot, config));
    }

    /**
     * RoAd on a linear layer (<a href="https://arxiv.org/abs/2409.00119">2409.00119</a>): {@code y_j = c_j z_j + s_j
     * z_p(j)}, {@code z = base(x)} [N, out], p(j) the other feature of the pair, {@code c = a cos(t)}, {@code s = a
     * sin(t)}, negative in the first half of a group. {@code road_theta}, {@code road_alpha} [out / 2], [out] or [2
     * out].
     *
     * <p>Merged: the rows of W and the elements of the bias, combined likewise.
     */
    private static final class RoadLayer extends AbstractAdapterLayer {
        private final RoadConfig.Variant variant;
        private final int group;
        /** p. */
        private final int[] partner;
        private final AdapterTensor angles;
        private final AdapterTensor scales;

        RoadLayer(AdapterSetup setup, Slot slot, RoadConfig config) {
            super(slot);
            int out = linear().outFeatures();
            this.variant = config.variant();
            this.group = config.groupSize();
            if (out % group != 0) {
                throw new ConfigurationException("group_size is " + group + ", which does not divide the " + out
                        + " outputs of " + slot.path());
            }
            this.partner = IntStream.range(0, out).map(j -> isFirst(j) ? j + group / 2 : j - group / 2).toArray();
            int size = switch (variant) {
                case ROAD_1 -> out / 2;
                case ROAD_2 -> out;
                case ROAD_4 -> 2 * out;
            };
            this.angles = setup.tensor(slot, "road_theta", config.initWeights() ? Initializer.ZEROS
                    : Initializer.normal(0.5), size);
            this.scales = setup.tensor(slot, "road_alpha", config.initWeights() ? Initializer.ONES
                    : Initializer.normal(0.5).then(RoadLayer::plusOne), size);
        }

        private static float[] plusOne(float[] values) {
            for (int i = 0; i < values.length; i++) {
                values[i]++;
            }
            return values;
        }

        /** Whether a feature is in the first half of its group. */
        private boolean isFirst(int j) {
            return j % group < group / 2;
        }

        /** The number of the angle and scale of a feature. */
        private int parameter(int j, boolean sine) {
            return switch (variant) {
                case ROAD_1 -> j / group * (group / 2) + j % (group / 2);
                case ROAD_2 -> j;
                case ROAD_4 -> j / group * 2 * group + (sine ? group : 0) + j % group;
            };
        }

        /** c or s; gradients: {@code da += dc cos(t)}, {@code dt -= dc a sin(t)}, and so for s. */
        private Variable factors(Tape tape, boolean sine) {
            Variable t = tape.parameter(angles.parameter());
            Variable a = tape.parameter(scales.parameter());
            INDArray c = tape.allocateFloat(partner.length);
            float[] values = factors(sine);
            Arrays.write(c, 0, values, 0, values.length);
            return tape.record(c, (out, dc) -> {
                float[] g = Arrays.toFloats(dc);
                float[] angle = Arrays.toFloats(t.value());
                float[] scale = Arrays.toFloats(a.value());
                double[] da = new double[scale.length];
                double[] dt = new double[scale.length];
                for (int j = 0; j < g.length; j++) {
                    int k = parameter(j, sine);
                    double signed = sine && isFirst(j) ? -g[j] : g[j];
                    da[k] += signed * (sine ? Math.sin(angle[k]) : Math.cos(angle[k]));
                    dt[k] += signed * scale[k] * (sine ? Math.cos(angle[k]) : -Math.sin(angle[k]));
                }
                a.addGradient((d, accumulate) -> HeapRows.write(d, da, accumulate));
                t.addGradient((d, accumulate) -> HeapRows.write(d, dt, accumulate));
            }, List.of(t, a));
        }

        private float[] factors(boolean sine) {
            float[] angle = Arrays.toFloats(angles.parameter().value());
            float[] scale = Arrays.toFloats(scales.parameter().value());
            float[] values = new float[partner.length];
            for (int j = 0; j < values.length; j++) {
                int k = parameter(j, sine);
                double value = scale[k] * (sine ? Math.sin(angle[k]) : Math.cos(angle[k]));
                values[j] = (float) (sine && isFirst(j) ? -value : value);
            }
            return values;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable z = base.forward(context, x);
            Variable crossed = ScaleOps.columns(tape, BlockMatrices.permute(tape, z, partner), factors(tape, true));
            return ElementwiseOps.addInto(tape, crossed, ScaleOps.columns(tape, z, factors(tape, false)));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(angles, scales);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            combineRows(copy.weight(), linear().inFeatures());
            copy.bias().ifPresent(bias -> combineRows(bias, 1));
        }

        private void combineRows(INDArray matrix, int width) {
            float[] c = factors(false);
            float[] s = factors(true);
            float[] before = Arrays.toFloats(matrix);
            float[] after = new float[before.length];
            for (int i = 0; i < after.length; i++) {
                int j = i / width;
                after[i] = (float) ((double) c[j] * before[i]
                        + (double) s[j] * before[partner[j] * width + i % width]);
            }
            Arrays.write(matrix, 0, after, 0, after.length);
        }
    }
}
