package io.peft4j.core.autograd;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradient of every operation on the tape against central differences. */
class OperationGradientsTest {
    /** A copy that an operation in place may overwrite: the value of a parameter must stay. */
    private static Variable copy(Tape tape, Variable x) {
        return ElementwiseOps.scale(tape, x, 1);
    }

    @Test
    void linear() {
        try (GradientCase c = new GradientCase("linear").parameter(3, 5)) {
            DenseWeight w = new DenseWeight(c.normal(7, 5));
            c.check((tape, p) -> MatrixOps.linear(tape, p.get(0), w));
        }
    }

    @Test
    void matmulTransposed() {
        try (GradientCase c = new GradientCase("matmulTransposed").parameter(3, 5).parameter(1, 5)) {
            c.check((tape, p) -> MatrixOps.matmulTransposed(tape, p.get(0), p.get(1)));
        }
    }

    @Test
    void product() {
        for (boolean transposeA : new boolean[] {false, true}) {
            for (boolean transposeB : new boolean[] {false, true}) {
                try (GradientCase c = new GradientCase("product " + transposeA + transposeB)
                        .parameter(transposeA ? new long[] {5, 3} : new long[] {3, 5})
                        .parameter(transposeB ? new long[] {4, 5} : new long[] {5, 4})) {
                    c.check((tape, p) -> MatrixOps.product(tape, p.get(0), transposeA, p.get(1), transposeB));
                }
            }
        }
    }

    @Test
    void scaledColumnsAndRows() {
        try (GradientCase c = new GradientCase("columns").parameter(4, 300).parameter(300)) {
            c.check((tape, p) -> ScaleOps.columns(tape, p.get(0), p.get(1)));
        }
        try (GradientCase c = new GradientCase("rows").parameter(4, 5).parameter(4, 1)) {
            c.check((tape, p) -> ScaleOps.rows(tape, p.get(0), p.get(1)));
        }
    }

    @Test
    void addBias() {
        try (GradientCase c = new GradientCase("addBias").parameter(4, 3).parameter(3)) {
            c.check((tape, p) -> MatrixOps.addBias(tape, copy(tape, p.get(0)), p.get(1)));
            c.check((tape, p) -> MatrixOps.addBiasToRows(tape, copy(tape, p.get(0)), 1, 3, p.get(1)));
        }
    }

    @Test
    void addLowRank() {
        try (GradientCase c = new GradientCase("addLowRank").parameter(4, 7).parameter(4, 5).parameter(2, 5)
                .parameter(7, 2)) {
            c.check((tape, p) -> MatrixOps.addLowRank(tape, copy(tape, p.get(0)), p.get(1), p.get(2), p.get(3), 1.5f));
        }
    }

    @Test
    void addLowRankByRows() {
        try (GradientCase c = new GradientCase("addByRows").parameter(6, 7).parameter(6, 5).parameter(2, 5)
                .parameter(7, 2).parameter(3, 5).parameter(7, 3)) {
            c.check((tape, p) -> LowRankOps.addByRows(tape, copy(tape, p.get(0)), p.get(1), List.of(
                    new LowRankOps.RowUpdate(0, 2, p.get(2), p.get(3), 1.5f),
                    new LowRankOps.RowUpdate(2, 3, p.get(4), p.get(5), -1),
                    new LowRankOps.RowUpdate(4, 6, p.get(2), p.get(3), 0.5f))));
        }
        try (GradientCase c = new GradientCase("addByRows, frozen input").parameter(6, 7).parameter(2, 5)
                .parameter(7, 2)) {
            INDArray frozen = c.normal(6, 5);
            c.check((tape, p) -> LowRankOps.addByRows(tape, copy(tape, p.get(0)), tape.constant(frozen), List.of(
                    new LowRankOps.RowUpdate(1, 4, p.get(1), p.get(2), 2),
                    new LowRankOps.RowUpdate(4, 5, p.get(1), p.get(2), 1))));
        }
    }

    @Test
    void lowRankUpdateOfAFrozenLayer() {
        try (GradientCase c = new GradientCase("LoRA").parameter(1, 5).parameter(7, 1)) {
            DenseWeight w = new DenseWeight(c.normal(7, 5));
            INDArray input = c.normal(3, 5);
            c.check((tape, p) -> {
                Variable x = tape.constant(input);
                return MatrixOps.addLowRank(tape, MatrixOps.linear(tape, x, w), x, p.get(0), p.get(1), 2);
            });
        }
    }

    @Test
    void linearWithLowRank() {
        try (GradientCase c = new GradientCase("linear with low rank").parameter(4, 5).parameter(2, 5)
                .parameter(7, 2)) {
            DenseWeight w = new DenseWeight(c.normal(7, 5));
            INDArray frozen = c.normal(4, 5);
            INDArray frozenB = c.normal(7, 2);
            c.check((tape, p) -> MatrixOps.linearWithLowRank(tape, p.get(0), w, p.get(1), p.get(2), 1.5f));
            c.check((tape, p) -> {
                Variable onlyA = MatrixOps.linearWithLowRank(tape, p.get(0), w, p.get(1), tape.constant(frozenB), 2);
                Variable noInput = MatrixOps.linearWithLowRank(tape, tape.constant(frozen), w, p.get(1), p.get(2), 1);
                return ElementwiseOps.add(tape, onlyA, noInput);
            });
        }
    }

    @Test
    void sums() {
        try (GradientCase c = new GradientCase("sums").parameter(3, 5).parameter(3, 5)) {
            c.check((tape, p) -> ElementwiseOps.add(tape, p.get(0), p.get(1)));
            c.check((tape, p) -> ElementwiseOps.addInto(tape, p.get(0), copy(tape, p.get(1))));
        }
    }

    @Test
    void products() {
        try (GradientCase c = new GradientCase("products").parameter(3, 5).parameter(3, 5)) {
            c.check((tape, p) -> ElementwiseOps.multiply(tape, p.get(0), p.get(1)));
            c.check((tape, p) -> ElementwiseOps.gated(tape, Activation.SILU, p.get(0), p.get(1)));
        }
    }

    @Test
    void operandsThatAreTheSameValue() {
        try (GradientCase c = new GradientCase("same operands").parameter(3, 5)) {
            c.check((tape, p) -> ElementwiseOps.add(tape, p.get(0), ElementwiseOps.scale(tape, p.get(0), -3)));
            c.check((tape, p) -> ElementwiseOps.add(tape, p.get(0), p.get(0)));
            c.check((tape, p) -> ElementwiseOps.multiply(tape, p.get(0), p.get(0)));
            c.check((tape, p) -> ElementwiseOps.gated(tape, Activation.SILU, p.get(0), p.get(0)));
        }
    }

    @Test
    void dropout() {
        try (GradientCase c = new GradientCase("dropout").parameter(6, 7)) {
            c.check((tape, p) -> ElementwiseOps.dropout(tape, p.get(0), 0.3f, 12));
        }
    }

    @Test
    void rmsNorm() {
        try (GradientCase c = new GradientCase("rmsNorm").parameter(4, 7).parameter(7)) {
            c.check((tape, p) -> NormOps.rmsNorm(tape, p.get(0), p.get(1), 0.1f));
        }
    }

    @Test
    void activationsAndGates() {
        try (GradientCase c = new GradientCase("activations").parameter(3, 5)) {
            for (Activation f : List.of(Activation.GELU, Activation.GELU_TANH, Activation.TANH)) {
                c.check((tape, p) -> ElementwiseOps.activate(tape, f, p.get(0)));
            }
            c.check((tape, p) -> ElementwiseOps.softCap(tape, ElementwiseOps.softCap(tape, p.get(0), 2), 1.5f));
        }
        try (GradientCase c = new GradientCase("gates").parameter(3, 5).parameter(3, 5)) {
            c.check((tape, p) -> ElementwiseOps.gated(tape, Activation.GELU_TANH, p.get(0), p.get(1)));
            c.check((tape, p) -> ElementwiseOps.clampedGate(tape, p.get(0), p.get(1), 1.7f, 3.5f));
        }
    }

    @Test
    void layerNorm() {
        try (GradientCase c = new GradientCase("layerNorm").parameter(4, 7).parameter(7).parameter(7)) {
            c.check((tape, p) -> NormOps.layerNorm(tape, p.get(0), p.get(1), Optional.of(p.get(2)), 0.1f));
        }
        try (GradientCase c = new GradientCase("layerNorm, no bias").parameter(4, 7).parameter(7)) {
            c.check((tape, p) -> NormOps.layerNorm(tape, p.get(0), p.get(1), Optional.empty(), 0.1f));
        }
    }

    @Test
    void columns() {
        try (GradientCase c = new GradientCase("columns").parameter(4, 7).parameter(4, 3)) {
            c.check((tape, p) -> ColumnOps.concat(tape, p.get(0), p.get(1)));
        }
        try (GradientCase c = new GradientCase("slices").parameter(4, 7)) {
            c.check((tape, p) -> ColumnOps.slice(tape, p.get(0), 2, 5));
            c.check((tape, p) -> {
                Variable fused = ElementwiseOps.scale(tape, p.get(0), 2);
                Variable first = ColumnOps.slice(tape, fused, 0, 3);
                return ElementwiseOps.multiply(tape, first, ColumnOps.slice(tape, fused, 4, 7));
            });
        }
    }

    @Test
    void aMixtureOfExperts() {
        try (GradientCase c = new GradientCase("experts").parameter(5, 4).parameter(5, 3)) {
            // Token i goes to experts chosen[2 i] and chosen[2 i + 1]; an expert multiplies with its number + 1.
            int[] chosen = {0, 2, 3, 1, 2, 0, 1, 2, 2, 3};
            c.check((tape, p) -> {
                Variable weights = RoutingOps.softmax(tape, RoutingOps.elements(tape,
                        RoutingOps.softmax(tape, p.get(0)),
                        IntStream.range(0, chosen.length).map(i -> i / 2 * 4 + chosen[i]).toArray(), 2));
                List<Variable> parts = new ArrayList<>();
                List<int[]> rows = new ArrayList<>();
                for (int expert = 0; expert < 4; expert++) {
                    int own = expert;
                    int[] places = IntStream.range(0, chosen.length).filter(i -> chosen[i] == own).toArray();
                    rows.add(IntStream.of(places).map(i -> i / 2).toArray());
                    Variable x = RowOps.gatherRows(tape, p.get(1), rows.get(expert));
                    parts.add(ScaleOps.rows(tape, ElementwiseOps.scale(tape, x, expert + 1),
                            RoutingOps.elements(tape, weights, places, 1)));
                }
                return RoutingOps.scatterAdd(tape, parts, rows, 6);
            });
        }
    }

    @Test
    void rows() {
        try (GradientCase c = new GradientCase("rows").parameter(4, 3)) {
            int[] rows = {3, 0, 3, 3, 1};
            c.check((tape, p) -> RowOps.gatherRows(tape, p.get(0), rows));
            c.check((tape, p) -> RowOps.trainedEmbedding(tape, p.get(0), rows, OptionalInt.empty(), DataType.FLOAT));
        }
    }

    @Test
    void rotary() {
        try (GradientCase c = new GradientCase("rotary").parameter(3, 8)) {
            RotaryTable table = new RotaryTable(new float[] {1, 0.2f}, 12, 1);
            c.check((tape, p) -> AttentionOps.rotary(tape, copy(tape, p.get(0)), 4, table, new int[] {11, 0, 5}));
        }
    }

    @Test
    void attention() {
        AttentionLayout layout = new AttentionLayout(List.of(new Segment(0, 4, List.of(), 0, 0),
                new Segment(4, 6, List.of(new Range(0, 4)), 4, 0), new Segment(6, 9, List.of(new Range(0, 4)), 6, 0),
                new Segment(9, 10, List.of(), 9, 0)));
        try (GradientCase c = new GradientCase("attention").parameter(10, 12).parameter(10, 6).parameter(10, 6)) {
            AttentionShape shape = new AttentionShape(4, 2, 3, 0.7f);
            c.check((tape, p) -> AttentionOps.attention(tape, p.get(0), p.get(1), p.get(2), layout, shape));
        }
    }

    @Test
    void attentionWithAWindowASoftCapAndExtras() {
        AttentionLayout layout = AttentionLayout.packed(6, 4).windowed(3);
        try (GradientCase c = new GradientCase("capped").parameter(10, 12).parameter(10, 6).parameter(10, 6)) {
            AttentionShape shape = new AttentionShape(4, 2, 3, 0.7f, 1.5f);
            AttentionExtras extras = new AttentionExtras(Optional.of(c.normal(4)), Optional.of(c.normal(4, 3)));
            c.check((tape, p) -> AttentionOps.attention(tape, p.get(0), p.get(1), p.get(2), layout, shape, extras));
        }
    }

    @Test
    void crossAttention() {
        AttentionLayout layout = AttentionLayout.cross(new int[] {3, 2}, new int[] {4, 1});
        try (GradientCase c = new GradientCase("cross").parameter(5, 4).parameter(5, 4).parameter(5, 4)) {
            AttentionShape shape = new AttentionShape(2, 2, 2, 0.7f);
            c.check((tape, p) -> AttentionOps.attention(tape, p.get(0), p.get(1), p.get(2), layout, shape));
        }
    }

    @Test
    void aValueWithSeveralConsumers() {
        try (GradientCase c = new GradientCase("consumers").parameter(3, 5).parameter(5, 5).parameter(5)) {
            c.check((tape, p) -> {
                Variable x = NormOps.rmsNorm(tape, p.get(0), p.get(2), 0.1f);
                Variable gate = MatrixOps.matmulTransposed(tape, x, p.get(1));
                Variable inner = ElementwiseOps.gated(tape, Activation.SILU, gate, x);
                Variable sum = ElementwiseOps.add(tape, inner, x);
                return ElementwiseOps.multiply(tape, sum, gate);
            });
        }
    }

    @Test
    void residualConnections() {
        try (GradientCase c = new GradientCase("residuals").parameter(3, 5).scaledParameter(0.3, 5, 5)
                .scaledParameter(0.3, 2, 5).scaledParameter(0.3, 5, 2)) {
            INDArray norm = c.normal(5);
            DenseWeight w = new DenseWeight(c.scaled(0.3, 5, 5));
            c.check((tape, p) -> {
                Variable x = p.get(0);
                for (int layer = 0; layer < 3; layer++) {
                    Variable n = NormOps.rmsNorm(tape, x, tape.constant(norm), 0.1f);
                    Variable y = MatrixOps.matmulTransposed(tape, n, p.get(1));
                    Variable z = MatrixOps.addLowRank(tape, MatrixOps.linear(tape, y, w), y, p.get(2), p.get(3), 0.5f);
                    x = ElementwiseOps.addInto(tape, x, z);
                }
                return x;
            });
        }
    }
}
