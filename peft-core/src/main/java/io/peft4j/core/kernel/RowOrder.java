package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The order of the rows of a packed batch in their sequences, for operations that read a sequence row by row. Rows are
 * cut into pieces; the rows of a piece follow each other. A piece continues another one, behind a row that an
 * earlier pass has computed, or it begins a sequence. Several may go on behind the same one, as sequences that share a
 * prefix do, so examples that share a batch never mix.
 */
@Internal(shared = true)
public final class RowOrder {
    /**
     * Rows that follow each other.
     *
     * @param start the first row
     * @param end the row after the last
     * @param parent number of the piece whose last row comes before the first one here, always a smaller number; -1:
     *     none of the batch
     * @param before without a parent, the key row of an earlier pass that comes before the first row; -1: none
     */
    public record Piece(int start, int end, int parent, int before) {
        /** The number of rows. */
        public int rows() {
            return end - start;
        }
    }

    private final List<Piece> pieces;
    private final int[] previous;

    private RowOrder(List<Piece> pieces, int rows) {
        this.pieces = List.copyOf(pieces);
        previous = new int[rows];
        for (Piece piece : pieces) {
            for (int row = piece.start(); row < piece.end(); row++) {
                previous[row] = row - 1;
            }
            previous[piece.start()] = piece.parent() < 0 ? -1 : pieces.get(piece.parent()).end() - 1;
        }
    }

    /** The order of a batch whose key rows are its own rows, as in training; what else it sees comes before all. */
    public static RowOrder of(AttentionLayout layout) {
        int past = layout.keyRows() - layout.queryRows();
        int[] own = new int[layout.queryRows()];
        java.util.Arrays.setAll(own, i -> past + i);
        return of(layout, own);
    }

    /**
     * The order of a batch.
     *
     * @param layout what its rows see, of which the last one is the row before
     * @param keyRows the key row of each row
     * @throws IllegalArgumentException when rows see later ones, which have no such order
     */
    public static RowOrder of(AttentionLayout layout, int... keyRows) {
        List<AttentionLayout.Segment> segments = layout.segments();
        int[] before = new int[segments.size()];
        int[] parents = new int[segments.size()];
        BitSet ends = new BitSet(keyRows.length);
        for (int i = 0; i < before.length; i++) {
            AttentionLayout.Segment segment = segments.get(i);
            if (segment.sight() != AttentionLayout.Sight.CAUSAL) {
                throw new IllegalArgumentException("rows that see later ones cannot be read one after the other");
            }
            before[i] = keyBefore(segment);
            parents[i] = before[i] < 0 ? -1 : rowOf(before[i], keyRows);
            ends.set(segment.queryEnd() - 1);
            if (parents[i] >= segment.queryStart()) {
                throw new IllegalArgumentException("row " + segment.queryStart() + " comes behind the later row "
                        + parents[i]);
            }
            if (parents[i] >= 0) {
                ends.set(parents[i]);
            }
        }
        return new RowOrder(cut(segments, ends, parents, before), keyRows.length);
    }

    private static List<Piece> cut(List<AttentionLayout.Segment> segments, BitSet ends, int[] parents, int[] before) {
        List<Piece> pieces = new ArrayList<>();
        int[] endingAt = new int[ends.length()];
        for (int i = 0; i < before.length; i++) {
            int start = segments.get(i).queryStart();
            int parent = parents[i] < 0 ? -1 : endingAt[parents[i]];
            int own = parents[i] < 0 ? before[i] : -1;
            while (start < segments.get(i).queryEnd()) {
                int last = ends.nextSetBit(start);
                endingAt[last] = pieces.size();
                pieces.add(new Piece(start, last + 1, parent, own));
                parent = endingAt[last];
                own = -1;
                start = last + 1;
            }
        }
        return pieces;
    }

    /** The key before that of the first row, or -1. */
    private static int keyBefore(AttentionLayout.Segment segment) {
        if (segment.ownKeysBefore() > 0) {
            return segment.ownKeyStart() + segment.ownKeysBefore() - 1;
        }
        for (int i = segment.context().size() - 1; i >= 0; i--) {
            if (segment.context().get(i).length() > 0) {
                return segment.context().get(i).end() - 1;
            }
        }
        return -1;
    }

    /** The row of the batch that has a key row, or -1; rows mostly have keys in their order. */
    private static int rowOf(int key, int... keyRows) {
        int guess = key - keyRows[0];
        if (guess >= 0 && guess < keyRows.length && keyRows[guess] == key) {
            return guess;
        }
        for (int i = 0; i < keyRows.length; i++) {
            if (keyRows[i] == key) {
                return i;
            }
        }
        return -1;
    }

    /** The pieces in the order of their rows. */
    public List<Piece> pieces() {
        return pieces;
    }

    /** For each row the row of the batch before it, or -1; the array itself, not to be changed. */
    public int[] previous() {
        return previous;
    }

    /** The number of rows. */
    public int rows() {
        return previous.length;
    }
}
