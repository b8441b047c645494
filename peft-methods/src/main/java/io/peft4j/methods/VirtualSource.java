package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.safetensors.TensorData;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the values of virtual tokens come from, [tokens, features]: a table, or a network that computes them from a
 * smaller one while they are trained. Either way the file holds {@value #KEY}, a table.
 */
interface VirtualSource {
    /** The key in the file. */
    String KEY = "prompt_embeddings";

    List<AdapterTensor> tensors();

    /** The columns from {@code from} to {@code to} of all tokens, FLOAT, with dropout where a context is training. */
    Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to);

    /**
     * Embeddings y [N, features] of a batch with the tokens in the rows that stand for them.
     *
     * @param numbers the number of each row's token; -1 where it has none
     */
    default Variable put(ForwardContext context, Variable y, int[] numbers) {
        return RowOps.replaceRows(context.tape(), y, columns(context.tape(), Optional.of(context), 0, y.columns()),
                numbers, Set.of());
    }

    /** What is saved beside {@link #tensors}; default nothing. */
    default Map<String, TensorData> computedTensors(Engine engine) {
        return Map.of();
    }

    /** What is done in a training; default nothing. */
    default TrainingHook training() {
        return TrainingHook.NONE;
    }

    /** A table that is trained itself. */
    static VirtualSource table(AdapterSetup setup, Initializer start, int tokens, int features) {
        return table(setup.sharedTensor(KEY, start, tokens, features));
    }

    private static VirtualSource table(AdapterTensor table) {
        return new VirtualSource() {
            @Override
            public List<AdapterTensor> tensors() {
                return List.of(table);
            }

            @Override
            public Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to) {
                Variable all = tape.parameter(table.parameter());
                return from == 0 && to == all.columns() ? all : SmallOps.columns(tape, all, from, to, row -> false);
            }
        };
    }

    /** Computes tokens by a network. */
    @FunctionalInterface
    interface Encoder {
        /** As {@link VirtualSource#columns}. */
        Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to);
    }

    record Network(List<AdapterTensor> tensors, Encoder encoder, int tokens, int features) implements VirtualSource {
        @Override
        public Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to) {
            return encoder.columns(tape, context, from, to);
        }

        @Override
        public Map<String, TensorData> computedTensors(Engine engine) {
            return Map.of(KEY, TensorData.f32(new long[] {tokens, features}, values(engine)));
        }

        private float[] values(Engine engine) {
            return engine.evaluate(tape -> Arrays.toFloats(
                    encoder.columns(tape, Optional.empty(), 0, features).value()));
        }

        /** Whether it computes a table, but for the rounding of another implementation. */
        private boolean computes(AdapterTensor table, Engine engine) {
            float[] ours = values(engine);
            float[] theirs = Arrays.toFloats(table.parameter().value());
            double difference = 0;
            double size = Double.MIN_NORMAL;
            for (int i = 0; i < ours.length; i++) {
                difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
                size = Math.max(size, Math.abs(theirs[i]));
            }
            return difference <= 1e-4 * size;
        }
    }

    /**
     * A network in a new adapter and where its tensors were stored; else the table that it has computed, which is then
     * trained itself.
     *
     * @param network makes the network from the setup's training tensors
     */
    static VirtualSource network(AdapterSetup setup, Supplier<Network> network, int tokens, int features) {
        if (!setup.isRestoring()) {
            return network.get();
        }
        AdapterTensor stored = setup.sharedTensor(KEY, Initializer.ZEROS, tokens, features);
        if (!setup.hasTrainingTensors()) {
            return table(stored);
        }
        Network restored = network.get();
        if (!setup.fits()) {
            return table(stored);
        }
        if (restored.computes(stored, setup.base().engine())) {
            stored.close();
            return restored;
        }
        Logger log = LoggerFactory.getLogger(VirtualSource.class);
        log.warn("the stored training network does not compute the virtual tokens of {}; the stored tokens are "
                + "used", KEY);
        restored.tensors().forEach(AdapterTensor::close);
        return table(stored);
    }
}
