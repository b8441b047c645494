package io.peft4j.dl4j;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.methods.Ia3Config;
import java.util.List;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** IA3 on networks of DeepLearning4J; without {@code feedforward_modules} all targets have factors for outputs. */
final class Ia3OnNetworks implements NetworkMethod<Ia3Config> {
    @Override
    public Class<Ia3Config> config() {
        return Ia3Config.class;
    }

    @Override
    public void check(Ia3Config config, List<String> paths, boolean stored) {
        Checks.require(!config.fanInFanOut(), "fan_in_fan_out does not work on networks of DeepLearning4J, which "
                + "store weights in one way; leave it out");
    }

    @Override
    public WeightUpdate change(Ia3Config config, String path, Weight weight) {
        Initializer first = config.initWeights() ? Initializer.ONES : Initializer.normal(1);
        return new Ia3Change(weight, isFeedforward(config.feedforwardModules(), path), first);
    }

    /** The end of the path may be within one of its parts, as in Hugging Face PEFT. */
    private static boolean isFeedforward(TargetModules names, String path) {
        return names.text().isPresent() ? names.matches("feedforward_modules", path)
                : names.names().orElse(List.of()).stream().anyMatch(path::endsWith);
    }

    /**
     * IA3: a factor l for each output, {@code W'[i, j] = W[i, j] l[j]} and {@code b'[j] = b[j] l[j]}, or for each
     * input, {@code W'[i, j] = W[i, j] l[i]}; of a convolution for each channel. Gradients: the sums of {@code W dW'}
     * (and {@code b db'}) over what one factor multiplies. The bias of a recurrent layer belongs to two weights and is
     * left.
     */
    private static final class Ia3Change implements WeightUpdate {
        private final boolean ofInputs;
        private final Tensor factors;
        private final Initializer first;

        Ia3Change(Weight weight, boolean ofInputs, Initializer first) {
            this.ofInputs = ofInputs;
            this.first = first;
            long length = ofInputs ? weight.inputs() : weight.outputs();
            boolean column = !ofInputs && weight.kernel().isEmpty();
            this.factors = new Tensor("ia3_l", "ia3", 0, length,
                    column ? weight.fileShape(length, 1, false) : weight.fileShape(1, length, false));
        }

        @Override
        public List<Tensor> tensors() {
            return List.of(factors);
        }

        @Override
        public void begin(AdaptedWeight weight, RandomGenerator random) {
            LoraChange.fill(weight.value(factors), first, random);
        }

        @Override
        public void apply(AdaptedWeight weight) {
            INDArray l = weight.value(factors);
            if (ofInputs) {
                long positions = weight.weight().positions();
                weight.changed().scaleInputs(positions == 1 ? l : l.reshape(l.length(), 1).repeat(1, positions));
            } else {
                weight.changed().scaleOutputs(l);
                weight.changedBias().ifPresent(bias -> bias.muli(l.reshape(bias.shape())));
            }
        }

        @Override
        public void backward(AdaptedWeight weight) {
            INDArray dl = weight.gradientOf(factors);
            if (ofInputs) {
                long positions = weight.weight().positions();
                INDArray sums = weight.frozen().sumOverOutputs(weight.gradient());
                dl.assign(positions == 1 ? sums : sums.reshape('c', dl.length(), positions).sum(1));
            } else {
                dl.assign(weight.frozen().sumOverInputs(weight.gradient()));
                weight.frozenBias().ifPresent(bias -> dl.addi(bias.mul(weight.biasGradient().orElseThrow()
                        .reshape(bias.shape())).reshape(dl.length())));
            }
        }
    }
}
