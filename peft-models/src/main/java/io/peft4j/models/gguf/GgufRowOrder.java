package io.peft4j.models.gguf;

import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.ModelConfig;

/**
 * The order of rows in llama.cpp's files for models in the form of Llama: in the query and key projections the two
 * elements of a rotated pair are neighbours, which in Hugging Face's are half a head apart.
 */
final class GgufRowOrder {
    private final int headSize;

    GgufRowOrder(ModelConfig config) {
        headSize = config.optionalPositive("head_dim")
                .orElseGet(() -> config.positive("hidden_size") / config.positive("num_attention_heads"));
    }

    /** Whether the rows of the tensor of this Hugging Face name stand in another order. */
    static boolean differs(String name) {
        return name.contains(".self_attn.q_proj.") || name.contains(".self_attn.k_proj.");
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
