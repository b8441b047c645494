package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.OptionalInt;
import org.nd4j.linalg.api.buffer.DataType;

/** HiRA; {@link HiraConfig} says what it computes. */
@Internal
public final class HiraMethod extends ConfiguredMethod<HiraConfig> {
    @Override
    protected Adapter adapter(HiraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup, setup.base().defaultTargetModules(),
                layer -> layer instanceof Linear || layer instanceof Embedding);
        return targets.adapter(config, slot -> layer(setup, slot, config));
    }

    private static AdapterLayer layer(AdapterSetup setup, Slot slot, HiraConfig config) {
        return slot.layer() instanceof Embedding ? new HiraEmbedding(setup, slot, config)
                : new HiraLayer(setup, slot, config);
    }

    /**
     * HiRA on a linear layer (<a href="https://openreview.net/pdf?id=TwJrTz9cRS">TwJrTz9cRS</a>): {@code y = base(x) +
     * x (W * (B A))^T}: {@code hira_A} [r, in], {@code hira_B} [out, r]. {@code r * (in + out)} parameters.
     *
     * <p>Merged: {@code W + W * (B A)}.
     */
    private static final class HiraLayer extends ChangeLayer {
        private final AdapterTensor a;
        private final AdapterTensor b;

        HiraLayer(AdapterSetup setup, Slot slot, HiraConfig config) {
            super(setup, slot, config.dropout());
            int rank = config.rank();
            int in = linear().inFeatures();
            HiraConfig.Initialization start = config.initialization();
            this.a = setup.tensor(slot, "hira_A", switch (start) {
                case KAIMING -> Initializer.linear(in);
                case GAUSSIAN -> Initializer.normal(1.0 / rank);
                case RANDOM -> Initializer.normal(1);
            }, rank, in);
            this.b = setup.tensor(slot, "hira_B", start == HiraConfig.Initialization.RANDOM ? Initializer.normal(1)
                    : Initializer.ZEROS, linear().outFeatures(), rank);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable factors = MatrixOps.product(tape, tape.parameter(b.parameter()), false,
                    tape.parameter(a.parameter()), false);
            Variable weight = MatrixOps.values(tape, linear().weight());
            return MatrixOps.matmulTransposed(tape, kept, ElementwiseOps.multiply(tape, factors, weight));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a, b);
        }
    }

    /**
     * HiRA on an embedding: {@code y = base + table[tokens] * (A[:, tokens]^T B^T)}: y [N, H], {@code hira_embedding_A}
     * [r, V], held as [V, r] so that a token takes one row, {@code hira_embedding_B} [H, r]. {@code r * (V + H)}
     * parameters.
     */
    private static final class HiraEmbedding extends EmbeddingChange {
        private final AdapterTensor a;
        private final AdapterTensor b;

        HiraEmbedding(AdapterSetup setup, Slot slot, HiraConfig config) {
            super(setup, slot);
            int rank = config.rank();
            boolean random = config.initialization() == HiraConfig.Initialization.RANDOM;
            this.a = setup.transposedTensor(slot, "hira_embedding_A",
                    random ? Initializer.normal(1) : Initializer.ZEROS,
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
}
