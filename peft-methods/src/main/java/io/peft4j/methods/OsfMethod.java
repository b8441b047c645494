package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;

/** OSF; {@link OsfConfig} says what it computes. */
@Internal
public final class OsfMethod extends ConfiguredMethod<OsfConfig> {
    /** All linear layers take a while to decompose. */
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("target_modules", "[\"q_proj\"]");
    }

    @Override
    protected Adapter adapter(OsfConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement().targetModules().isUnset() && !setup.isRestoring()
                ? config.placement().withTargetModules(TargetModules.ALL_LINEAR) : config.placement(), setup);
        List<INDArray> fixed = new ArrayList<>();
        List<AdapterLayer> layers = targets.layers(slot -> new OsfLayer(setup, slot, config, fixed));
        return new LayeredAdapter(targets.named(config), layers, List.of(), Map.of(),
                () -> fixed.forEach(INDArray::close));
    }

    /** The number of directions that are kept. */
    private static int kept(OsfConfig config, Slot slot) {
        Linear linear = (Linear) slot.layer();
        int all = Math.min(linear.inFeatures(), linear.outFeatures());
        double asked = config.rankPattern().entrySet().stream()
                .filter(entry -> Pattern.compile(entry.getKey()).matcher(slot.path()).find()).map(Map.Entry::getValue)
                .findFirst().orElse(config.keptRank());
        int kept = asked == 0 ? all / 2 : (int) (asked < 1 ? all * asked : asked);
        if (kept < 1 || kept >= all) {
            throw new ConfigurationException("effective_rank keeps " + kept + " of the " + all + " directions of "
                    + slot.path() + "; keep at least 1 and leave at least 1 to train");
        }
        return kept;
    }

    /**
     * OSF on a linear layer (<a href="https://arxiv.org/abs/2504.07097">2504.07097</a>): {@code y = base(x) + x (U
     * diag(s) V)^T - x (U0 diag(s0) V0)^T}: {@code osf_svd_params.U_low} U [out, k], {@code S_low} s [k], {@code V_low}
     * V [k, in]. Gradients: those of U and V lose their parts along the kept directions, {@code dU - H H^T dU}.
     */
    private static final class OsfLayer extends ChangeLayer {
        private final AdapterTensor u;
        private final AdapterTensor s;
        private final AdapterTensor v;
        /** U0 [out, k], s0 [k], V0 [k, in]; the kept directions [out, h] and [h, in]. */
        private final INDArray[] base;

        OsfLayer(AdapterSetup setup, Slot slot, OsfConfig config, List<INDArray> fixed) {
            super(setup, slot, 0);
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int all = Math.min(in, out);
            int kept = kept(config, slot);
            int rank = all - kept;
            SingularValues values = SingularValues.whole(Arrays.doubles(linear().weight().toFloats()), out,
                    in, all);
            float[] rows = Arrays.floats(values.vt());
            float[] columns = Arrays.floats(values.u());
            this.base = new INDArray[] {Arrays.of(SmallOps.columns(columns, all, kept, all), out, rank),
                Arrays.of(Arrays.floats(java.util.Arrays.copyOfRange(values.s(), kept, all)), rank),
                Arrays.of(java.util.Arrays.copyOfRange(rows, kept * in, all * in), rank, in),
                Arrays.of(SmallOps.columns(columns, all, 0, kept), out, kept),
                Arrays.of(java.util.Arrays.copyOf(rows, kept * in), kept, in)};
            fixed.addAll(List.of(base));
            boolean random = !config.initWeights();
            this.u = tensor(setup, "U_low", random, 0);
            this.s = tensor(setup, "S_low", random, 1);
            this.v = tensor(setup, "V_low", random, 2);
        }

        private AdapterTensor tensor(AdapterSetup setup, String name, boolean random, int part) {
            return setup.tensor(slot(), "osf_svd_params." + name, random ? Initializer.normal(1)
                    : Initializer.copyOf(base[part]), base[part].shape());
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable now = product(tape, kept, guarded(tape, tape.parameter(u.parameter()), base[3], false),
                    tape.parameter(s.parameter()), guarded(tape, tape.parameter(v.parameter()), base[4], true));
            Variable before = product(tape, kept, tape.constant(base[0]), tape.constant(base[1]),
                    tape.constant(base[2]));
            return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, before, -1), now);
        }

        private static Variable product(Tape tape, Variable x, Variable left, Variable middle, Variable right) {
            Variable h = ScaleOps.columns(tape, MatrixOps.product(tape, x, false, right, true), middle);
            return MatrixOps.product(tape, h, false, left, true);
        }

        /** The value as it is; its gradient loses its parts along the kept columns or rows. */
        private static Variable guarded(Tape tape, Variable value, INDArray kept, boolean rows) {
            Kernels kernels = tape.kernels();
            INDArray copy = tape.allocateFloat(value.value().shape());
            kernels.scale(value.value(), 1f, copy, false);
            return tape.record(copy, (out, dy) -> value.addGradient((d, accumulate) -> {
                INDArray parts = rows ? tape.allocateFloat(dy.size(0), kept.size(0))
                        : tape.allocateFloat(kept.size(1), dy.size(1));
                kernels.scale(dy, 1f, d, accumulate);
                if (rows) {
                    kernels.matmul(dy, false, kept, true, parts, 1f, false);
                    kernels.matmul(parts, false, kept, false, d, -1f, true);
                } else {
                    kernels.matmul(kept, true, dy, false, parts, 1f, false);
                    kernels.matmul(kept, false, parts, false, d, -1f, true);
                }
                tape.arena().free(parts);
            }), List.of(value));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(u, s, v);
        }
    }
}
