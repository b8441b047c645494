package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** P-tuning; {@link PTuningConfig} says what it computes. */
@Internal
public final class PTuningMethod extends ConfiguredMethod<PTuningConfig> {
    @Override
    protected Adapter adapter(PTuningConfig config, AdapterSetup setup) {
        VirtualTokens tokens = setup.network() instanceof EncoderDecoderNetwork
                ? TokenSizes.ofSource(config.virtualTokens(), setup)
                : TokenSizes.ofPrompt(config.virtualTokens(), setup);
        PTuningConfig resolved = config.toBuilder().virtualTokens(tokens)
                .hiddenSize(config.hiddenSize() == 0 ? tokens.tokenDim() : config.hiddenSize()).build();
        VirtualSource source = VirtualSource.network(setup, () -> new PromptEncoder(setup, resolved).network(),
                tokens.rows(), tokens.tokenDim());
        return PromptTuningMethod.prompt(setup.isRestoring() ? config : resolved, setup, tokens, source);
    }

    /**
     * The network of {@link PTuningConfig}: from a table {@code embedding.weight} [tokens, H] to virtual tokens of the
     * same shape. Tensors are called as Hugging Face PEFT's module has them.
     */
    private static final class PromptEncoder {
        private static final String[] LSTM_PARTS = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

        private final AdapterSetup setup;
        private final PTuningConfig config;
        private final Map<String, AdapterTensor> tensors = new LinkedHashMap<>();

        PromptEncoder(AdapterSetup setup, PTuningConfig config) {
            this.setup = setup;
            this.config = config;
            int dim = config.virtualTokens().tokenDim();
            int width = config.hiddenSize();
            add("embedding.weight", Initializer.normal(1), config.virtualTokens().rows(), dim);
            if (config.encoder() == PTuningConfig.Encoder.MLP) {
                linear(0, dim, width);
                linear(2, width, width);
                linear(4, width, dim);
            } else {
                for (int layer = 0; layer < config.layers(); layer++) {
                    lstm(layer, layer == 0 ? dim : 2L * width, width);
                }
                linear(0, 2L * width, 2L * width);
                linear(2, 2L * width, dim);
            }
        }

        private void add(String name, Initializer start, long... shape) {
            tensors.put(name, setup.trainingTensor(name, start, shape));
        }

        private void linear(int index, long in, long out) {
            add("mlp_head." + index + ".weight", Initializer.linear(in), out, in);
            add("mlp_head." + index + ".bias", Initializer.linear(in), out);
        }

        private void lstm(int layer, long in, long width) {
            for (String direction : new String[] {"", "_reverse"}) {
                long[][] shapes = {{4 * width, in}, {4 * width, width}, {4 * width}, {4 * width}};
                for (int i = 0; i < shapes.length; i++) {
                    add(lstmName(i, layer, direction), Initializer.linear(width), shapes[i]);
                }
            }
        }

        private static String lstmName(int part, int layer, String direction) {
            return "lstm_head." + LSTM_PARTS[part] + "_l" + layer + direction;
        }

        VirtualSource.Network network() {
            List<AdapterTensor> all = new ArrayList<>(tensors.values());
            VirtualTokens tokens = config.virtualTokens();
            return new VirtualSource.Network(all, this::columns, tokens.rows(), tokens.tokenDim());
        }

        private Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to) {
            Variable x = get(tape, "embedding.weight");
            int last = 4;
            if (config.encoder() == PTuningConfig.Encoder.LSTM) {
                for (int layer = 0; layer < config.layers(); layer++) {
                    x = Lstm.run(tape, layer == 0 ? x : dropout(tape, x, context), direction(tape, layer, ""),
                            direction(tape, layer, "_reverse"));
                }
                last = 2;
            }
            for (int index = 0; index < last; index += 2) {
                x = SmallOps.relu(tape,
                        SmallOps.linear(tape, x, head(tape, index, "weight"), head(tape, index, "bias")));
            }
            return SmallOps.linear(tape, x, head(tape, last, "weight"), head(tape, last, "bias"), from, to);
        }

        private Variable dropout(Tape tape, Variable x, Optional<ForwardContext> context) {
            boolean drops = config.dropout() > 0 && context.isPresent() && context.get().isTraining();
            return drops ? ElementwiseOps.dropout(tape, x, (float) config.dropout(), context.get().nextDropoutSeed())
                    : x;
        }

        private Lstm.Direction direction(Tape tape, int layer, String direction) {
            return new Lstm.Direction(get(tape, lstmName(0, layer, direction)),
                    get(tape, lstmName(1, layer, direction)),
                    get(tape, lstmName(2, layer, direction)), get(tape, lstmName(3, layer, direction)));
        }

        private Variable head(Tape tape, int index, String part) {
            return get(tape, "mlp_head." + index + "." + part);
        }

        private Variable get(Tape tape, String name) {
            return tape.parameter(tensors.get(name).parameter());
        }
    }
}
