package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.lora.init.LoraStart;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA on an embedding: {@code y = base + s * A[:, tokens]^T B^T}: y [N, H], A [r, V], B [H, r]. {@code r * (V + H)}
 * parameters. There is no dropout: the input is token ids. The padding token's column of A is not trained. With DoRA, y
 * is scaled by {@code m / |W + s A^T B^T|}, the norm of each of the H columns, and m [H] is trained too.
 *
 * <p>A is held as [V, r], so that a token takes one row. Merged: {@code table + s * (B A)^T}.
 */
final class LoraEmbedding extends AbstractAdapterLayer {
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final Embedding embedding;
    private final OptionalInt paddingId;
    private final Optional<DoraMagnitude> magnitude;
    private final Engine engine;

    LoraEmbedding(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling,
            Optional<LoraStart> together) {
        super(slot);
        Checks.require(!config.loraBias(), "lora_bias is not supported on embeddings; exclude " + slot.path() + ", "
                + "or set lora_bias to false");
        this.embedding = (Embedding) slot.layer();
        this.scaling = scaling;
        this.paddingId = embedding.paddingId();
        this.a = setup.transposedTensor(slot, "lora_embedding_A", config.initialization().embeddingA(), rank,
                embedding.table().rows());
        AdapterTensor right = setup.tensor(slot, "lora_embedding_B", together
                .map(start -> Initializer.values(start.b())).orElseGet(() -> TiedLora.areTied(setup, config)
                        ? TiedLora.b(config.initialization(), rank, embedding.table().columns())
                        : Initializer.normal(1)),
                embedding.table().columns(), rank);
        this.b = config.initialization().freezesB() ? right.frozen() : right;
        this.engine = setup.base().engine();
        this.magnitude = !config.dora() ? Optional.empty() : Optional.of(new DoraMagnitude(setup, slot,
                DoraNorm.ofEmbedding(embedding.table(), scaling), a, b, embedding.table().columns()));
    }

    /** A, held as [V, r]. */
    AdapterTensor a() {
        return a;
    }

    /** B [H, r]. */
    AdapterTensor b() {
        return b;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable h = RowOps.trainedEmbedding(tape, tape.parameter(a.parameter()), embedding.ids(context.batch()),
                paddingId, DataType.FLOAT);
        Variable change = MatrixOps.matmulTransposed(tape, h,
                b.isTrainable() ? tape.parameter(b.parameter()) : tape.constant(b.parameter().value()));
        float factor = (float) scaling * ((Embedding) slot().layer()).scale();
        Variable sum = ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change, factor), y);
        return magnitude.isEmpty() ? sum : ScaleOps.columns(tape, sum,
                magnitude.get().factor(tape, magnitude.get().norms(tape), 0));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return Stream.concat(Stream.of(a, b), magnitude.stream().map(DoraMagnitude::tensor)).toList();
    }

    @Override
    public Optional<LowRankUpdate> lowRankUpdate() {
        return magnitude.isPresent() ? Optional.empty() : Optional.of(new LowRankUpdate(a, b, scaling, true));
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        INDArray transposedB = b.parameter().value().transpose().dup('c');
        try {
            LowRank.add(copy.weight(), a.parameter().value(), transposedB, scaling);
        } finally {
            transposedB.close();
        }
        magnitude.ifPresent(m -> {
            INDArray factors = Arrays.of(m.factors(engine), copy.weight().size(1));
            try {
                engine.run(kernels -> kernels.scaleColumns(copy.weight(), factors, copy.weight(), false));
            } finally {
                factors.close();
            }
        });
    }
}
