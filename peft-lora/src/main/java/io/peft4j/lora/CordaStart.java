package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.LayerProbe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Begins by CorDA. C [in, in] is the mean over the examples of {@code X^T X}, X being the inputs of the layer divided
 * by their largest value, and 1 % of the mean of its diagonal is added to the diagonal. With {@code W C = U S V^T} the
 * r parts that the mode chooses give {@code s B A = U S V^T C^-1}, shared between B and A by the root of S.
 */
record CordaStart(CordaConfig options) implements LoraBeginning {
    private static final double DAMPING = 0.01;

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets) {
        for (LoraTarget target : targets) {
            Linear linear = target.linear();
            Targets.require(target.rank() <= Math.min(linear.inFeatures(), linear.outFeatures()),
                    "init_lora_weights \"corda\" cannot make rank " + target.rank() + " from the weight of "
                    + linear.outFeatures() + " x " + linear.inFeatures() + " at " + target.slot().path()
                    + "; choose a smaller rank");
            Targets.require(config.scaling(target.rank(), target.alpha()) > 0,
                    "init_lora_weights \"corda\" needs an alpha above 0");
        }
        Map<Slot, Parts> parts = new HashMap<>();
        CordaFile cache = new CordaFile("cache_file", options.cacheFile());
        if (cache.exists()) {
            targets.forEach(target -> parts.put(target.slot(), Parts.read(cache, target)));
        } else {
            decompose(setup, targets, parts);
            targets.forEach(target -> parts.get(target.slot()).write(cache, target));
            cache.save();
        }
        return targets.stream().map(target -> new LoraTarget(target.slot(), target.rank(), target.alpha(),
                Optional.of(() -> parts.get(target.slot()).start(
                        config.scaling(target.rank(), target.alpha()))))).toList();
    }

    private void decompose(AdapterSetup setup, List<LoraTarget> targets, Map<Slot, Parts> parts) {
        CordaFile file = new CordaFile("covariance_file", options.covarianceFile());
        boolean stored = file.exists();
        LayerGroups.of(targets, target -> (long) target.linear().inFeatures() * target.linear().inFeatures())
                .forEach(group -> {
            Map<Slot, double[]> covariances = new HashMap<>();
            if (stored) {
                group.forEach(target -> covariances.put(target.slot(), file.read(target.slot().path(),
                        target.linear().inFeatures(), target.linear().inFeatures())));
            } else {
                covariances.putAll(covariances(setup, group));
                group.forEach(target -> file.put(target.slot().path(), covariances.get(target.slot()),
                        target.linear().inFeatures(), target.linear().inFeatures()));
            }
            group.forEach(target -> parts.put(target.slot(), parts(target, covariances.get(target.slot()))));
        });
        if (!stored) {
            file.save();
        }
    }

    /** Layers with the same input share the array. */
    private static Map<Slot, double[]> covariances(AdapterSetup setup, List<LoraTarget> group) {
        List<TokenSequence> examples = new ArrayList<>();
        setup.calibration("init_lora_weights \"corda\"").batches().forEach(examples::addAll);
        LayerProbe probe = new LayerProbe(setup.base());
        Map<Slot, double[]> sums = new LinkedHashMap<>();
        Map<Slot, Integer> widths = new HashMap<>();
        group.forEach(target -> widths.put(target.slot(), target.linear().inFeatures()));
        for (TokenSequence example : examples) {
            Variable[] last = new Variable[1];
            double[][] sum = new double[1][];
            probe.inputs(List.of(example), widths.keySet(), (slot, x) -> {
                if (x != last[0]) {
                    sum[0] = sums.computeIfAbsent(slot, first -> new double[widths.get(slot) * widths.get(slot)]);
                    add(x, slot, 1.0 / examples.size(), sum[0]);
                    last[0] = x;
                }
                sums.put(slot, sum[0]);
            });
        }
        return sums;
    }

    private static void add(Variable x, Slot slot, double share, double[] sum) {
        float[] values = Arrays.toFloats(x.value());
        double[] rows = new double[values.length];
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < values.length; i++) {
            rows[i] = values[i];
            largest = Math.max(largest, values[i]);
        }
        if (!Float.isFinite(largest) || largest == 0) {
            throw new ConfigurationException("init_lora_weights \"corda\": the input of " + slot.path()
                    + " has no finite largest value other than 0; check the data");
        }
        DenseMath.addGram(rows, x.rows(), x.columns(), share / ((double) largest * largest), sum);
    }

    private Parts parts(LoraTarget target, double[] covariance) {
        int out = target.linear().outFeatures();
        int in = target.linear().inFeatures();
        int rank = target.rank();
        double[] damped = covariance.clone();
        double trace = 0;
        for (int i = 0; i < in; i++) {
            trace += covariance[i * in + i];
        }
        for (int i = 0; i < in; i++) {
            damped[i * in + i] += DAMPING * trace / in;
        }
        try {
            boolean last = options.mode() == CordaConfig.Mode.KPM;
            int all = Math.min(in, out);
            SingularValues values = SingularValues.of(DenseMath.product(Decompositions.values(target.linear().weight()),
                    out, in, damped, in), out, in, last ? all : rank);
            int width = last ? all : rank;
            int first = last ? all - rank : 0;
            double[] u = new double[out * rank];
            for (int i = 0; i < out; i++) {
                System.arraycopy(values.u(), i * width + first, u, i * rank, rank);
            }
            double[] vt = java.util.Arrays.copyOfRange(values.vt(), first * in, (first + rank) * in);
            return new Parts(u, java.util.Arrays.copyOfRange(values.s(), first, first + rank),
                    DenseMath.divide(vt, rank, damped, in));
        } catch (ArithmeticException e) {
            throw new ConfigurationException("init_lora_weights \"corda\" cannot decompose the weight at "
                    + target.slot().path() + ": " + e.getMessage(), e);
        }
    }

    /**
     * What is kept of a layer.
     *
     * @param u [out, r]
     * @param s [r]
     * @param vt {@code V^T C^-1} [r, in]
     */
    private record Parts(double[] u, double[] s, double[] vt) {
        private static final String NAME = ".eigens.";

        LoraStart start(double scaling) {
            int rank = s.length;
            float[] a = new float[vt.length];
            float[] b = new float[u.length];
            for (int i = 0; i < a.length; i++) {
                a[i] = (float) (vt[i] * Math.sqrt(s[i / (a.length / rank)] / scaling));
            }
            for (int i = 0; i < b.length; i++) {
                b[i] = (float) (u[i] * Math.sqrt(s[i % rank] / scaling));
            }
            return new LoraStart(a, b, true);
        }

        void write(CordaFile file, LoraTarget target) {
            String path = target.slot().path() + NAME;
            file.put(path + "S_WC", s, s.length);
            file.put(path + "U_WC", u, u.length / s.length, s.length);
            int in = vt.length / s.length;
            file.put(path + "V_WC", WeightedCombination.transpose(vt, s.length, in), in, s.length);
        }

        static Parts read(CordaFile file, LoraTarget target) {
            String path = target.slot().path() + NAME;
            int rank = target.rank();
            int in = target.linear().inFeatures();
            return new Parts(file.read(path + "U_WC", target.linear().outFeatures(), rank),
                    file.read(path + "S_WC", rank),
                    WeightedCombination.transpose(file.read(path + "V_WC", in, rank), in, rank));
        }
    }
}
