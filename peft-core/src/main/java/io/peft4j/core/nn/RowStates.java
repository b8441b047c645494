package io.peft4j.core.nn;

import io.peft4j.core.array.Arrays;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The states of a layer by the row of the cache after which they hold. Memory of dropped ones is used again. */
final class RowStates implements AutoCloseable {
    private final LayerMemory.State kind;
    private final Map<Integer, List<INDArray>> byRow = new HashMap<>();
    private final Deque<List<INDArray>> spare = new ArrayDeque<>();

    RowStates(LayerMemory.State kind) {
        this.kind = kind;
    }

    /** The bytes of one state. */
    long bytes() {
        return Float.BYTES * kind.parts().stream().mapToLong(part -> (long) part.rows() * part.columns()).sum();
    }

    Optional<List<INDArray>> after(int row) {
        return Optional.ofNullable(byRow.get(row));
    }

    /** Room for the state after a row, whose contents are undefined. */
    List<INDArray> room(int row) {
        drop(row);
        List<INDArray> state = spare.isEmpty() ? made() : spare.pop();
        byRow.put(row, state);
        return state;
    }

    private List<INDArray> made() {
        List<INDArray> arrays = new ArrayList<>();
        for (LayerMemory.State.Part part : kind.parts()) {
            arrays.add(Arrays.reserve(DataType.FLOAT, part.rows(), part.columns()));
        }
        return List.copyOf(arrays);
    }

    void drop(int row) {
        List<INDArray> state = byRow.remove(row);
        if (state != null) {
            spare.push(state);
        }
    }

    void retain(IntPredicate rows) {
        for (int row : List.copyOf(byRow.keySet())) {
            if (!rows.test(row)) {
                drop(row);
            }
        }
    }

    /** Copies the state after a row of another cache's layer, if it is there. */
    void copy(RowStates other, int from, int to) {
        other.after(from).ifPresent(state -> {
            List<INDArray> target = room(to);
            for (int i = 0; i < target.size(); i++) {
                Arrays.copy(state.get(i), target.get(i));
            }
        });
    }

    /** What is after a row is after another one, which holds the same token behind the same ones. */
    void move(int from, int to) {
        List<INDArray> state = byRow.remove(from);
        if (state != null) {
            drop(to);
            byRow.put(to, state);
        }
    }

    @Override
    public void close() {
        retain(row -> false);
        spare.forEach(state -> state.forEach(Arrays::release));
        spare.clear();
    }
}
