package io.peft4j.lora;

import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;

/** Begins by LoftQ; {@link LoftQConfig} says how. As in Hugging Face PEFT, the adapter's scaling is not divided out. */
record LoftQStart(LoftQConfig options) implements LoraBeginning {
    @Override
    public List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets) {
        return targets.stream().map(target -> target.startingWith(() -> start(target, setup.isRestoring()))).toList();
    }

    /**
     * The first values.
     *
     * @param stored whether A and B come from a file, so that only Q is wanted
     */
    private LoraStart start(LoraTarget target, boolean stored) {
        FrozenWeight weight = target.linear().weight();
        int out = weight.rows();
        int in = weight.columns();
        int rank = target.rank();
        if (weight.isQuantized()) {
            throw new ConfigurationException("init_lora_weights \"loftq\" quantizes the base weight, and the one at "
                    + target.slot().path() + " is quantized already; load the model in f32 or bf16");
        }
        Targets.require(rank <= Math.min(in, out), "init_lora_weights \"loftq\" cannot make rank " + rank
                + " from a weight of " + out + " x " + in + "; choose a smaller rank");
        double[] w = Decompositions.values(weight);
        double[] remaining = w.clone();
        float[] quantized = new float[0];
        float[] a = new float[rank * in];
        float[] b = new float[out * rank];
        for (int i = 0; i < options.iterations(); i++) {
            quantized = options.bits() == 4 ? RoundedWeights.nf4(remaining) : RoundedWeights.int8(remaining, in);
            boolean last = i + 1 == options.iterations();
            if (!last || !stored) {
                share(decompose(difference(w, quantized), out, in, rank, target), a, b, rank, in);
                for (int j = 0; j < w.length; j++) {
                    remaining[j] = w[j] - product(b, a, j, rank, in);
                }
            }
        }
        return LoraStart.onWeight(a, b, quantized);
    }

    private static double[] difference(double[] w, float[] quantized) {
        double[] difference = new double[w.length];
        for (int i = 0; i < w.length; i++) {
            difference[i] = w[i] - quantized[i];
        }
        return difference;
    }

    private static SingularValues decompose(double[] lost, int out, int in, int rank, LoraTarget target) {
        try {
            return SingularValues.of(lost, out, in, rank);
        } catch (ArithmeticException e) {
            throw new ConfigurationException("init_lora_weights \"loftq\" finds no singular values at "
                    + target.slot().path() + ": " + e.getMessage(), e);
        }
    }

    private static void share(SingularValues parts, float[] a, float[] b, int rank, int in) {
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) (parts.vt()[i] * Math.sqrt(parts.s()[i / in]));
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) (parts.u()[i] * Math.sqrt(parts.s()[i % rank]));
        }
    }

    private static double product(float[] b, float[] a, int element, int rank, int in) {
        double sum = 0;
        for (int k = 0; k < rank; k++) {
            sum += (double) b[element / in * rank + k] * a[k * in + element % in];
        }
        return sum;
    }
}
