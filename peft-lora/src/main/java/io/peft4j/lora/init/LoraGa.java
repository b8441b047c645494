package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.LayerProbe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA-GA (<a href="https://arxiv.org/abs/2407.05000">2407.05000</a>): A and B begin with singular vectors of the
 * gradient of the base weight, so that the first steps move the weight as full fine-tuning would. Needs data.
 *
 * @param direction {@code direction}: which of the 2r largest go where; default {@link Direction#A_FIRST}
 * @param scale {@code scale}: how large B begins; default {@link Scale#STABLE}
 * @param stableGamma {@code stable_gamma}: gamma of {@link Scale#STABLE}; default 16
 */
@Internal
public record LoraGa(@Key(value = "direction", fallback = "\"ArB2r\"") Direction direction,
        @Key(value = "scale", fallback = "\"stable\"") Scale scale,
        @Key(value = "stable_gamma", fallback = "16") int stableGamma) implements LoraInit.WithOptions {
    /** Which singular vectors A and B take. */
    public enum Direction {
        /** B the first, third, ..., A the second, fourth, ... */
        @KeyFormat.Named("\"ArBr\"")
        ALTERNATING,
        /** B the first r, A the next r. */
        @KeyFormat.Named("\"A2rBr\"")
        B_FIRST,
        /** A the first r, B the next r; the default. */
        @KeyFormat.Named("\"ArB2r\"")
        A_FIRST,
        /** Both the same r, drawn at random. */
        @KeyFormat.Named("\"random\"")
        RANDOM
    }

    /** How large B begins. */
    public enum Scale {
        /** B times {@code out^(1/4) / sqrt(gamma)}; the default. */
        @KeyFormat.Named("\"stable\"")
        STABLE,
        /** B times the largest singular value of the weight over the first that B took. */
        @KeyFormat.Named("\"weight_svd\"")
        WEIGHT_SVD,
        /** A and B divided by the adapter's scaling. */
        @KeyFormat.Named("\"gd_scale\"")
        GD_SCALE,
        /** As they are. */
        @KeyFormat.Named("\"unit\"")
        UNIT
    }

    /**
     * Checks gamma.
     *
     * @throws io.peft4j.core.error.ConfigurationException when gamma is below 1
     */
    public LoraGa {
        Checks.atLeast(1, "stable_gamma", stableGamma);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, LoraGa.class);
    }

    @Override
    public String json() {
        return "\"lora_ga\"";
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
        CalibrationBatches data = setup.calibration("init_lora_weights " + json());
        targets.forEach(target -> target.requireRank(this, 2 * target.rank()));
        LayerProbe probe = new LayerProbe(setup.base());
        Map<Slot, LoraStart> starts = new HashMap<>();
        LayerGroups.of(targets, target -> (long) target.linear().inFeatures() * target.linear().outFeatures())
                .forEach(group -> {
                    Map<Slot, INDArray> gradients = probe.gradients(data.batches(),
                            group.stream().map(LoraTarget::slot).toList());
                    try {
                        group.forEach(target -> starts.put(target.slot(), start(target, gradients.get(target.slot()),
                                setup.random())));
                    } finally {
                        gradients.values().forEach(INDArray::close);
                    }
                });
        return LoraTarget.each(targets, target -> starts.get(target.slot()));
    }

    private LoraStart start(LoraTarget target, INDArray gradient, RandomGenerator random) {
        int rank = target.rank();
        int out = target.linear().outFeatures();
        int in = target.linear().inFeatures();
        SingularValues parts = target.decompose(this, Arrays.doubles(Arrays.toFloats(gradient)), 2 * rank);
        int[] ofA = new int[rank];
        int[] ofB = new int[rank];
        choose(ofA, ofB, random);
        double factor = factor(target, parts.s()[ofB[0]]);
        double divisor = scale == Scale.GD_SCALE ? target.scaling() : 1;
        float[] a = new float[rank * in];
        float[] b = new float[out * rank];
        for (int k = 0; k < rank; k++) {
            for (int j = 0; j < in; j++) {
                a[k * in + j] = (float) (parts.vt()[ofA[k] * in + j] / divisor);
            }
            for (int i = 0; i < out; i++) {
                b[i * rank + k] = (float) (factor * parts.s()[ofB[k]] * parts.u()[i * 2 * rank + ofB[k]]);
            }
        }
        return new LoraStart(a, b, true);
    }

    /** Numbers of singular vectors. */
    private void choose(int[] ofA, int[] ofB, RandomGenerator random) {
        int rank = ofA.length;
        int[] drawn = direction == Direction.RANDOM ? drawn(rank, random) : ofA;
        for (int k = 0; k < rank; k++) {
            switch (direction) {
                case ALTERNATING -> {
                    ofA[k] = 2 * k + 1;
                    ofB[k] = 2 * k;
                }
                case B_FIRST -> {
                    ofA[k] = rank + k;
                    ofB[k] = k;
                }
                case A_FIRST -> {
                    ofA[k] = k;
                    ofB[k] = rank + k;
                }
                default -> {
                    ofA[k] = drawn[k];
                    ofB[k] = drawn[k];
                }
            }
        }
    }

    /** r different numbers below 2r. */
    private static int[] drawn(int rank, RandomGenerator random) {
        int[] all = new int[2 * rank];
        for (int i = 0; i < all.length; i++) {
            int other = random.nextInt(i + 1);
            all[i] = all[other];
            all[other] = i;
        }
        return java.util.Arrays.copyOf(all, rank);
    }

    private double factor(LoraTarget target, double firstOfB) {
        return switch (scale) {
            case STABLE -> Math.pow(target.linear().outFeatures(), 0.25) / Math.sqrt(stableGamma);
            case WEIGHT_SVD -> firstOfB > 0 ? target.decompose(this,
                    Decompositions.values(target.linear().weight()), 1).s()[0] / firstOfB : 1;
            case GD_SCALE -> 1 / target.scaling();
            case UNIT -> 1;
        };
    }

    /** Builds {@link LoraGa}, which says what each value means. */
    public interface Builder extends ConfigBuilder<LoraGa> {
        /** Which of the 2r largest go where; default {@link Direction#A_FIRST}. */
        Builder direction(Direction value);

        /** How large B begins; default {@link Scale#STABLE}. */
        Builder scale(Scale value);

        /** Gamma of {@link Scale#STABLE}; default 16. */
        Builder stableGamma(int value);
    }
}
