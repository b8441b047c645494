package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.CheckedTensors;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.safetensors.SafetensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** X-LoRA's first pass, and the classifier that makes scalings of its hidden states. */
final class XLoraClassifier {
    private static final String KEY = "base_model.internal_xlora_classifier.layers.";

    private final XLoraConfig config;
    private final int adapters;
    /** For each row: k scalings, or k for each layer. */
    private final int columns;
    /** Weight and bias of each layer. */
    private final List<AdapterTensor> tensors = new ArrayList<>();

    XLoraClassifier(AdapterSetup setup, XLoraConfig config, int layers) {
        this.config = config;
        this.adapters = config.adapters().size();
        this.columns = config.layerwise() ? layers * adapters : adapters;
        int inputs = config.hiddenSize();
        // PyTorch counts the activations and dropouts between the layers, too.
        int step = config.dropout() > 0 ? 3 : 2;
        for (int i = 0; i < config.depth(); i++) {
            int outputs = i == config.depth() - 1 ? columns : config.size();
            tensors.add(tensor(setup, i * step, "weight", Initializer.linear(inputs), outputs, inputs));
            tensors.add(tensor(setup, i * step, "bias", Initializer.linear(inputs), outputs));
            inputs = outputs;
        }
    }

    /**
     * Hugging Face PEFT takes layer 0 for a part of the adapter that it calls 0: it writes it into that one's file,
     * without the number.
     */
    private AdapterTensor tensor(AdapterSetup setup, int layer, String name, Initializer initializer, long... shape) {
        String key = KEY + layer + "." + name;
        Optional<Path> other = setup.folder().map(own -> own.resolve(layer + "/" + AdapterCheckpoint.WEIGHTS_FILE))
                .filter(file -> setup.storedShape(key).isEmpty() && Files.isRegularFile(file));
        if (other.isPresent()) {
            try (SafetensorsFile file = SafetensorsFile.open(other.get())) {
                CheckedTensors stored = new CheckedTensors(file);
                if (stored.shape(KEY + name).isPresent()) {
                    AdapterTensor tensor = setup.sharedTensor(stored, KEY + name, key, shape);
                    stored.requireFit(config, setup.network().description().name());
                    return tensor;
                }
            }
        }
        return setup.sharedTensor(key, initializer, shape);
    }

    List<AdapterTensor> tensors() {
        return tensors;
    }

    /**
     * The scalings of all rows of a pass, [N, k], or k for each layer.
     *
     * @param name what layers are given them by
     * @param hidden the network up to its final norm
     * @param layers those of the first pass
     */
    Variable scalings(ForwardContext context, String name, Function<ForwardContext, Variable> hidden,
            LayerSelection layers) {
        Tape tape = context.tape();
        Variable z = states(context, name, hidden, layers);
        for (int i = 0; i < tensors.size(); i += 2) {
            z = MatrixOps.addBias(tape, MatrixOps.product(tape, z, false, tape.parameter(tensors.get(i).parameter()),
                    true), tape.parameter(tensors.get(i + 1).parameter()));
            if (i + 2 < tensors.size()) {
                z = ElementwiseOps.activate(tape, Activation.RELU, z);
                z = context.isTraining() && config.dropout() > 0
                        ? ElementwiseOps.dropout(tape, z, (float) config.dropout(), context.nextDropoutSeed()) : z;
            }
        }
        return chosen(tape, z);
    }

    /** The last hidden states of a pass of which nothing is recorded, with caches of its own. */
    private Variable states(ForwardContext context, String name, Function<ForwardContext, Variable> hidden,
            LayerSelection layers) {
        Tape tape = context.tape();
        int rows = context.batch().rows();
        INDArray states;
        try (Tape first = Tape.inference(tape.kernels(), tape.arena(), tape.activationType())) {
            ForwardContext pass = context.aside(name, first, layers);
            INDArray found = hidden.apply(config.firstScaling() == 0 ? pass
                    : pass.giving(name, constant(first, rows))).value();
            states = tape.arena().allocate(found.dataType(), found.shape());
            Arrays.copy(found, states);
        }
        return tape.record(states, (out, dy) -> {
        }, List.of());
    }

    private Variable constant(Tape tape, int rows) {
        double[] scalings = new double[adapters];
        java.util.Arrays.fill(scalings, config.firstScaling());
        double[] own = config.softmaxOfChosen() ? softmax(scalings, 1, ofNonzero(scalings)) : scalings;
        float[] all = new float[rows * columns];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) own[i % adapters];
        }
        INDArray array = tape.allocateFloat(rows, columns);
        Arrays.write(array, 0, all, 0, all.length);
        return tape.record(array, (out, dy) -> {
        }, List.of());
    }

    /**
     * For each k results z: {@code s = softmax(z / T)} or z, of which the largest stay, {@code t = m s}, and, if asked
     * for, {@code u = softmax(t)} of those that are not 0. Gradients: {@code dt = u (du - sum of u du)}, {@code ds = m
     * dt}, {@code dz = s (ds - sum of s ds) / T}.
     */
    private Variable chosen(Tape tape, Variable z) {
        float[] results = Arrays.toFloats(z.value());
        double[] first = new double[results.length];
        double[] last = new double[results.length];
        boolean[] kept = new boolean[results.length];
        for (int at = 0; at < results.length; at += adapters) {
            double[] own = new double[adapters];
            for (int i = 0; i < adapters; i++) {
                own[i] = results[at + i];
            }
            double[] s = config.softmax() ? softmax(own, config.temperature(), all()) : own;
            boolean[] largest = largest(s);
            double[] t = IntStream.range(0, adapters).mapToDouble(i -> largest[i] ? s[i] : 0).toArray();
            boolean[] nonzero = ofNonzero(t);
            double[] u = config.softmaxOfChosen() ? softmax(t, 1, nonzero) : t;
            System.arraycopy(s, 0, first, at, adapters);
            System.arraycopy(u, 0, last, at, adapters);
            System.arraycopy(config.softmaxOfChosen() ? nonzero : largest, 0, kept, at, adapters);
        }
        INDArray scalings = tape.allocateFloat(z.rows(), z.columns());
        Arrays.write(scalings, 0, Arrays.floats(last), 0, last.length);
        return tape.record(scalings, (out, du) -> z.addGradient((dz, accumulate) -> {
            float[] g = Arrays.toFloats(du);
            double[] d = new double[g.length];
            for (int i = 0; i < d.length; i++) {
                d[i] = g[i];
            }
            if (config.softmaxOfChosen()) {
                throughSoftmax(last, d, 1);
            }
            for (int i = 0; i < d.length; i++) {
                d[i] = kept[i] ? d[i] : 0;
            }
            if (config.softmax()) {
                throughSoftmax(first, d, config.temperature());
            }
            HeapRows.write(dz, d, accumulate);
        }), List.of(z));
    }

    private void throughSoftmax(double[] s, double[] d, double temperature) {
        for (int at = 0; at < d.length; at += adapters) {
            double along = 0;
            for (int i = at; i < at + adapters; i++) {
                along += s[i] * d[i];
            }
            for (int i = at; i < at + adapters; i++) {
                d[i] = s[i] * (d[i] - along) / temperature;
            }
        }
    }

    private boolean[] all() {
        boolean[] all = new boolean[adapters];
        java.util.Arrays.fill(all, true);
        return all;
    }

    private static boolean[] ofNonzero(double[] values) {
        boolean[] nonzero = new boolean[values.length];
        for (int i = 0; i < values.length; i++) {
            nonzero[i] = values[i] != 0;
        }
        return nonzero;
    }

    /** Which scalings are the largest; of equal ones the first. */
    private boolean[] largest(double[] s) {
        boolean[] largest = new boolean[adapters];
        IntStream.range(0, adapters).boxed().sorted((a, b) -> Double.compare(s[b], s[a]))
                .limit(config.chosen().orElse(adapters)).forEach(i -> largest[i] = true);
        return largest;
    }

    /** Of some values; 0 for the others. */
    private static double[] softmax(double[] values, double temperature, boolean[] of) {
        double[] result = new double[values.length];
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < values.length; i++) {
            most = of[i] ? Math.max(most, values[i]) : most;
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            result[i] = of[i] ? Math.exp((values[i] - most) / temperature) : 0;
            sum += result[i];
        }
        for (int i = 0; i < values.length && sum > 0; i++) {
            result[i] /= sum;
        }
        return result;
    }
}
