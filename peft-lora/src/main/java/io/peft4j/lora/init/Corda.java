package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.UnusedKey;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.LayerProbe;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * CorDA (<a href="https://arxiv.org/abs/2406.05223">2406.05223</a>): A and B begin with a part of the base weight,
 * chosen by the covariance of the layer's inputs. C [in, in] is the mean over the examples of {@code X^T X}, X being
 * the inputs of the layer divided by their largest value, and 1 % of the mean of its diagonal is added to the
 * diagonal. With {@code W C = U S V^T} the r parts that the mode chooses give {@code s B A = U S V^T C^-1}, shared
 * between B and A by the root of S. Needs data.
 *
 * @param mode {@code corda_method}: which part; default {@link Mode#IPM}
 * @param covarianceFile {@code covariance_file}: a safetensors file that covariances are kept in; read where it
 *     exists, else written; default none
 * @param cacheFile {@code cache_file}: the same for the decomposition; where it exists, no data is needed; default none
 * @param verbose {@code verbose}: without effect, progress goes to the log; default false
 * @param pruneTemporaryFields {@code prune_temporary_fields}: without effect, nothing is left behind; default true
 */
@UnusedKey(value = "use_float16_for_covariance", fallback = "false",
        feature = "a covariance in half precision (here they are summed in double)")
@Internal
public record Corda(@Key(value = "corda_method", fallback = "\"ipm\"") Mode mode,
        @Key("covariance_file") Optional<String> covarianceFile, @Key("cache_file") Optional<String> cacheFile,
        @Key("verbose") boolean verbose,
        @Key(value = "prune_temporary_fields", fallback = "true") boolean pruneTemporaryFields)
        implements
            LoraInit.WithOptions {
    private static final double DAMPING = 0.01;

    /** Which part of the base weight is trained. */
    public enum Mode {
        /** What matters most for the data: instruction-previewed mode. */
        @KeyFormat.Named("\"ipm\"")
        IPM,
        /** What matters least for the data, which then is of knowledge to be kept: knowledge-preserved mode. */
        @KeyFormat.Named("\"kpm\"")
        KPM
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, Corda.class);
    }

    @Override
    public String json() {
        return "\"corda\"";
    }

    @Override
    public BasePart basePart() {
        return BasePart.UNREPEATABLE;
    }

    @Override
    public boolean needsCalibration() {
        return true;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        for (LoraTarget target : targets) {
            target.requireRank(this, target.rank());
            target.requirePositive(this);
        }
        Map<Slot, Parts> parts = new HashMap<>();
        CordaFile cache = new CordaFile("cache_file", cacheFile);
        if (cache.exists()) {
            targets.forEach(target -> parts.put(target.slot(), Parts.read(cache, target)));
        } else {
            decompose(setup, targets, parts);
            targets.forEach(target -> parts.get(target.slot()).write(cache, target));
            cache.save();
        }
        return LoraTarget.each(targets, target -> parts.get(target.slot()).start(target.scaling()));
    }

    private void decompose(AdapterSetup setup, List<LoraTarget> targets, Map<Slot, Parts> parts) {
        CordaFile file = new CordaFile("covariance_file", covarianceFile);
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
            boolean last = mode == Mode.KPM;
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
            return LoraStart.shared(u, s, vt, scaling, true, new float[0]);
        }

        void write(CordaFile file, LoraTarget target) {
            String path = target.slot().path() + NAME;
            file.put(path + "S_WC", s, s.length);
            file.put(path + "U_WC", u, u.length / s.length, s.length);
            int in = vt.length / s.length;
            file.put(path + "V_WC", Decompositions.transpose(vt, s.length, in), in, s.length);
        }

        static Parts read(CordaFile file, LoraTarget target) {
            String path = target.slot().path() + NAME;
            int rank = target.rank();
            int in = target.linear().inFeatures();
            return new Parts(file.read(path + "U_WC", target.linear().outFeatures(), rank),
                    file.read(path + "S_WC", rank),
                    Decompositions.transpose(file.read(path + "V_WC", in, rank), in, rank));
        }
    }

    /** Builds {@link Corda}, which says what each value means. */
    public interface Builder extends ConfigBuilder<Corda> {
        /** Which part; default {@link Mode#IPM}. */
        Builder mode(Mode value);

        /** A file that covariances are kept in; default none. */
        Builder covarianceFile(Optional<String> value);

        /** A file that the decomposition is kept in; default none. */
        Builder cacheFile(Optional<String> value);
    }

    /**
     * A safetensors file in which something that took long is kept for the next time, by the names that Hugging Face
     * PEFT has in its own files. Those are written by PyTorch and cannot be read here. Where no file is wanted, nothing
     * is kept.
     */
    private static final class CordaFile {
        private final String key;
        private final Optional<Path> path;
        private final Map<String, TensorData> kept = new LinkedHashMap<>();

        /** The file that a key of the configuration names. */
        CordaFile(String key, Optional<String> path) {
            this.key = key;
            this.path = path.map(Path::of);
        }

        boolean exists() {
            return path.isPresent() && Files.exists(path.get());
        }

        void put(String name, double[] values, long... shape) {
            if (path.isPresent()) {
                kept.put(name, TensorData.f32(shape, Arrays.floats(values)));
            }
        }

        /**
         * Reads a tensor.
         *
         * @throws ConfigurationException when it is not there in this shape
         * @throws io.peft4j.core.error.FileFormatException when the file is not a safetensors file
         */
        double[] read(String name, long... shape) {
            try (SafetensorsFile file = SafetensorsFile.open(path.orElseThrow())) {
                if (!file.names().contains(name) || !java.util.Arrays.equals(file.shape(name), shape)) {
                    throw new ConfigurationException(
                            "corda_config: " + key + " " + path.get() + " has no tensor " + name
                                    + " " + java.util.Arrays.toString(shape)
                                    + "; it was made for another model, rank or choice of layers. Delete it, or "
                                    + "use another file");
                }
                return Arrays.doubles(file.readFloats(name));
            }
        }

        /** Writes what was put. */
        void save() {
            path.ifPresent(file -> SafetensorsWriter.write(file, kept));
        }
    }
}
