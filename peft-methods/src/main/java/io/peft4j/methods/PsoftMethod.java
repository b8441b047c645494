package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
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
import java.util.Optional;
import java.util.stream.Stream;

/** PSOFT; {@link PsoftConfig} says what it computes. */
@Internal
public final class PsoftMethod extends ConfiguredMethod<PsoftConfig> {
    @Override
    public Optional<String> huggingFaceObstacle() {
        return Optional.of("it takes the directions of PSOFT from a decomposition of its own, whose signs differ; "
                + "convert the adapter to LoRA instead");
    }

    @Override
    protected Adapter adapter(PsoftConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        if (setup.isRestoring() && !targets.slots().isEmpty() && targets.slots().stream()
                .allMatch(slot -> setup.storedShape(slot, "psoft_A").isEmpty())) {
            throw new ConfigurationException(
                    "the adapter's file has no psoft_A and psoft_B. Hugging Face PEFT computes "
                            + "them from the base again, with signs that differ between machines, so that what "
                            + "the adapter learned is known only where it was trained: there, write them "
                            + "into the file by docs/interop/psoft_directions.py, or convert the adapter to LoRA");
        }
        PsoftConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build();
        return targets.adapter(stored, slot -> new PsoftLayer(setup, slot, config));
    }

    /**
     * PSOFT on a linear layer (<a href="https://openreview.net/forum?id=FSHrinMArK">paper</a>): {@code y = base(x) + s
     * (h M^T - h) B^T}, {@code h = dropout(x) A^T}, {@code M = diag(b) R diag(a)}: {@code psoft_A} A [r, in] and {@code
     * psoft_B} B [out, r], not trained; {@code psoft_R.weight}, the r (r - 1) / 2 elements above the diagonal of Q, row
     * by row, or R [r, r] itself; {@code psoft_R.vector_a} a [r], {@code psoft_R.vector_b} b [r].
     */
    private static final class PsoftLayer extends ChangeLayer {
        private final float scaling;
        private final Optional<Rotations> rotations;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final AdapterTensor weight;
        private final Optional<AdapterTensor> scaleIn;
        private final Optional<AdapterTensor> scaleOut;

        PsoftLayer(AdapterSetup setup, Slot slot, PsoftConfig config) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int rank = config.rank();
            if (rank > Math.min(in, out)) {
                throw new ConfigurationException("the rank (r) is " + rank + ", more than the weight [" + out + ", "
                        + in + "] of " + slot.path() + " has directions");
            }
            this.scaling = (float) (config.alpha() / rank);
            float[][] factors = setup.isRestoring() ? new float[2][] : factors(config);
            this.a = fixed(setup, "psoft_A", factors[0], rank, in);
            this.b = fixed(setup, "psoft_B", factors[1], out, rank);
            this.rotations = config.orthogonal() ? Optional.of(rotations(config)) : Optional.empty();
            Initializer random = Initializer.normal(0.1);
            this.weight = config.orthogonal()
                    ? setup.tensor(slot, "psoft_R.weight", config.initWeights() ? Initializer.ZEROS : random,
                            rank * (rank - 1) / 2)
                    : setup.tensor(slot, "psoft_R.weight", config.initWeights() ? identity(rank, Initializer.ZEROS)
                            : identity(rank, random), rank, rank);
            this.scaleIn = scale(setup, "psoft_R.vector_a", config.scalesInput(), rank);
            this.scaleOut = scale(setup, "psoft_R.vector_b", config.scalesOutput(), rank);
        }

        private AdapterTensor fixed(AdapterSetup setup, String name, float[] values, int rows, int columns) {
            return setup.tensor(slot(), name, Initializer.values(values), rows, columns).frozen().inPlaceOfBase();
        }

        private Optional<AdapterTensor> scale(AdapterSetup setup, String name, boolean isTrained, int rank) {
            return isTrained ? Optional.of(setup.tensor(slot(), name, Initializer.ONES, rank)) : Optional.empty();
        }

        private static Initializer identity(int rank, Initializer rest) {
            return rest.then(values -> {
                for (int i = 0; i < rank; i++) {
                    values[i * rank + i] += 1;
                }
                return values;
            });
        }

        private static Rotations rotations(PsoftConfig config) {
            int rank = config.rank();
            double[] series = Cayley.neumann(config.neumannTerms());
            return config.cayleyNeumann()
                    ? Rotations.fromTriangle(rank, q -> Cayley.polynomial(q, series, rank),
                            (q, g) -> Cayley.polynomialGradient(q, series, g, rank))
                    : Rotations.fromTriangle(rank, q -> Cayley.exact(Cayley.transposed(q, rank), rank),
                            (q, g) -> Cayley.transposed(
                                    Cayley.exactGradient(Cayley.transposed(q, rank), g, rank), rank));
        }

        /** A and B of a new adapter. */
        private float[][] factors(PsoftConfig config) {
            int rank = config.rank();
            int in = linear().inFeatures();
            SingularValues values = SingularValues.of(Arrays.doubles(linear().weight().toFloats()),
                    linear().outFeatures(), in, rank);
            double[] rows = values.vt();
            double[] columns = values.u();
            boolean both = config.split() == PsoftConfig.Split.BOTH;
            for (int i = 0; i < rows.length && both; i++) {
                rows[i] *= Math.sqrt(values.s()[i / in] / scaling);
            }
            for (int i = 0; i < columns.length; i++) {
                double s = values.s()[i % rank] / scaling;
                columns[i] *= both ? Math.sqrt(s) : s;
            }
            return new float[][] {Arrays.floats(rows), Arrays.floats(columns)};
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable h = MatrixOps.product(tape, kept, false, tape.constant(a.parameter().value()), true);
            Variable r = tape.parameter(weight.parameter());
            Variable turned = MatrixOps.product(tape, scaled(tape, h, scaleIn), false,
                    rotations.map(blocks -> blocks.on(tape, r, Optional.empty(), block -> false)).orElse(r), true);
            Variable moved = ElementwiseOps.add(tape, scaled(tape, turned, scaleOut),
                    ElementwiseOps.scale(tape, h, -1));
            return ElementwiseOps.scale(tape, MatrixOps.product(tape, moved, false,
                    tape.constant(b.parameter().value()), true), scaling);
        }

        private static Variable scaled(Tape tape, Variable x, Optional<AdapterTensor> factors) {
            return factors.map(own -> ScaleOps.columns(tape, x, tape.parameter(own.parameter()))).orElse(x);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.concat(Stream.of(a, b, weight),
                    Stream.of(scaleIn, scaleOut).flatMap(Optional::stream)).toList();
        }
    }
}
