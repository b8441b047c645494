package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
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
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

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

    /**
     * VB-LoRA's matrices on a tape: every part is a mixture of the k vectors of a bank [h, b] that its h logits prefer,
     * {@code sum over the k of softmax(logits)_i * bank_i}. Gradients: {@code dbank_i += w_i * dpart},
     * {@code dlogit_i = w_i * (dpart . bank_i - sum over j of w_j * dpart . bank_j)}, zero for logits that were not
     * chosen.
     */
    private static final class VectorMixtures {
        private final int topK;
        /** The place of element l of a part in the matrix. */
        private final Placement placement;

        /** Index in the matrix of element {@code l} of part {@code part}. */
        @FunctionalInterface
        private interface Placement {
            int index(int part, int l);
        }

        private VectorMixtures(int topK, Placement placement) {
            this.topK = topK;
            this.placement = placement;
        }

        /** A [r, in]: logits [r, in / b, h], parts side by side. */
        static VectorMixtures rows(int topK, int vectorLength) {
            return new VectorMixtures(topK, (part, l) -> part * vectorLength + l);
        }

        /** B [out, r]: logits [out / b, r, h], parts below each other. */
        static VectorMixtures columns(int topK, int vectorLength, int rank) {
            return new VectorMixtures(topK, (part, l) -> (part / rank * vectorLength + l) * rank + part % rank);
        }

        /** The chosen vectors of all parts, and their weights. */
        private record Choice(int[] vectors, float[] weights) {
        }

        Variable of(Tape tape, Variable logits, Variable bank, long rows, long columns) {
            Consumer<INDArray> forward = result -> compute(logits.value(), bank.value(), result);
            INDArray result = tape.allocateFloat(rows, columns);
            forward.accept(result);
            return tape.recordRecomputable(result, forward,
                    (out, dy) -> addGradients(logits, bank, Arrays.toFloats(dy)), List.of(logits, bank));
        }

        private Choice choose(float[] logits, int vectors) {
            int parts = logits.length / vectors;
            int[] chosen = new int[parts * topK];
            float[] weights = new float[parts * topK];
            IntStream.range(0, parts).parallel().forEach(part -> {
                boolean[] taken = new boolean[vectors];
                double sum = 0;
                for (int k = 0; k < topK; k++) {
                    int best = -1;
                    for (int i = 0; i < vectors; i++) {
                        if (!taken[i] && (best < 0 || logits[part * vectors + i] > logits[part * vectors + best])) {
                            best = i;
                        }
                    }
                    taken[best] = true;
                    chosen[part * topK + k] = best;
                    double weight = Math.exp(logits[part * vectors + best]
                            - (double) logits[part * vectors + chosen[part * topK]]);
                    weights[part * topK + k] = (float) weight;
                    sum += weight;
                }
                for (int k = 0; k < topK; k++) {
                    weights[part * topK + k] = (float) (weights[part * topK + k] / sum);
                }
            });
            return new Choice(chosen, weights);
        }

        private void compute(INDArray logits, INDArray bank, INDArray result) {
            int vectors = Arrays.rows(bank);
            int length = Arrays.columns(bank);
            float[] bankValues = Arrays.toFloats(bank);
            Choice choice = choose(Arrays.toFloats(logits), vectors);
            float[] values = new float[Math.toIntExact(result.length())];
            IntStream.range(0, choice.vectors().length / topK).parallel().forEach(part -> {
                for (int l = 0; l < length; l++) {
                    float sum = 0;
                    for (int k = part * topK; k < (part + 1) * topK; k++) {
                        sum += choice.weights()[k] * bankValues[choice.vectors()[k] * length + l];
                    }
                    values[placement.index(part, l)] = sum;
                }
            });
            Arrays.write(result, 0, values, 0, values.length);
        }

        private void addGradients(Variable logits, Variable bank, float[] dy) {
            int vectors = bank.rows();
            int length = bank.columns();
            Choice choice = choose(Arrays.toFloats(logits.value()), vectors);
            logits.addGradient((dl, accumulate) -> {
                float[] bankValues = Arrays.toFloats(bank.value());
                double[] result = new double[Math.toIntExact(dl.length())];
                IntStream.range(0, choice.vectors().length / topK).parallel()
                        .forEach(part -> addToLogits(choice, part, bankValues, length, vectors, dy, result));
                HeapRows.write(dl, result, accumulate);
            });
            bank.addGradient((db, accumulate) -> {
                double[] result = new double[Math.toIntExact(db.length())];
                for (int k = 0; k < choice.vectors().length; k++) {
                    for (int l = 0; l < length; l++) {
                        result[choice.vectors()[k] * length + l] += choice.weights()[k]
                                * dy[placement.index(k / topK, l)];
                    }
                }
                HeapRows.write(db, result, accumulate);
            });
        }

        private void addToLogits(Choice choice, int part, float[] bank, int length, int vectors, float[] dy,
                double[] result) {
            double[] dots = new double[topK];
            double mean = 0;
            for (int k = 0; k < topK; k++) {
                int vector = choice.vectors()[part * topK + k];
                for (int l = 0; l < length; l++) {
                    dots[k] += (double) dy[placement.index(part, l)] * bank[vector * length + l];
                }
                mean += choice.weights()[part * topK + k] * dots[k];
            }
            for (int k = 0; k < topK; k++) {
                int index = part * vectors + choice.vectors()[part * topK + k];
                result[index] = choice.weights()[part * topK + k] * (dots[k] - mean);
            }
        }
    }
}
