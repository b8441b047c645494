package io.peft4j.models.gguf;

import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;

/**
 * The order of rows in llama.cpp's files for models in the form of Llama: in the query and key projections the two
 * elements of a rotated pair are neighbours, which in Hugging Face's are half a head apart. Row {@code j} of a head
 * there is row {@code 2j} (first half) or {@code 2 (j - D/2) + 1} (second half) here. Rows move as a whole, so
 * quantized blocks stay as they are.
 */
final class GgufRowOrder {
    private final GgufForm form;
    private final int headSize;

    GgufRowOrder(ModelConfig config, GgufForm form) {
        this.form = form;
        headSize = GgufHyperparameters.headSize(config, form);
        if (headSize < 2 || headSize % 2 != 0) {
            throw config.unsupported("the head size", headSize, "even numbers");
        }
    }

    /** Whether the rows of the tensor of this Hugging Face name stand in another order. */
    boolean differs(String name) {
        return form.hasRotaryPairs(name);
    }

    /** The row of a GGUF file that is Hugging Face's row {@code row}. */
    long ggufRow(long row) {
        long inHead = row % headSize;
        int half = headSize / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    /** Hugging Face's number of the row that is row {@code row} in a GGUF file. */
    int huggingFaceRow(int row) {
        int inHead = row % headSize;
        return row - inHead + (inHead % 2 == 0 ? inHead / 2 : headSize / 2 + inHead / 2);
    }

    /** Rows in the order of a GGUF file. */
    RowReader reorder(String name, RowReader rows) {
        return differs(name) ? (row, target) -> rows.readRow(huggingFaceRow(row), target) : rows;
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
                target[i] = read[huggingFaceRow(i)];
            }
        };
    }
}
