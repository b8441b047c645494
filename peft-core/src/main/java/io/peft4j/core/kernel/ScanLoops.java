package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.SequenceKernels.ScanInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A scan for any implementation of kernels: a head of a sequence, with all sequences that share its beginning, is a
 * task. A few rows are computed one by one, more in {@linkplain ScanChunk chunks}. The gradient computes the states
 * before all chunks of a head again and keeps nothing from the forward pass.
 */
final class ScanLoops {
    /** Up to so many rows of a piece are computed one by one. */
    private static final int FEW_ROWS = 4;

    private final ScanShape shape;
    private final RowOrder order;
    private final SmallPieces q;
    private final SmallPieces k;
    private final SmallPieces v;
    private final float[] decay;
    private final Optional<float[]> rate;
    private final int size;
    /** The pieces of each group of sequences that begin alike. */
    private final List<List<Integer>> trees = new ArrayList<>();
    private final boolean[] hasChildren;
    private final Map<Tiles, ScanChunk> chunks = new ConcurrentHashMap<>();

    ScanLoops(ScanShape shape, ScanInputs inputs, RowOrder order) {
        this.shape = shape;
        this.order = order;
        q = SmallPieces.of(inputs.queries());
        k = SmallPieces.of(inputs.keys());
        v = SmallPieces.of(inputs.values());
        decay = Arrays.toFloats(inputs.decay());
        rate = inputs.rate().map(Arrays::toFloats);
        size = shape.keySize() * shape.valueSize();
        int[] treeOf = new int[order.pieces().size()];
        hasChildren = new boolean[treeOf.length];
        for (int p = 0; p < treeOf.length; p++) {
            int parent = order.pieces().get(p).parent();
            if (parent >= 0) {
                hasChildren[parent] = true;
            } else {
                trees.add(new ArrayList<>());
            }
            treeOf[p] = parent >= 0 ? treeOf[parent] : trees.size() - 1;
            trees.get(treeOf[p]).add(p);
        }
    }

    private ScanChunk chunk(Tiles lane) {
        return chunks.computeIfAbsent(lane,
                key -> new ScanChunk(shape.keySize(), shape.valueSize(), rate.isPresent()));
    }

    private <L extends Tiles> void run(Workers<L> workers, int count, Workers.Task<? super L> task) {
        try {
            workers.run(count, task);
        } finally {
            chunks.values().forEach(ScanChunk::close);
            chunks.clear();
        }
    }

    // ---- forward

    void forward(Workers<?> workers, PieceStates states, INDArray y) {
        SmallPieces ys = SmallPieces.of(y);
        run(workers, trees.size() * shape.valueHeads(), (lane, task) -> forward(lane,
                trees.get(task / shape.valueHeads()), task % shape.valueHeads(), states, ys));
    }

    private void forward(Tiles lane, List<Integer> tree, int head, PieceStates states, SmallPieces y) {
        float[][] ends = new float[order.pieces().size()][];
        float[] state = new float[size];
        for (int number : tree) {
            RowOrder.Piece piece = order.pieces().get(number);
            start(state, piece, ends, states.before(number), head);
            if (piece.rows() <= FEW_ROWS) {
                for (int row = piece.start(); row < piece.end(); row++) {
                    step(lane, row, head, state, y);
                }
            } else {
                ScanChunk chunk = chunk(lane);
                chunk.setState(state);
                for (int from = piece.start(); from < piece.end(); from += ScanChunk.ROWS) {
                    int count = Math.min(ScanChunk.ROWS, piece.end() - from);
                    read(lane, chunk, from, count, head);
                    chunk.forward();
                    write(lane, y, chunk.y, from, count, head, shape.valueHeads(), shape.valueSize());
                }
                chunk.getState(state);
            }
            ends[number] = hasChildren[number] ? state.clone() : state;
            states.after(number).ifPresent(after -> Arrays.write(after, (long) head * size, state, 0, size));
        }
    }

    private void start(float[] state, RowOrder.Piece piece, float[][] ends, Optional<INDArray> before, int head) {
        if (piece.parent() >= 0) {
            System.arraycopy(ends[piece.parent()], 0, state, 0, size);
        } else if (before.isPresent()) {
            Arrays.read(before.get(), (long) head * size, state, 0, size);
        } else {
            java.util.Arrays.fill(state, 0);
        }
    }

    /** One row: the state is read and written once for the rate and once for the rest. */
    private void step(Tiles lane, int row, int head, float[] state, SmallPieces y) {
        int keySize = shape.keySize();
        int valueSize = shape.valueSize();
        float[] query = lane.floats(0, keySize);
        float[] key = lane.floats(1, keySize);
        float[] u = lane.floats(2, valueSize);
        float[] result = lane.floats(3, valueSize);
        long keyAt = ((long) row * shape.keyHeads() + shape.keyHead(head)) * keySize;
        long valueAt = ((long) row * shape.valueHeads() + head) * valueSize;
        q.read(keyAt, query, keySize, lane);
        k.read(keyAt, key, keySize, lane);
        v.read(valueAt, u, valueSize, lane);
        int gate = row * shape.valueHeads() + head;
        float kept = (float) Math.exp(decay[gate]);
        if (rate.isPresent()) {
            java.util.Arrays.fill(result, 0, valueSize, 0);
            for (int i = 0; i < keySize; i++) {
                SmallRows.addOne(valueSize, key[i], state, i * valueSize, result, 0);
            }
            float beta = rate.get()[gate];
            for (int j = 0; j < valueSize; j++) {
                u[j] = beta * (u[j] - kept * result[j]);
            }
        }
        java.util.Arrays.fill(result, 0, valueSize, 0);
        for (int i = 0; i < keySize; i++) {
            advance(valueSize, kept, key[i], query[i], u, state, i * valueSize, result);
        }
        y.write(valueAt, result, valueSize, lane);
    }

    private static void advance(int count, float kept, float key, float query, float[] u, float[] state, int at,
            float[] result) {
        for (int j = 0; j < count; j++) {
            float value = kept * state[at + j] + key * u[j];
            state[at + j] = value;
            result[j] += query * value;
        }
    }

    private void read(Tiles lane, ScanChunk chunk, int from, int count, int head) {
        readAllButQueries(lane, chunk, from, count, head);
        read(lane, q, chunk.q, from, count, shape.keyHead(head), shape.keyHeads(), shape.keySize());
    }

    private void readAllButQueries(Tiles lane, ScanChunk chunk, int from, int count, int head) {
        chunk.rows(count);
        read(lane, k, chunk.k, from, count, shape.keyHead(head), shape.keyHeads(), shape.keySize());
        read(lane, v, chunk.v, from, count, head, shape.valueHeads(), shape.valueSize());
        for (int i = 0; i < count; i++) {
            int at = (from + i) * shape.valueHeads() + head;
            chunk.g[i] = decay[at];
            chunk.beta[i] = rate.isPresent() ? rate.get()[at] : 1;
        }
    }

    private static void read(Tiles lane, SmallPieces source, float[] target, int from, int count, int head, int heads,
            int width) {
        float[] row = lane.floats(0, width);
        for (int i = 0; i < count; i++) {
            source.read(((long) (from + i) * heads + head) * width, row, width, lane);
            System.arraycopy(row, 0, target, i * width, width);
        }
    }

    private static void write(Tiles lane, SmallPieces target, float[] source, int from, int count, int head, int heads,
            int width) {
        float[] row = lane.floats(0, width);
        for (int i = 0; i < count; i++) {
            System.arraycopy(source, i * width, row, 0, width);
            target.write(((long) (from + i) * heads + head) * width, row, width, lane);
        }
    }

    // ---- gradient

    /** The gradients of all inputs, each written by one thread: heads of values that share keys are one task. */
    void backward(Workers<?> workers, INDArray dy, ScanInputs gradients) {
        float[] dDecay = new float[decay.length];
        float[] dRate = new float[decay.length];
        Gradients targets = new Gradients(SmallPieces.of(dy), SmallPieces.of(gradients.queries()),
                SmallPieces.of(gradients.keys()), SmallPieces.of(gradients.values()), dDecay, dRate);
        run(workers, trees.size() * shape.keyHeads(), (lane, task) -> backward(lane,
                trees.get(task / shape.keyHeads()), task % shape.keyHeads(), targets));
        Arrays.write(gradients.decay(), 0, dDecay, 0, dDecay.length);
        gradients.rate().ifPresent(target -> Arrays.write(target, 0, dRate, 0, dRate.length));
    }

    private record Gradients(SmallPieces dy, SmallPieces dq, SmallPieces dk, SmallPieces dv, float[] dDecay,
            float[] dRate) {
    }

    /** The gradients of queries and keys of a head, by piece, summed over the heads of values that share them. */
    private record KeySums(float[][] dq, float[][] dk) {
    }

    private void backward(Tiles lane, List<Integer> tree, int keyHead, Gradients targets) {
        int group = shape.valueHeads() / shape.keyHeads();
        KeySums sums = new KeySums(new float[order.pieces().size()][], new float[order.pieces().size()][]);
        for (int number : tree) {
            sums.dq()[number] = new float[order.pieces().get(number).rows() * shape.keySize()];
            sums.dk()[number] = new float[order.pieces().get(number).rows() * shape.keySize()];
        }
        ScanChunk chunk = chunk(lane);
        for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
            backward(lane, tree, head, chunk, targets, sums);
        }
        for (int number : tree) {
            RowOrder.Piece piece = order.pieces().get(number);
            write(lane, targets.dq(), sums.dq()[number], piece.start(), piece.rows(), keyHead, shape.keyHeads(),
                    shape.keySize());
            write(lane, targets.dk(), sums.dk()[number], piece.start(), piece.rows(), keyHead, shape.keyHeads(),
                    shape.keySize());
        }
    }

    private void backward(Tiles lane, List<Integer> tree, int head, ScanChunk chunk, Gradients targets,
            KeySums sums) {
        float[][][] states = states(lane, tree, head, chunk);
        float[][] dEnds = new float[order.pieces().size()][];
        for (int t = tree.size() - 1; t >= 0; t--) {
            int number = tree.get(t);
            RowOrder.Piece piece = order.pieces().get(number);
            float[] dState = dEnds[number] == null ? new float[size] : dEnds[number];
            chunk.setStateGradient(dState);
            for (int c = states[number].length - 1; c >= 0; c--) {
                int from = piece.start() + c * ScanChunk.ROWS;
                int count = Math.min(ScanChunk.ROWS, piece.end() - from);
                read(lane, chunk, from, count, head);
                read(lane, targets.dy(), chunk.y, from, count, head, shape.valueHeads(), shape.valueSize());
                chunk.setState(states[number][c]);
                chunk.backward();
                write(lane, targets.dv(), chunk.dv, from, count, head, shape.valueHeads(), shape.valueSize());
                SmallRows.addOne(count * shape.keySize(), 1, chunk.dq, 0, sums.dq()[number],
                        (from - piece.start()) * shape.keySize());
                SmallRows.addOne(count * shape.keySize(), 1, chunk.dk, 0, sums.dk()[number],
                        (from - piece.start()) * shape.keySize());
                for (int i = 0; i < count; i++) {
                    targets.dDecay()[(from + i) * shape.valueHeads() + head] = chunk.dg[i];
                    targets.dRate()[(from + i) * shape.valueHeads() + head] = chunk.dBeta[i];
                }
            }
            if (piece.parent() >= 0) {
                chunk.getStateGradient(dState);
                if (dEnds[piece.parent()] == null) {
                    dEnds[piece.parent()] = dState;
                } else {
                    SmallRows.add(size, dState, dEnds[piece.parent()]);
                }
            }
        }
    }

    /** The states before all chunks of all pieces. */
    private float[][][] states(Tiles lane, List<Integer> tree, int head, ScanChunk chunk) {
        float[][][] states = new float[order.pieces().size()][][];
        float[][] ends = new float[order.pieces().size()][];
        float[] state = new float[size];
        for (int number : tree) {
            RowOrder.Piece piece = order.pieces().get(number);
            start(state, piece, ends, Optional.empty(), head);
            chunk.setState(state);
            states[number] = new float[(piece.rows() + ScanChunk.ROWS - 1) / ScanChunk.ROWS][];
            for (int c = 0; c < states[number].length; c++) {
                states[number][c] = new float[size];
                chunk.getState(states[number][c]);
                int from = piece.start() + c * ScanChunk.ROWS;
                if (hasChildren[number] || c + 1 < states[number].length) {
                    readAllButQueries(lane, chunk, from, Math.min(ScanChunk.ROWS, piece.end() - from), head);
                    chunk.advance();
                }
            }
            if (hasChildren[number]) {
                ends[number] = new float[size];
                chunk.getState(ends[number]);
            }
        }
        return states;
    }
}
