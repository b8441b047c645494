package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
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
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** BEFT; {@link BeftConfig} says what it computes. */
@Internal
public final class BeftMethod extends ConfiguredMethod<BeftConfig> {
    private static final ModelDefaults TARGETS = new ModelDefaults()
            .and(List.of("v_proj"), "opt", "gptj", "gpt_neo", "bart", "llama", "llama4", "mistral", "mixtral", "phi",
                    "gemma", "gemma2", "gemma3_text", "qwen2", "qwen3")
            .and(List.of("value"), "bert", "roberta").and(List.of("v"), "t5", "mt5")
            .and(List.of("value_proj"), "deberta-v2");

    @Override
    protected Adapter adapter(BeftConfig config, AdapterSetup setup) {
        List<String> defaults = TARGETS.of(setup);
        return Targets.of(config.placement(), setup, defaults, Linear.class::isInstance).adapter(config,
                slot -> new OutputBias(setup, slot, "beft_bias", config.initWeights() ? Initializer.ZEROS
                        : Initializer.normal(1), 1, ((Linear) slot.layer()).outFeatures()));
    }

    /**
     * BEFT on a linear layer (<a href="https://arxiv.org/abs/2509.15974">2509.15974</a>): {@code y = base(x) + b}, b
     * [1, out]. {@code out} parameters.
     *
     * <p>Merged where the base has a bias: its sum with b.
     */
    static final class OutputBias extends AbstractAdapterLayer {
        private final AdapterTensor bias;

        OutputBias(AdapterSetup setup, Slot slot, String name, Initializer start, long... shape) {
            super(slot);
            this.bias = setup.tensor(slot, name, start, shape);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            return MatrixOps.addBias(tape, base.forward(context, x), tape.parameter(bias.parameter()));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(bias);
        }

        @Override
        public Optional<String> mergeObstacle() {
            return linear().bias().isPresent() ? Optional.empty()
                    : Optional.of("the base layer has no bias to merge into");
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            INDArray sum = copy.bias().orElseThrow();
            float[] values = Arrays.toFloats(sum);
            float[] added = Arrays.toFloats(bias.parameter().value());
            for (int i = 0; i < values.length; i++) {
                values[i] += added[i];
            }
            Arrays.write(sum, 0, values, 0, values.length);
        }
    }
}
