package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.AttentionLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * A batch of N tokens without padding: sequences one after the other, each token with its position, what it may see,
 * and the loss targets. A row stands for one token; where sequences begin with the same tokens, a row may stand for the
 * same token of several of them (see {@link BatchPacker}).
 *
 * <p>Adapters may put something before all sequences: rows of their own ({@link #withVirtualTokens}) or keys and values
 * ({@link #afterPast}). All sequences share them, and their positions begin behind.
 *
 * @see BatchPacker
 */
@Internal(shared = true)
public final class PackedBatch {
    /**
     * What is predicted: row {@code rows[i]} predicts token {@code ids[i]} of sequence {@code sequences[i]}.
     *
     * @param rows row whose hidden state predicts the token; may repeat where sequences share a prefix
     * @param ids the token that follows
     * @param weights weight in the loss
     * @param sequences index of the sequence in the order they were given
     */
    public record Targets(int[] rows, int[] ids, float[] weights, int[] sequences) {
        /** The number of predicted tokens. */
        public int count() {
            return rows.length;
        }

        /** The sum of a value for each of them, by their weights. */
        public double weightedSum(float[] values) {
            double sum = 0;
            for (int i = 0; i < values.length; i++) {
                sum += (double) weights[i] * values[i];
            }
            return sum;
        }

        /** For each of so many sequences the weight of its targets that are not among the hits. */
        public double[] missed(boolean[] hits, int count) {
            double[] missed = new double[count];
            for (int i = 0; i < rows.length; i++) {
                missed[sequences[i]] += hits[i] ? 0 : weights[i];
            }
            return missed;
        }
    }

    /**
     * What the encoder of an encoder-decoder reads for a batch.
     *
     * @param batch the sequences of the encoder
     * @param ofSegments for each segment of the decoder's layout the number of its sequence
     */
    public record Source(PackedBatch batch, int[] ofSegments) {
        /** The attention of the decoder's rows to those of the encoder. */
        public AttentionLayout crossLayout(AttentionLayout decoder) {
            List<AttentionLayout.Segment> cross = new ArrayList<>();
            for (int i = 0; i < ofSegments.length; i++) {
                AttentionLayout.Segment own = decoder.segments().get(i);
                AttentionLayout.Segment read = batch.layout().segments().get(ofSegments[i]);
                cross.add(AttentionLayout.Segment.cross(own.queryStart(), own.queryEnd(),
                        List.of(new AttentionLayout.Range(read.queryStart(), read.queryEnd()))));
            }
            return new AttentionLayout(cross);
        }
    }

    private final int[] tokens;
    private final int[] positions;
    private final AttentionLayout layout;
    private final Targets targets;
    private final int[] lastRows;
    private final int[] cacheRows;
    private final RowMarks marks;
    private final Optional<Origin> origin;
    private final Optional<Source> source;
    private final int maxPosition;
    /** Computed when first asked for, at each of the many places that ask. */
    private Map<Integer, int[]> rowsOfGroups;
    private Map<Integer, int[]> rowsOfTasks;

    /**
     * What the batch was packed from.
     *
     * @param rows the row of each token of each sequence
     */
    record Origin(List<TokenSequence> sequences, boolean sharesPrefixes, int[][] rows) {
    }

    /**
     * A batch from its parts.
     *
     * @param tokens token id of each row
     * @param positions position of each row in its sequence
     * @param layout what each row sees
     * @param targets what is predicted; may be empty
     * @param lastRows row of the last token of each sequence
     * @param cacheRows in generation the row of the key/value cache for each row, else empty
     */
    public PackedBatch(int[] tokens, int[] positions, AttentionLayout layout, Targets targets, int[] lastRows,
            int[] cacheRows) {
        this(tokens, positions, layout, targets, lastRows, cacheRows, RowMarks.NONE, Optional.empty(),
                Optional.empty());
    }

    PackedBatch(int[] tokens, int[] positions, AttentionLayout layout, Targets targets, int[] lastRows,
            int[] cacheRows, RowMarks marks, Optional<Origin> origin, Optional<Source> source) {
        this.tokens = Objects.requireNonNull(tokens, "tokens");
        this.positions = Objects.requireNonNull(positions, "positions");
        this.layout = Objects.requireNonNull(layout, "layout");
        this.targets = Objects.requireNonNull(targets, "targets");
        this.lastRows = Objects.requireNonNull(lastRows, "lastRows");
        this.cacheRows = Objects.requireNonNull(cacheRows, "cacheRows");
        this.marks = marks;
        this.origin = origin;
        this.source = source;
        if (tokens.length == 0 || positions.length != tokens.length || layout.queryRows() != tokens.length) {
            throw new IllegalArgumentException("a batch needs at least one token, and a position and a segment for "
                    + "each; got " + tokens.length + " tokens, " + positions.length + " positions, "
                    + layout.queryRows() + " rows in segments");
        }
        int max = 0;
        for (int position : positions) {
            max = Math.max(max, position);
        }
        this.maxPosition = max;
    }

    /**
     * The same batch for an encoder-decoder, with what its encoder reads.
     *
     * @param encoder the sequences of the encoder
     * @param ofSegments for each segment of this batch's layout the number of its sequence
     */
    public PackedBatch withSource(PackedBatch encoder, int... ofSegments) {
        if (ofSegments.length != layout.segments().size()) {
            throw new IllegalArgumentException(ofSegments.length + " sources for " + layout.segments().size()
                    + " segments");
        }
        return new PackedBatch(tokens, positions, layout, targets, lastRows, cacheRows, marks, origin,
                Optional.of(new Source(encoder, ofSegments.clone())));
    }

    /** The sequences packed one after the other, each computed separately. */
    public static PackedBatch of(List<TokenSequence> sequences) {
        return BatchPacker.pack(sequences, false, i -> 0);
    }

    /** The sequences packed so that a beginning which several have in common is computed once. */
    public static PackedBatch sharingPrefixes(List<TokenSequence> sequences) {
        return BatchPacker.pack(sequences, true, i -> 0);
    }

    /**
     * The same sequences packed again, for adapters that wait for an invocation: on sequence i they work from its
     * position {@code starts.applyAsInt(i)} on. Rows that are computed in different ways are no longer shared.
     *
     * @throws IllegalStateException where the batch is no longer what {@link #of} or {@link #sharingPrefixes} gave
     */
    public PackedBatch invokedFrom(IntUnaryOperator starts) {
        Origin packed = origin.orElseThrow(() -> new IllegalStateException("a batch cannot be packed again "
                + "after it was changed"));
        return BatchPacker.pack(packed.sequences(), packed.sharesPrefixes(), starts);
    }

    /** The same sequences, each computed separately; the batch itself where none share rows. */
    public PackedBatch withoutSharing() {
        return origin.filter(Origin::sharesPrefixes).map(packed -> of(packed.sequences())).orElse(this);
    }

    /**
     * The same batch, in which adapters that wait for an invocation work on some rows only.
     *
     * @param rows for each row whether they do, or none where they do on all
     */
    public PackedBatch withInvoked(boolean... rows) {
        return marked(marks.withInvoked(rows));
    }

    private PackedBatch marked(RowMarks newMarks) {
        newMarks.requireRows(rows());
        return new PackedBatch(tokens, positions, layout, targets, lastRows, cacheRows, newMarks, Optional.empty(),
                source);
    }

    /**
     * Some of the rows as a batch, whose keys are still rows of this one. It has no targets and ends no sequence.
     *
     * @param rows rows of this batch, ascending
     */
    public PackedBatch select(int... rows) {
        return new PackedBatch(RowMarks.take(tokens, rows), RowMarks.take(positions, rows), layout.select(rows),
                new Targets(new int[0], new int[0], new float[0], new int[0]), new int[0],
                cacheRows.length == 0 ? cacheRows : RowMarks.take(cacheRows, rows),
                marks.withLengths(lengths()).select(rows), Optional.empty(),
                Optional.empty());
    }

    /**
     * The same batch whose rows belong to groups, each of which runs through an adapter of its own.
     *
     * @param rowGroups the group of each row, or none where all are of group 0
     */
    public PackedBatch withGroups(int... rowGroups) {
        return marked(marks.withGroups(rowGroups));
    }

    /**
     * The same batch whose rows are of tasks ({@link TokenSequence#task}).
     *
     * @param rowTasks the task of each row
     */
    public PackedBatch withTasks(int... rowTasks) {
        return marked(marks.withTasks(rowTasks));
    }

    /**
     * The same batch with the lengths of the sequences, where segments end before their sequences do.
     *
     * @param rowLengths for each row the length of its sequence
     */
    public PackedBatch withLengths(int... rowLengths) {
        return marked(marks.withLengths(rowLengths));
    }

    /**
     * The batch with {@code count} rows of virtual tokens in front, which every row sees; where rows are of several
     * tasks, with as many for each. They have no token (their id is 0 where one is asked for); an adapter gives them
     * their values.
     */
    public PackedBatch withVirtualTokens(int count) {
        return withVirtualTokens(count, task -> 0);
    }

    /**
     * As {@link #withVirtualTokens(int)}, where each task has virtual tokens of its own.
     *
     * @param firstOfTask the number of the first one of a task, {@link TokenSequence#NO_TASK} among them
     */
    public PackedBatch withVirtualTokens(int count, IntUnaryOperator firstOfTask) {
        return VirtualRows.inFront(this, count, firstOfTask);
    }

    /**
     * The batch with {@code count} rows of virtual tokens at the beginning of each sequence, as an encoder needs them,
     * in which what becomes of them depends on the sequence.
     *
     * @throws IllegalStateException where the batch is not what {@link #of} gave
     */
    public PackedBatch withVirtualTokensInEach(int count) {
        return VirtualRows.inEach(this, count);
    }

    /**
     * The batch behind {@code count} keys and values, which every row sees and an adapter puts before those of the
     * rows.
     */
    public PackedBatch afterPast(int count) {
        return new PackedBatch(tokens, RowMarks.plus(positions, count), layout.behind(count, 0), targets, lastRows,
                cacheRows, marks, Optional.empty(), source);
    }

    /**
     * The same batch for an encoder: each token sees all tokens of its sequence, and keys and values that come before.
     *
     * @throws IllegalArgumentException when sequences share rows, or rows of virtual tokens, which would see the tokens
     *     of all sequences
     */
    public PackedBatch seeingAll() {
        if (virtualTokens().length > 0 && origin.isEmpty() || cacheRows.length > 0
                || origin.map(Origin::sharesPrefixes).orElse(false)) {
            throw new IllegalArgumentException("an encoder needs whole sequences: shared prefixes and virtual "
                    + "tokens are not supported");
        }
        List<AttentionLayout.Segment> segments = layout.segments().stream()
                .map(segment -> AttentionLayout.Segment.bidirectional(segment.queryStart(), segment.queryEnd(),
                        segment.context(),
                        segment.ownKeyStart()))
                .toList();
        return new PackedBatch(tokens, positions, new AttentionLayout(segments), targets, lastRows, cacheRows, marks,
                origin, source);
    }

    /** The batch for generation: each row's key and value go to the row of the cache that the layout says. */
    public PackedBatch withCacheRows() {
        int past = layout.keyRows() - rows();
        int[] own = new int[rows()];
        for (int i = 0; i < own.length; i++) {
            own[i] = past + i;
        }
        return new PackedBatch(tokens, positions, layout, targets, lastRows, own, marks,
                Optional.empty(), source);
    }

    /**
     * What it was packed from; empty where the batch is no longer what {@link #of} or {@link #sharingPrefixes} gave.
     */
    public List<TokenSequence> sequences() {
        return origin.map(Origin::sequences).orElse(List.of());
    }

    /**
     * The row of each token of sequence number {@code sequence} of {@link #sequences()}; the array itself, not to be
     * changed.
     */
    public int[] rowsOf(int sequence) {
        return origin.orElseThrow(() -> new IllegalStateException("the sequences of a batch are unknown after "
                + "it was changed")).rows()[sequence];
    }

    Optional<Origin> origin() {
        return origin;
    }

    RowMarks marks() {
        return marks;
    }

    /** N, the number of rows. */
    public int rows() {
        return tokens.length;
    }

    /** Token id of each row; the array itself, not to be changed. */
    public int[] tokens() {
        return tokens;
    }

    /** Position of each row in its sequence; the array itself, not to be changed. */
    public int[] positions() {
        return positions;
    }

    /** What each row sees. */
    public AttentionLayout layout() {
        return layout;
    }

    /** What is predicted. */
    public Targets targets() {
        return targets;
    }

    /** Row of the last token of each sequence. */
    public int[] lastRows() {
        return lastRows;
    }

    /** In generation the row of the key/value cache for each row, else empty. */
    public int[] cacheRows() {
        return cacheRows;
    }

    /** The group of each row; empty where all are of group 0. The array itself, not to be changed. */
    public int[] groups() {
        return marks.groups();
    }

    /** The group of a row. */
    public int group(int row) {
        return groups().length == 0 ? 0 : groups()[row];
    }

    /** The rows of each group that is there, by ascending group; to be read only. */
    public Map<Integer, int[]> rowsOfGroups() {
        if (rowsOfGroups == null) {
            rowsOfGroups = RowMarks.rowsBy(rows(), this::group);
        }
        return rowsOfGroups;
    }

    /** The task of a row; {@link TokenSequence#NO_TASK} where it names none. */
    public int task(int row) {
        return marks.tasks().length == 0 ? TokenSequence.NO_TASK : marks.tasks()[row];
    }

    /** The rows of each task that is there, by ascending task; to be read only. */
    public Map<Integer, int[]> rowsOfTasks() {
        if (rowsOfTasks == null) {
            rowsOfTasks = RowMarks.rowsBy(rows(), this::task);
        }
        return rowsOfTasks;
    }

    /**
     * Whether adapters that wait for an invocation work on each row; empty where they do on all. The array itself, not
     * to be changed.
     */
    public boolean[] invoked() {
        return marks.invoked();
    }

    /**
     * Which text of its sequence each row belongs to; empty where all belong to text 0. The array itself, not to be
     * changed.
     */
    public int[] types() {
        return marks.types();
    }

    /** What the encoder of an encoder-decoder reads. */
    public Optional<Source> source() {
        return source;
    }

    /** For each row the number of its virtual token, -1 for a row with a token; empty where there are none. */
    public int[] virtualTokens() {
        return marks.virtualTokens();
    }

    /**
     * For each row the length of its sequence, which some rotary positions depend on: where nothing else was said, its
     * segment ends with it.
     */
    public int[] lengths() {
        if (marks.lengths().length > 0) {
            return marks.lengths();
        }
        int[] lengths = new int[tokens.length];
        for (AttentionLayout.Segment segment : layout.segments()) {
            java.util.Arrays.fill(lengths, segment.queryStart(), segment.queryEnd(),
                    positions[segment.queryEnd() - 1] + 1);
        }
        return lengths;
    }

    /** The largest position. */
    public int maxPosition() {
        return maxPosition;
    }

    @Override
    public String toString() {
        return "a batch of " + layout.segments().size() + " sequences with " + tokens.length + " tokens, "
                + targets.count() + " of them predicted";
    }
}
