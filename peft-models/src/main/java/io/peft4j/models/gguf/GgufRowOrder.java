package io.peft4j.models.gguf;

import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufGroups;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The order of rows in llama.cpp's files where it differs from Hugging Face's. In Llama's query and key projections the
 * two elements of a rotated pair are neighbours, which in Hugging Face's are half a head apart: row {@code j} of a head
 * there is row {@code 2j} (first half) or {@code 2 (j - D/2) + 1} (second half) here. GPT-NeoX's fused projection has
 * all queries, then all keys, then all values, which in Hugging Face's come head by head. Heads in groups are tiled,
 * in one projection among its columns. Rows move as a whole, so quantized blocks stay as they are.
 */
final class GgufRowOrder {
    /** Queries, keys and values. */
    private static final int PARTS = 3;

    private final GgufForm form;
    private final int headSize;
    private final int heads;

    GgufRowOrder(ModelConfig config, GgufForm form) {
        this.form = form;
        headSize = GgufHyperparameters.headSize(config, form);
        heads = config.positive(form.configKey("attention.head_count"));
        if (form.reorders() && (headSize < 2 || headSize % 2 != 0)) {
            throw config.unsupported("the head size", headSize, "even numbers");
        }
    }

    /** Whether the rows of the tensor of this Hugging Face name stand in another order. */
    boolean differs(String name) {
        return form.has(GgufDifference.ROTARY_PAIRS, name) || form.has(GgufDifference.BY_HEAD, name)
                || form.has(GgufDifference.TILED_ROWS, name);
    }

    /** The row of a GGUF file that is Hugging Face's row {@code row}. */
    long ggufRow(String name, long row) {
        Optional<GgufGroups> tiled = form.groups(GgufDifference.TILED_ROWS, name);
        if (tiled.isPresent()) {
            return tiled.get().toGguf(row);
        }
        if (form.has(GgufDifference.BY_HEAD, name)) {
            long part = row / headSize % PARTS;
            long head = row / headSize / PARTS;
            return (part * heads + head) * headSize + row % headSize;
        }
        long inHead = row % headSize;
        int half = headSize / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    /** Hugging Face's number of the row that is row {@code row} in a GGUF file. */
    int huggingFaceRow(String name, int row) {
        Optional<GgufGroups> tiled = form.groups(GgufDifference.TILED_ROWS, name);
        if (tiled.isPresent()) {
            return (int) tiled.get().toHuggingFace(row);
        }
        if (form.has(GgufDifference.BY_HEAD, name)) {
            int part = row / headSize / heads;
            int head = row / headSize % heads;
            return (head * PARTS + part) * headSize + row % headSize;
        }
        int inHead = row % headSize;
        return row - inHead + (inHead % 2 == 0 ? inHead / 2 : headSize / 2 + inHead / 2);
    }

    /** The groups of heads among the columns of a tensor whose columns stand in another order. */
    Optional<GgufGroups> columns(String name) {
        return form.groups(GgufDifference.TILED_COLUMNS, name);
    }

    /** How the values of a tensor differ. */
    Optional<GgufDifference> values(String name) {
        return Stream.of(GgufDifference.SHIFTED, GgufDifference.NEGATIVE_EXPONENTIAL)
                .filter(difference -> form.has(difference, name)).findFirst();
    }

    /** Rows with their columns in the order of a GGUF file. */
    RowReader reorderColumns(String name, RowReader rows) {
        Optional<GgufGroups> groups = columns(name);
        return groups.isEmpty() ? rows : (row, target) -> {
            float[] read = new float[target.length];
            rows.readRow(row, read);
            for (int i = 0; i < read.length; i++) {
                target[i] = read[(int) groups.get().toHuggingFace(i)];
            }
        };
    }

    /** Rows in the order of a GGUF file. */
    RowReader reorder(String name, RowReader rows) {
        return differs(name) ? (row, target) -> rows.readRow(huggingFaceRow(name, row), target) : rows;
    }

    /** The elements of a vector in the order of a GGUF file. */
    RowReader reorderVector(String name, int length, RowReader values) {
        if (!differs(name)) {
            return values;
        }
        return (row, target) -> {
            float[] read = new float[length];
            values.readRow(0, read);
            for (int i = 0; i < length; i++) {
                target[i] = read[huggingFaceRow(name, i)];
            }
        };
    }
}
