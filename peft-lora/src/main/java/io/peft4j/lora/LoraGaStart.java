package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Calibration;
import io.peft4j.core.peft.LayerProbe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Begins by LoRA-GA, from the gradients of the base weights; {@link LoraGaConfig} says how. */
record LoraGaStart(LoraGaConfig options) implements LoraBeginning {
    @Override
    public List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets) {
        Calibration data = setup.calibration("init_lora_weights \"lora_ga\"");
        for (LoraTarget target : targets) {
            Linear linear = target.linear();
            Targets.require(2 * target.rank() <= Math.min(linear.inFeatures(), linear.outFeatures()),
                    "init_lora_weights \"lora_ga\" takes twice the rank (" + target.rank() + ") of singular vectors, "
                    + "and the weight at " + target.slot().path() + " is " + linear.outFeatures() + " x "
                    + linear.inFeatures() + "; choose a smaller rank");
        }
        LayerProbe probe = new LayerProbe(setup.base());
        Map<Slot, LoraStart> starts = new HashMap<>();
        LayerGroups.of(targets, target -> (long) target.linear().inFeatures() * target.linear().outFeatures())
                .forEach(group -> {
            Map<Slot, INDArray> gradients = probe.gradients(data.batches(),
                    group.stream().map(LoraTarget::slot).toList());
            try {
                group.forEach(target -> starts.put(target.slot(), start(target, gradients.get(target.slot()),
                        config.scaling(target.rank(), target.alpha()), setup.random())));
            } finally {
                gradients.values().forEach(INDArray::close);
            }
        });
        return targets.stream().map(target -> new LoraTarget(target.slot(), target.rank(), target.alpha(),
                Optional.of(() -> starts.get(target.slot())))).toList();
    }

    private LoraStart start(LoraTarget target, INDArray gradient, double scaling, RandomGenerator random) {
        int rank = target.rank();
        int out = target.linear().outFeatures();
        int in = target.linear().inFeatures();
        float[] values = Arrays.toFloats(gradient);
        double[] matrix = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            matrix[i] = values[i];
        }
        SingularValues parts = decompose(matrix, target, 2 * rank);
        int[] ofA = new int[rank];
        int[] ofB = new int[rank];
        choose(ofA, ofB, random);
        double factor = factor(target, scaling, parts.s()[ofB[0]]);
        double divisor = options.scale() == LoraGaConfig.Scale.GD_SCALE ? scaling : 1;
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

    private static SingularValues decompose(double[] matrix, LoraTarget target, int count) {
        try {
            return SingularValues.of(matrix, target.linear().outFeatures(), target.linear().inFeatures(), count);
        } catch (ArithmeticException e) {
            throw new ConfigurationException("init_lora_weights \"lora_ga\" finds no singular values at "
                    + target.slot().path() + ": " + e.getMessage(), e);
        }
    }

    /** Numbers of singular vectors. */
    private void choose(int[] ofA, int[] ofB, RandomGenerator random) {
        int rank = ofA.length;
        int[] drawn = options.direction() == LoraGaConfig.Direction.RANDOM ? drawn(rank, random) : ofA;
        for (int k = 0; k < rank; k++) {
            switch (options.direction()) {
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

    private double factor(LoraTarget target, double scaling, double firstOfB) {
        return switch (options.scale()) {
            case STABLE -> Math.pow(target.linear().outFeatures(), 0.25) / Math.sqrt(options.stableGamma());
            case WEIGHT_SVD -> firstOfB > 0 ? decompose(Decompositions.values(target.linear().weight()), target, 1)
                    .s()[0] / firstOfB : 1;
            case GD_SCALE -> 1 / scaling;
            case UNIT -> 1;
        };
    }
}
