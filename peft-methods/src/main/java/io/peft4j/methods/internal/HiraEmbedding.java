package io.peft4j.methods.internal;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.methods.HiraConfig;
import java.util.List;
import java.util.OptionalInt;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * HiRA on an embedding: {@code y = base + table[tokens] * (A[:, tokens]^T B^T)}: y [N, H], {@code hira_embedding_A} [r,
 * V], held as [V, r] so that a token takes one row, {@code hira_embedding_B} [H, r]. {@code r * (V + H)} parameters.
 */
final class HiraEmbedding extends EmbeddingChange {
    private final AdapterTensor a;
    private final AdapterTensor b;

    HiraEmbedding(AdapterSetup setup, Slot slot, HiraConfig config) {
        super(setup, slot);
        int rank = config.rank();
        boolean random = config.initialization() == HiraConfig.Initialization.RANDOM;
        this.a = setup.transposedTensor(slot, "hira_embedding_A", random ? Initializer.normal(1) : Initializer.ZEROS,
                rank, embedding().table().rows());
        this.b = setup.tensor(slot, "hira_embedding_B", Initializer.normal(1), embedding().table().columns(), rank);
    }

    @Override
    Variable change(Tape tape, int[] ids) {
        Variable h = RowOps.trainedEmbedding(tape, tape.parameter(a.parameter()), ids, OptionalInt.empty(),
                DataType.FLOAT);
        return ElementwiseOps.multiply(tape, MatrixOps.matmulTransposed(tape, h, tape.parameter(b.parameter())),
                RowOps.embedding(tape, embedding().table(), ids));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b);
    }
}
