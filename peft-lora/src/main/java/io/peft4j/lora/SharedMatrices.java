package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.StoredForm;
import io.peft4j.core.safetensors.TensorData;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The frozen random matrices of an adapter that all its layers share, and the pieces of them that layers of one size
 * compute with. Owns both.
 */
final class SharedMatrices implements AutoCloseable {
    private final List<AdapterTensor> tensors;
    private final List<INDArray> matrices;
    private final Map<String, INDArray> pieces = new HashMap<>();

    SharedMatrices(List<AdapterTensor> tensors) {
        this.tensors = List.copyOf(tensors);
        this.matrices = tensors.stream().map(tensor -> tensor.parameter().value()).toList();
    }

    private SharedMatrices(INDArray... drawn) {
        this.tensors = List.of();
        this.matrices = List.of(drawn);
        for (int i = 0; i < drawn.length; i++) {
            pieces.put("whole " + i, drawn[i]);
        }
    }

    /** Matrices that are in no file, which this owns. */
    static SharedMatrices drawn(INDArray... matrices) {
        return new SharedMatrices(matrices);
    }

    /** The largest in and out of the targets. */
    record Sizes(int in, int out) {
        static Sizes of(List<Slot> targets) {
            int in = 0;
            int out = 0;
            for (Slot slot : targets) {
                Linear linear = (Linear) slot.layer();
                in = Math.max(in, linear.inFeatures());
                out = Math.max(out, linear.outFeatures());
            }
            return new Sizes(in, out);
        }
    }

    static void requireSaved(boolean saved, String method) {
        if (!saved) {
            throw new ConfigurationException("save_projection is off: the random matrices of " + method
                    + " depend on PyTorch's random numbers, which are not available. Load the "
                    + "adapter in Hugging Face PEFT and save it with save_projection on");
        }
    }

    /** The values of a matrix, in c order; a stand-in of one element where the file does not fit. */
    float[] values(int index) {
        return Arrays.toFloats(matrices.get(index));
    }

    /** The piece of a name; made where it is asked for first. */
    INDArray piece(String name, Supplier<INDArray> maker) {
        return pieces.computeIfAbsent(name, n -> maker.get());
    }

    /** A top left corner of a matrix [m, n] or [m, 1, n], as an array of its own. */
    INDArray corner(int index, int rows, int columns) {
        return piece(index + ":" + rows + "x" + columns, () -> {
            INDArray whole = matrices.get(index);
            INDArray corner = Arrays.zeros(whole.dataType(), rows, columns);
            float[] row = new float[columns];
            for (int i = 0; i < rows; i++) {
                Arrays.read(whole, i * whole.size(whole.rank() - 1), row, 0, columns);
                Arrays.write(corner, (long) i * columns, row, 0, columns);
            }
            return corner;
        });
    }

    /** A matrix [m, n] whose rows are multiplied by factors, as an array of its own. */
    static INDArray scaled(INDArray matrix, float[] factors) {
        float[] values = Arrays.toFloats(matrix);
        int columns = Arrays.columns(matrix);
        for (int i = 0; i < values.length; i++) {
            values[i] *= factors[i / columns];
        }
        return Arrays.of(values, matrix.shape());
    }

    Adapter adapter(PeftConfig config, List<AdapterLayer> layers) {
        return adapter(config, layers, Map.of());
    }

    /** An adapter with these matrices, some of which a file repeats under other keys: their numbers by key. */
    Adapter adapter(PeftConfig config, List<AdapterLayer> layers, Map<String, Integer> repeated) {
        return new LayeredAdapter(config, layers, tensors, Map.of(), this::close) {
            @Override
            public StoredForm stored() {
                Map<String, TensorData> all = new LinkedHashMap<>(super.stored().tensors());
                repeated.forEach((key, index) -> all.put(key, TensorData.of(tensors.get(index).parameter().value())));
                return new StoredForm(config, all);
            }
        };
    }

    /** Frees the pieces; the whole matrices belong to the adapter. */
    @Override
    public void close() {
        pieces.values().forEach(INDArray::close);
        pieces.clear();
    }
}
