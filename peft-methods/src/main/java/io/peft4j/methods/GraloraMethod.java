package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.stream.Stream;

/** GraLoRA; {@link GraloraConfig} says what it computes. */
@Internal
public final class GraloraMethod extends ConfiguredMethod<GraloraConfig> {
    @Override
    protected Adapter adapter(GraloraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        GraloraConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut()))
                .build();
        return targets.adapter(stored, slot -> new GraloraLayer(setup, slot, config));
    }

    /**
     * GraLoRA on a linear layer (<a href="https://arxiv.org/abs/2505.20355">2505.20355</a>): {@code y = base(x) + s x
     * A'^T B'^T} with sparse matrices A' [k r, in] and B' [out, k r]: for block column n and block row j, {@code A'[n r
     * + c, n in / k + i] = A[n, i, c]} and {@code B'[j out / k + o, n r + j r / k + c] = B[j, n r / k + c, o]}:
     * {@code gralora_A} [k, in / k, r], {@code gralora_B} [k, r, out / k]. With a hybrid rank h, {@code s x G^T F^T} is
     * added, {@code gralora_A_general} G [h, in], {@code gralora_B_general} F [out, h]. {@code (r + h) * (in + out)}
     * parameters.
     */
    private static final class GraloraLayer extends ChangeLayer {
        private final float scaling;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final ScatteredDelta wideA;
        private final ScatteredDelta wideB;
        /** G and F, or nothing. */
        private final List<AdapterTensor> general;

        GraloraLayer(AdapterSetup setup, Slot slot, GraloraConfig config) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int rank = config.rank();
            int k = config.blocks();
            if (in % k != 0 || out % k != 0) {
                throw new ConfigurationException("gralora_k is " + k + ", which does not divide both sides of the "
                        + "weight [" + out + ", " + in + "] of " + slot.path());
            }
            int hybrid = config.hybridRank();
            this.scaling = (float) (config.alpha() / (rank + hybrid));
            this.a = setup.tensor(slot, "gralora_A", Initializer.linear(in / k), k, in / k, rank);
            this.b = setup.tensor(slot, "gralora_B", start(config, rank), k, rank, out / k);
            this.general = hybrid == 0 ? List.of() : List.of(
                    setup.tensor(slot, "gralora_A_general.weight", Initializer.linear(in), hybrid, in),
                    setup.tensor(slot, "gralora_B_general.weight", start(config, hybrid), out, hybrid));
            this.wideA = new ScatteredDelta(k * rank, in, in * rank,
                    i -> (i / rank / (in / k) * rank + i % rank) * in + i / rank, i -> i, 1);
            int height = out / k;
            int part = rank / k;
            this.wideB = new ScatteredDelta(out, k * rank, rank * out, i -> {
                int block = i / (rank * height);
                int row = i / height % rank;
                return (block * height + i % height) * k * rank + row / part * rank + block * part + row % part;
            }, i -> i, 1);
        }

        private static Initializer start(GraloraConfig config, int inputs) {
            return config.initWeights() ? Initializer.ZEROS : Initializer.linear(inputs);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable change = lowRank(tape, kept, wideA.on(tape, tape.parameter(a.parameter())),
                    wideB.on(tape, tape.parameter(b.parameter())));
            if (!general.isEmpty()) {
                change = ElementwiseOps.add(tape, change, lowRank(tape, kept,
                        tape.parameter(general.get(0).parameter()), tape.parameter(general.get(1).parameter())));
            }
            return ElementwiseOps.scale(tape, change, scaling);
        }

        private static Variable lowRank(Tape tape, Variable x, Variable left, Variable right) {
            return MatrixOps.product(tape, MatrixOps.product(tape, x, false, left, true), false, right, true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.concat(Stream.of(a, b), general.stream()).toList();
        }
    }
}
