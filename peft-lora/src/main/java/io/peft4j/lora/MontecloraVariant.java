package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.lora.MontecloraSample.Draw;
import java.util.List;
import org.apache.commons.math3.special.Gamma;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * MonteCLoRA in a layer; {@link Monteclora} has the formulas. Below {@code lora_monteclora_sampler}, trained:
 * {@code std_prior} s [r], {@code expert_weights_prior} p [K]; stored, of the last update's draw:
 * {@code gaussian_var_prior} diag(v) [r, r], {@code expert_weights} w [K].
 */
final class MontecloraVariant implements LoraVariant {
    private final Monteclora config;
    private final AdapterTensor std;
    private final AdapterTensor prior;
    private final AdapterTensor variances;
    private final AdapterTensor weights;

    MontecloraVariant(AdapterSetup setup, Slot slot, Monteclora config, int rank) {
        this.config = config;
        int samples = config.samples();
        float[] unit = new float[rank * rank];
        for (int i = 0; i < unit.length; i += rank + 1) {
            unit[i] = 1;
        }
        Initializer betweenZeroAndOne = (values, random) -> Arrays.write(values, 0,
                Arrays.floats(random.doubles(values.length()).toArray()), 0, (int) values.length());
        this.std = setup.tensor(slot, name("std_prior"), betweenZeroAndOne, rank);
        this.prior = setup.tensor(slot, name("expert_weights_prior"), betweenZeroAndOne, samples);
        this.variances = setup.tensor(slot, name("gaussian_var_prior"), Initializer.values(unit), rank, rank).frozen()
                .inPlaceOfBase();
        this.weights = setup.tensor(slot, name("expert_weights"), Initializer.constant(1.0 / samples), samples)
                .frozen().inPlaceOfBase();
    }

    private static String name(String part) {
        return "lora_monteclora_sampler." + part;
    }

    @Override
    public Variable down(ForwardContext context, Variable x, Variable a) {
        Tape tape = context.tape();
        Draw draw = Draw.of(context.nextDropoutSeed(), config.samples(), (int) std.parameter().length(), a.columns());
        return MatrixOps.product(tape, x, false, perturbed(tape, a, tape.parameter(std.parameter()),
                tape.parameter(prior.parameter()), draw, config.scale()), true);
    }

    /** A with noise on its first r rows, which are all but those of a part of the base. */
    static Variable perturbed(Tape tape, Variable a, Variable std, Variable prior, Draw draw, double scale) {
        MontecloraSample sample = new MontecloraSample(Arrays.toFloats(std.value()), Arrays.toFloats(prior.value()),
                draw);
        float[] noise = sample.noise(scale);
        float[] values = Arrays.toFloats(a.value());
        for (int i = 0; i < noise.length; i++) {
            values[i] += noise[i];
        }
        INDArray y = tape.allocateFloat(a.rows(), a.columns());
        Arrays.write(y, 0, values, 0, values.length);
        return tape.record(y, (out, dy) -> {
            float[] gradient = Arrays.toFloats(dy);
            a.addGradient((da, accumulate) -> HeapRows.write(da, gradient, accumulate));
            std.addGradient((d, accumulate) -> HeapRows.write(d, sample.toStd(noise, gradient), accumulate));
            prior.addGradient((d, accumulate) -> HeapRows.write(d, sample.toPrior(sample.toWeights(gradient, scale)),
                    accumulate));
        }, List.of(a, std, prior));
    }

    @Override
    public double addToGradients(long seed, double factor) {
        float[] s = Arrays.toFloats(std.parameter().value());
        float[] p = Arrays.toFloats(prior.parameter().value());
        MontecloraSample sample = new MontecloraSample(s, p, Draw.of(seed, p.length, s.length, 0));
        float[] diagonal = new float[s.length * s.length];
        for (int o = 0; o < s.length; o++) {
            diagonal[o * (s.length + 1)] = (float) sample.variances()[o];
        }
        Arrays.write(variances.parameter().value(), 0, diagonal, 0, diagonal.length);
        Arrays.write(weights.parameter().value(), 0, Arrays.floats(sample.weights()), 0, p.length);
        Term term = term(config, s, p, sample, factor);
        HeapRows.write(std.parameter().gradient(), term.ofStd(), true);
        HeapRows.write(prior.parameter().gradient(), term.ofPrior(), true);
        return term.value();
    }

    /** A term of the loss and its gradients. */
    record Term(double value, double[] ofStd, double[] ofPrior) {
    }

    /** What a layer adds to the loss, times a factor. */
    static Term term(Monteclora config, float[] s, float[] p, MontecloraSample sample, double factor) {
        double kl = factor * config.divergence();
        double entropy = config.entropy() ? factor : 0;
        int samples = p.length;
        double value = 0;
        double[] ofStd = new double[s.length];
        for (int o = 0; o < s.length; o++) {
            double own = Math.exp(2.0 * s[o]);
            double v = sample.variances()[o];
            value += kl / 2 * (s.length * (own - 2.0 * s[o] - 1) + samples * (v - Math.log(v) - 1));
            ofStd[o] = kl * (s.length * (own - 1) + samples / 2.0 * (v - 1) * sample.slopes()[o]);
        }
        double sum = 0;
        for (float each : p) {
            sum += Math.exp(each);
        }
        double[] ofWeights = new double[samples];
        for (int n = 0; n < samples; n++) {
            value += entropy * sample.weights()[n] * sample.weights()[n];
            ofWeights[n] = 2 * entropy * sample.weights()[n];
        }
        double[] ofPrior = sample.toPrior(ofWeights);
        value += kl * (Gamma.logGamma(sum) - Gamma.logGamma(samples * config.prior()));
        for (int n = 0; n < samples; n++) {
            double a = Math.exp(p[n]);
            double above = a - config.prior();
            value += kl * (Gamma.logGamma(a) - Gamma.logGamma(config.prior())
                    + above * (Gamma.digamma(a) - Gamma.digamma(sum)));
            ofPrior[n] += kl * a * (2 * Gamma.digamma(a) + above * Gamma.trigamma(a)
                    - (sum - samples * config.prior()) * Gamma.trigamma(sum));
        }
        return new Term(value, ofStd, ofPrior);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(std, prior, variances, weights);
    }
}
