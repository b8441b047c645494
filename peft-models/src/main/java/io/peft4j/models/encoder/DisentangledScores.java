package io.peft4j.models.encoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The softmax of DeBERTa's scores times the values, with its gradient, on the heap in f32, one head at a time on
 * several threads. The gradient computes the probabilities again instead of keeping them. See
 * {@link EncoderBuilder.DisentangledAttention}.
 */
final class DisentangledScores {
    private final float[] queries;
    private final float[] keys;
    private final float[] values;
    private final float[] distanceKeys;
    private final float[] distanceQueries;
    private final AttentionLayout layout;
    private final AttentionShape shape;
    private final IntUnaryOperator rows;
    private final int width;

    /**
     * What attention reads.
     *
     * @param queries [N, heads x D]
     * @param keys [N, heads x D]
     * @param values [N, heads x D]
     * @param distanceKeys [R, heads x D], what queries are compared with, where they are
     * @param distanceQueries [R, heads x D], what keys are compared with, where they are
     */
    record Inputs(Variable queries, Variable keys, Variable values, Optional<Variable> distanceKeys,
            Optional<Variable> distanceQueries) {
        private List<Variable> all() {
            List<Variable> all = new ArrayList<>(List.of(queries, keys, values));
            distanceKeys.ifPresent(all::add);
            distanceQueries.ifPresent(all::add);
            return all;
        }
    }

    private DisentangledScores(Inputs inputs, AttentionLayout layout, AttentionShape shape, IntUnaryOperator rows) {
        this.queries = Arrays.toFloats(inputs.queries().value());
        this.keys = Arrays.toFloats(inputs.keys().value());
        this.values = Arrays.toFloats(inputs.values().value());
        this.distanceKeys = inputs.distanceKeys().map(v -> Arrays.toFloats(v.value())).orElse(new float[0]);
        this.distanceQueries = inputs.distanceQueries().map(v -> Arrays.toFloats(v.value())).orElse(new float[0]);
        this.layout = layout;
        this.shape = shape;
        this.rows = rows;
        this.width = shape.queryColumns();
    }

    /**
     * Attention of each token to all of its sequence, [N, heads x D].
     *
     * @param rows the row of R of a distance, the query's position less the key's
     */
    static Variable attention(Tape tape, Inputs inputs, AttentionLayout layout, AttentionShape shape,
            IntUnaryOperator rows) {
        INDArray out = tape.allocate(inputs.queries().rows(), inputs.queries().columns());
        float[] result = new DisentangledScores(inputs, layout, shape, rows).forward();
        Arrays.write(out, 0, result, 0, result.length);
        return tape.record(out, (output, dOut) -> new DisentangledScores(inputs, layout, shape, rows)
                .backward(inputs, Arrays.toFloats(dOut)), inputs.all());
    }

    private float[] forward() {
        float[] out = new float[queries.length];
        forHeads((head, segment) -> {
            for (int i = 0; i < segment.length; i++) {
                float[] p = segment.probabilities(i);
                int at = (segment.start + i) * width + head * shape.headSize();
                for (int j = 0; j < segment.length; j++) {
                    add(p[j], values, segment.at(j), out, at);
                }
            }
        });
        return out;
    }

    private void backward(Inputs inputs, float[] dOut) {
        float[] dq = new float[queries.length];
        float[] dk = new float[keys.length];
        float[] dv = new float[values.length];
        float[] dPositionKeys = new float[distanceKeys.length];
        float[] dPositionQueries = new float[distanceQueries.length];
        forHeads((head, segment) -> {
            for (int i = 0; i < segment.length; i++) {
                float[] p = segment.probabilities(i);
                float[] ds = segment.scoreGradient(i, p, dOut);
                for (int j = 0; j < segment.length; j++) {
                    add(p[j], dOut, segment.at(i), dv, segment.at(j));
                    add(ds[j], keys, segment.at(j), dq, segment.at(i));
                    add(ds[j], queries, segment.at(i), dk, segment.at(j));
                    int distance = rows.applyAsInt(i - j) * width + head * shape.headSize();
                    if (distanceKeys.length > 0) {
                        add(ds[j], distanceKeys, distance, dq, segment.at(i));
                        add(ds[j], queries, segment.at(i), dPositionKeys, distance);
                    }
                    if (distanceQueries.length > 0) {
                        add(ds[j], distanceQueries, distance, dk, segment.at(j));
                        add(ds[j], keys, segment.at(j), dPositionQueries, distance);
                    }
                }
            }
        });
        give(inputs.queries(), dq);
        give(inputs.keys(), dk);
        give(inputs.values(), dv);
        inputs.distanceKeys().ifPresent(v -> give(v, dPositionKeys));
        inputs.distanceQueries().ifPresent(v -> give(v, dPositionQueries));
    }

    private static void give(Variable variable, float[] gradient) {
        variable.addGradient((dx, accumulate) -> HeapRows.write(dx, gradient, accumulate));
    }

    /** Adds {@code factor x} to y, D elements of each. */
    private void add(float factor, float[] x, int xFirst, float[] y, int yFirst) {
        for (int d = 0; d < shape.headSize(); d++) {
            y[yFirst + d] += factor * x[xFirst + d];
        }
    }

    /** Works on a sequence in one head. */
    private interface Task {
        void run(int head, Segment segment);
    }

    /** Heads write to columns of their own, so that the result does not depend on the number of threads. */
    private void forHeads(Task task) {
        IntStream.range(0, shape.heads()).parallel()
                .forEach(head -> layout.segments().forEach(segment -> task.run(head, new Segment(head, segment))));
    }

    /** A sequence in one head, with the columns that its scores read. */
    private final class Segment {
        private final int start;
        private final int length;
        private final int firstColumn;
        private final float[][] keyColumns;
        private final float[][] valueColumns;
        private final float[][] distanceKeyColumns;
        private final float[][] distanceQueryColumns;

        Segment(int head, AttentionLayout.Segment segment) {
            this.start = segment.queryStart();
            this.length = segment.queries();
            this.firstColumn = head * shape.headSize();
            this.keyColumns = columns(keys, length, j -> start + j);
            this.valueColumns = columns(values, length, j -> start + j);
            // Column c of a query i is that of the key c + i - (length - 1).
            IntUnaryOperator distance = c -> rows.applyAsInt(length - 1 - c);
            this.distanceKeyColumns = columns(distanceKeys, 2 * length - 1, distance);
            this.distanceQueryColumns = columns(distanceQueries, 2 * length - 1, distance);
        }

        /** The head's columns of chosen rows, one array each; zeros where nothing is given. */
        private float[][] columns(float[] from, int count, IntUnaryOperator row) {
            float[][] columns = new float[shape.headSize()][count];
            for (int c = 0; from.length > 0 && c < count; c++) {
                int at = row.applyAsInt(c) * width + firstColumn;
                for (int d = 0; d < columns.length; d++) {
                    columns[d][c] = from[at + d];
                }
            }
            return columns;
        }

        /** Where the elements of a token begin. */
        int at(int token) {
            return (start + token) * width + firstColumn;
        }

        /** How much a query takes of each value. */
        float[] probabilities(int query) {
            float[] scores = new float[length];
            int offset = length - 1 - query;
            for (int d = 0; d < keyColumns.length; d++) {
                compare(scores, queries[at(query) + d], keyColumns[d], distanceKeyColumns[d],
                        distanceQueryColumns[d], offset);
            }
            float largest = Float.NEGATIVE_INFINITY;
            for (float score : scores) {
                largest = Math.max(largest, score);
            }
            double sum = 0;
            for (int j = 0; j < length; j++) {
                scores[j] = (float) Math.exp((scores[j] - largest) * shape.scale());
                sum += scores[j];
            }
            for (int j = 0; j < length; j++) {
                scores[j] /= (float) sum;
            }
            return scores;
        }

        private static void compare(float[] scores, float query, float[] key, float[] distanceKey,
                float[] distanceQuery, int offset) {
            for (int j = 0; j < scores.length; j++) {
                scores[j] += query * (key[j] + distanceKey[offset + j]) + key[j] * distanceQuery[offset + j];
            }
        }

        /** The gradient of a query's scores before they are scaled. */
        float[] scoreGradient(int query, float[] probabilities, float[] dOut) {
            float[] gradient = new float[length];
            for (int d = 0; d < valueColumns.length; d++) {
                float factor = dOut[at(query) + d];
                float[] column = valueColumns[d];
                for (int j = 0; j < length; j++) {
                    gradient[j] += factor * column[j];
                }
            }
            double mean = 0;
            for (int j = 0; j < length; j++) {
                mean += (double) probabilities[j] * gradient[j];
            }
            for (int j = 0; j < length; j++) {
                gradient[j] = probabilities[j] * (gradient[j] - (float) mean) * shape.scale();
            }
            return gradient;
        }
    }
}
