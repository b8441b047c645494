package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.RowReader;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Between the experts of a checkpoint and the two matrices of all experts that a network computes with:
 * {@code gate_up_proj} [E x 2 width, H], of each expert first the gate, then up; {@code down_proj} [E x H, width].
 *
 * @param plan the experts
 * @param hidden H
 */
record ExpertFiles(ExpertsPlan plan, int hidden) {
    static final String GATES = "gate_up_proj";
    static final String DOWN = "down_proj";

    /** A matrix of all experts: rows and columns of one of them. */
    private record Form(int rows, int columns) {
    }

    private Form form(String name) {
        return name.equals(GATES) ? new Form(2 * plan.width(), hidden) : new Form(hidden, plan.width());
    }

    // ---- reading

    /**
     * Puts a matrix of all experts together.
     *
     * @param path the place of the experts
     * @param name {@link #GATES} or {@link #DOWN}
     * @param stored what the checkpoint calls a tensor
     */
    INDArray matrix(WeightLoader weights, String path, String name, UnaryOperator<String> stored) {
        Form form = form(name);
        List<WeightLoader.Filler> fillers = new ArrayList<>();
        String all = stored.apply(path + "." + name);
        for (int e = 0; e < plan.count(); e++) {
            int expert = e;
            boolean apart = isApart(weights, all, stored.apply(path + ".0." + DOWN + ".weight"));
            if (isTransposed() && !apart) {
                weights.require(all, plan.count(), form.columns(), form.rows());
                fillers.add((tensors, target) -> readTransposed(tensors, all, expert, name, target));
                continue;
            }
            int first = e * form.rows();
            if (!apart) {
                weights.require(all, plan.count(), form.rows(), form.columns());
                fillers.add((tensors, target) -> readRows(tensors, all, first, target, first, form));
                continue;
            }
            int next = first;
            for (String part : parts(name)) {
                String tensor = stored.apply(path + "." + e + "." + part + ".weight");
                int rows = form.rows() / parts(name).size();
                weights.require(tensor, rows, form.columns());
                int from = next;
                fillers.add((tensors, target) -> readRows(tensors, tensor, 0, target, from,
                        new Form(rows, form.columns())));
                next += rows;
            }
        }
        return weights.assembled(weights.activationType(), plan.count() * form.rows(), form.columns(), fillers);
    }

    /** A file may have the experts apart or stacked, whatever its family writes: those of llama.cpp have them apart. */
    private boolean isApart(WeightLoader weights, String stacked, String tensorOfExpert) {
        return weights.has(tensorOfExpert) || plan.stored() == ExpertsPlan.Stored.ONE_BY_ONE && !weights.has(stacked);
    }

    private boolean isTransposed() {
        return plan.stored() == ExpertsPlan.Stored.TOGETHER || plan.stored() == ExpertsPlan.Stored.COLUMNS_TOGETHER;
    }

    private static List<String> parts(String name) {
        return name.equals(GATES) ? List.of("gate_proj", "up_proj") : List.of(DOWN);
    }

    /** Reads rows {@code from} on of a tensor to rows {@code first} on of the target, as many as the form has. */
    private static void readRows(TensorStore tensors, String tensor, int from, INDArray target, int first, Form form) {
        int columns = form.columns();
        float[] row = new float[columns];
        for (int i = 0; i < form.rows(); i++) {
            tensors.readFloats(tensor, (long) (from + i) * columns, row, 0, columns);
            Arrays.write(target, (long) (first + i) * columns, row, 0, columns);
        }
    }

    private void readTransposed(TensorStore tensors, String tensor, int expert, String name, INDArray target) {
        Form form = form(name);
        float[] row = new float[form.rows()];
        float[] block = new float[form.rows() * form.columns()];
        for (int j = 0; j < form.columns(); j++) {
            tensors.readFloats(tensor, ((long) expert * form.columns() + j) * row.length, row, 0, row.length);
            for (int i = 0; i < row.length; i++) {
                block[i * form.columns() + j] = row[inFile(name, i)];
            }
        }
        Arrays.write(target, (long) expert * block.length, block, 0, block.length);
    }

    /** For each row of an expert the feature that it has in the checkpoint; none where that is the same. */
    int[] storedRows(String name) {
        return plan.stored() == ExpertsPlan.Stored.TOGETHER && name.equals(GATES)
                ? IntStream.range(0, form(name).rows()).map(row -> inFile(name, row)).toArray() : new int[0];
    }

    /** Where a file that has gate and up in turns holds a feature. */
    private int inFile(String name, int feature) {
        return !name.equals(GATES) || plan.stored() == ExpertsPlan.Stored.COLUMNS_TOGETHER ? feature
                : feature < plan.width() ? 2 * feature : 2 * (feature - plan.width()) + 1;
    }

    /** The biases of a matrix of all experts. */
    INDArray bias(WeightLoader weights, String path, String name, UnaryOperator<String> stored) {
        int rows = form(name).rows();
        String tensor = stored.apply(path + "." + name + "_bias");
        if (isApart(weights, tensor, stored.apply(path + ".0." + DOWN + ".weight"))) {
            return biasOneByOne(weights, path, name, stored);
        }
        weights.require(tensor, plan.count(), rows);
        return Arrays.reshaped(weights.assembled(DataType.FLOAT, plan.count() * rows, 1, List.of((tensors, target) -> {
            float[] read = new float[rows];
            float[] values = new float[rows];
            for (int e = 0; e < plan.count(); e++) {
                tensors.readFloats(tensor, (long) e * rows, read, 0, rows);
                for (int i = 0; i < rows; i++) {
                    values[i] = read[inFile(name, i)];
                }
                Arrays.write(target, (long) e * rows, values, 0, rows);
            }
        })), (long) plan.count() * rows);
    }

    private INDArray biasOneByOne(WeightLoader weights, String path, String name, UnaryOperator<String> stored) {
        int length = form(name).rows() / parts(name).size();
        List<WeightLoader.Filler> fillers = new ArrayList<>();
        int first = 0;
        for (int e = 0; e < plan.count(); e++) {
            for (String part : parts(name)) {
                String tensor = stored.apply(path + "." + e + "." + part + ".bias");
                weights.require(tensor, length);
                int from = first;
                fillers.add(
                        (tensors, target) -> readRows(tensors, tensor, 0, target, from / length, new Form(1, length)));
                first += length;
            }
        }
        return Arrays.reshaped(weights.assembled(DataType.FLOAT, first, 1, fillers), first);
    }

    // ---- writing

    /** Whether a tensor of the network is one of all experts. */
    static boolean isOfAll(String name) {
        return name.matches(".*\\.experts\\.(gate_up|down)_proj\\.(weight|bias)");
    }

    /** A tensor of all experts as the checkpoint holds it. */
    List<ModelTensor> split(ModelTensor tensor) {
        String path = tensor.name().substring(0, tensor.name().lastIndexOf('.'));
        String name = path.substring(path.lastIndexOf('.') + 1);
        Form form = form(name);
        int count = plan.count();
        if (plan.stored() == ExpertsPlan.Stored.ONE_BY_ONE && tensor.isVector()) {
            return splitVector(tensor, path.substring(0, path.lastIndexOf('.')), name);
        }
        if (plan.stored() == ExpertsPlan.Stored.ONE_BY_ONE) {
            List<ModelTensor> all = new ArrayList<>();
            String experts = path.substring(0, path.lastIndexOf('.'));
            int rows = form.rows() / parts(name).size();
            for (int e = 0; e < count; e++) {
                int first = e * form.rows();
                for (String part : parts(name)) {
                    int from = first;
                    all.add(new ModelTensor(experts + "." + e + "." + part + ".weight",
                            new long[] {rows, form.columns()},
                            (row, target) -> tensor.rows().readRow(from + row, target)));
                    first += rows;
                }
            }
            return all;
        }
        if (plan.stored() == ExpertsPlan.Stored.ROWS_TOGETHER) {
            return List.of(new ModelTensor(path, new long[] {count, form.rows(), form.columns()}, tensor.rows()));
        }
        if (tensor.isVector()) {
            float[] values = new float[count * form.rows()];
            return List.of(new ModelTensor(path + "_bias", new long[] {count, form.rows()}, (row, target) -> {
                tensor.rows().readRow(0, values);
                for (int i = 0; i < form.rows(); i++) {
                    target[inFile(name, i)] = values[row * form.rows() + i];
                }
            }));
        }
        return List.of(new ModelTensor(path, new long[] {count, form.columns(), form.rows()},
                transposed(tensor.rows(), name, form)));
    }

    private List<ModelTensor> splitVector(ModelTensor tensor, String experts, String name) {
        List<ModelTensor> all = new ArrayList<>();
        int length = form(name).rows() / parts(name).size();
        float[] values = new float[plan.count() * form(name).rows()];
        for (int e = 0; e < plan.count(); e++) {
            for (String part : parts(name)) {
                int first = all.size() * length;
                String bias = experts + "." + e + "." + part + ".bias";
                all.add(new ModelTensor(bias, new long[] {length}, (row, target) -> {
                    tensor.rows().readRow(0, values);
                    System.arraycopy(values, first, target, 0, length);
                }));
            }
        }
        return all;
    }

    /** Rows of the transposes of the experts, of one expert at a time. */
    private RowReader transposed(RowReader rows, String name, Form form) {
        float[][] block = new float[form.columns()][form.rows()];
        float[] read = new float[form.columns()];
        int[] held = {-1};
        return (row, target) -> {
            int expert = row / form.columns();
            if (held[0] != expert) {
                for (int i = 0; i < form.rows(); i++) {
                    rows.readRow(expert * form.rows() + i, read);
                    for (int j = 0; j < read.length; j++) {
                        block[j][inFile(name, i)] = read[j];
                    }
                }
                held[0] = expert;
            }
            System.arraycopy(block[row % form.columns()], 0, target, 0, form.rows());
        };
    }
}
