package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.Map;

/** VB-LoRA; {@link VbLoraConfig} says what it computes. */
@Internal
public final class VbLoraMethod extends ConfiguredMethod<VbLoraConfig> {
    /** Its default length of vectors divides the sizes of few models. */
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("vector_length", "64");
    }

    @Override
    protected Adapter adapter(VbLoraConfig config, AdapterSetup setup) {
        AdapterTensor bank = setup.sharedTensor("base_model.vblora_vector_bank",
                Initializer.uniform(config.bankBound()), config.vectors(), config.vectorLength());
        Targets targets = Targets.of(config.placement(), setup);
        return new SharedMatrices(List.of(bank)).adapter(targets.named(config),
                targets.layers(slot -> new VbLoraLayer(setup, slot, config, bank)));
    }

    /**
     * VB-LoRA on a linear layer (<a href="https://arxiv.org/abs/2405.15179">2405.15179</a>): {@code y = base(x) +
     * (dropout(x) A^T) B^T}, A [r, in] and B [out, r] made by {@link VectorMixtures} from logits [r, in / b, h] and
     * [out / b, r, h] and a bank [h, b] that all layers share. {@code r * (in + out) / b * h} parameters.
     *
     * <p>Merged: {@code W + B A}.
     */
    private static final class VbLoraLayer extends ProjectedLayer {
        private final Engine engine;
        private final int rank;
        private final int in;
        private final int out;
        private final VectorMixtures rows;
        private final VectorMixtures columns;
        private final AdapterTensor bank;
        private final AdapterTensor logitsA;
        private final AdapterTensor logitsB;

        VbLoraLayer(AdapterSetup setup, Slot slot, VbLoraConfig config, AdapterTensor bank) {
            super(slot, config.dropout());
            Linear linear = linear();
            int length = config.vectorLength();
            this.engine = setup.base().engine();
            this.bank = bank;
            this.rank = config.rank();
            this.in = linear.inFeatures();
            this.out = linear.outFeatures();
            if (in % length != 0 || out % length != 0) {
                throw new TargetModuleException(
                        "vector_length " + length + " does not divide the sizes of " + slot.path()
                                + ", " + in + " and " + out + "; choose a length that divides both, or other targets");
            }
            this.rows = VectorMixtures.rows(config.topK(), length);
            this.columns = VectorMixtures.columns(config.topK(), length, rank);
            Initializer start = Initializer.normal(config.logitsDeviation());
            this.logitsA = setup.tensor(slot, "vblora_logits_A", start, rank, in / length, config.vectors());
            this.logitsB = setup.tensor(slot, "vblora_logits_B", start, out / length, rank, config.vectors());
        }

        private Variable a(Tape tape) {
            return rows.of(tape, tape.parameter(logitsA.parameter()), tape.parameter(bank.parameter()), rank, in);
        }

        private Variable b(Tape tape) {
            return columns.of(tape, tape.parameter(logitsB.parameter()), tape.parameter(bank.parameter()), out, rank);
        }

        @Override
        Variable change(Tape tape, Variable x) {
            Variable h = MatrixOps.product(tape, x, false, a(tape), true);
            return MatrixOps.product(tape, h, false, b(tape), true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(logitsA, logitsB);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            engine.onTape(tape -> LowRank.add(copy.weight(), b(tape).value(), a(tape).value(), 1));
        }
    }
}
