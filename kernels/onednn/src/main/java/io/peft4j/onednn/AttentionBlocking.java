package io.peft4j.onednn;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionLayout.Sight;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * How attention over a layout is cut up: into blocks of query rows with the keys that each sees, and into groups of
 * segments that share key rows.
 *
 * <p>Sizes are rounded to few different ones (rows to {@value #ROW_UNIT}, keys to {@value #KEY_UNIT}), so that the
 * lengths of examples do not each need primitives of their own.
 */
final class AttentionBlocking {
    /** Rows of a block are a multiple of this, unless they are {@value #FEW_ROWS} or less (generation). */
    private static final int ROW_UNIT = 16;
    /**
     * Up to here they are a multiple of twice as many: the short segments of a batch have all lengths, and each number
     * of rows takes primitives of its own, of half a megabyte each.
     */
    private static final int SHORT_ROWS = 64;
    private static final int FEW_ROWS = 4;
    /** The fastest of the sizes tried at 2,048 tokens: fewer rows are up to a half slower, more are no better. */
    private static final int MOST_ROWS = 96;
    /**
     * The same where all rows see the same keys, times the query heads of a key/value head: larger blocks repack keys
     * less often, and hide nothing that smaller ones would leave out.
     */
    private static final int MOST_FOLDED = 256;
    /** Columns of a block's scores are a multiple of this. */
    private static final int KEY_UNIT = 32;
    /** Scores of a block, for all query heads of a key/value head: more rows reuse repacked keys more often. */
    private static final int MOST_SCORES = 1 << 19;

    /**
     * Query rows that are computed together.
     *
     * @param row first query row
     * @param rows number of rows
     * @param padded rows that are computed
     * @param keys the key rows that some row sees, in order: the columns of the scores
     * @param count the number of keys
     * @param visible the column after the last that the first row sees; each further row sees one more, if there is one
     * @param hidden what to add to a row's number for the first column that it sees; below 0 it is column 0
     * @param distance from the key of the first row to that of the first column
     * @param columns the number of columns: as many as keys, or more
     * @param inPlace whether the keys are one range and the rows after it, to {@code columns}, hold keys too, though
     *     hidden ones: then they are read where they lie
     */
    record Block(int row, int rows, int padded, List<Range> keys, int count, int visible, int hidden, int distance,
            int columns, boolean inPlace) {
        /** Whether each row sees all columns. */
        boolean showsAll() {
            return from(rows - 1) == 0 && to(0) == columns;
        }

        /** The first column that row i of the block sees; padding sees what the last row does. */
        int from(int i) {
            return Math.max(0, hidden + Math.min(i, rows - 1));
        }

        /** The column after the last that row i of the block sees. */
        int to(int i) {
            return Math.min(count, visible + Math.min(i, rows - 1));
        }
    }

    /**
     * Blocks whose key rows overlap, and the rows that hold these.
     *
     * @param keyStart first key row
     * @param keyEnd the row after the last
     * @param blocks the blocks
     */
    record Group(int keyStart, int keyEnd, List<Block> blocks) {
        int keys() {
            return keyEnd - keyStart;
        }

        /** Rows of an array for all keys, including the columns after the last. */
        int paddedKeys() {
            return keys() + KEY_UNIT;
        }
    }

    private final List<Block> blocks = new ArrayList<>();
    private final List<Group> groups = new ArrayList<>();
    /** Key rows that some query row sees. Others of a cache may never have been written. */
    private final BitSet seen = new BitSet();
    private final int spare;

    /**
     * The plan of a layout.
     *
     * @param queriesPerKey query heads that read one key/value head
     * @param spare columns after the last key that scores need
     */
    AttentionBlocking(AttentionLayout layout, int queriesPerKey, int spare) {
        this.spare = spare;
        for (Segment segment : layout.segments()) {
            seen.set(segment.ownKeyStart(), segment.ownKeyEnd());
            segment.context().forEach(range -> seen.set(range.start(), range.end()));
        }
        List<Group> single = new ArrayList<>();
        for (Segment segment : layout.segments()) {
            List<Block> own = blocks(segment, queriesPerKey);
            blocks.addAll(own);
            List<Range> keys = segment.keyRows(0, segment.keys());
            single.add(new Group(keys.stream().mapToInt(Range::start).min().orElseThrow(),
                    keys.stream().mapToInt(Range::end).max().orElseThrow(), own));
        }
        single.sort(Comparator.comparingInt(Group::keyStart));
        single.forEach(this::merge);
        blocks.sort(Comparator.comparingInt((Block b) -> b.padded() * b.columns()).reversed());
    }

    /** All blocks, the largest first. */
    List<Block> blocks() {
        return blocks;
    }

    /** The groups; their key rows do not overlap. */
    List<Group> groups() {
        return groups;
    }

    private void merge(Group next) {
        Group last = groups.isEmpty() ? null : groups.get(groups.size() - 1);
        if (last == null || next.keyStart() >= last.keyEnd()) {
            groups.add(next);
            return;
        }
        List<Block> joined = new ArrayList<>(last.blocks());
        joined.addAll(next.blocks());
        groups.set(groups.size() - 1, new Group(last.keyStart(), Math.max(last.keyEnd(), next.keyEnd()), joined));
    }

    private List<Block> blocks(Segment segment, int queriesPerKey) {
        int keys = segment.window() == 0 ? segment.keys() : Math.min(segment.keys(), segment.window() + MOST_ROWS);
        int fitting = MOST_SCORES / (queriesPerKey * paddedKeys(keys)) / ROW_UNIT * ROW_UNIT;
        int most = Math.max(ROW_UNIT, Math.min(mostRows(segment, queriesPerKey), fitting));
        int count = (segment.queries() + most - 1) / most;
        int size = (segment.queries() + count - 1) / count;
        size = paddedRows(size);
        List<Block> blocks = new ArrayList<>();
        for (int first = 0; first < segment.queries(); first += size) {
            blocks.add(block(segment, first, Math.min(size, segment.queries() - first)));
        }
        return blocks;
    }

    private static int mostRows(Segment segment, int queriesPerKey) {
        boolean seesAll = segment.sight() != Sight.CAUSAL && segment.window() == 0;
        return seesAll ? Math.max(MOST_ROWS, MOST_FOLDED / queriesPerKey / ROW_UNIT * ROW_UNIT) : MOST_ROWS;
    }

    private Block block(Segment segment, int first, int rows) {
        int from = segment.seenFrom(first);
        int to = segment.seenTo(first + rows - 1);
        List<Range> keys = segment.keyRows(from, to);
        int columns = paddedKeys(to - from + spare);
        int end = keys.get(0).start() + columns;
        boolean inPlace = spare == 0 && keys.size() == 1 && seen.nextClearBit(keys.get(0).start()) >= end;
        return new Block(segment.queryStart() + first, rows, paddedRows(rows), keys, to - from,
                segment.seenTo(first) - from, segment.seenFrom(first + rows - 1) - from - (rows - 1),
                from - segment.position(first), columns, inPlace);
    }

    private static int paddedRows(int rows) {
        return rows <= FEW_ROWS ? rows : roundUp(rows, rows <= SHORT_ROWS ? 2 * ROW_UNIT : ROW_UNIT);
    }

    /** Columns for a number of keys. */
    private static int paddedKeys(int keys) {
        return roundUp(keys, KEY_UNIT);
    }

    private static int roundUp(int value, int unit) {
        return (value + unit - 1) / unit * unit;
    }
}
