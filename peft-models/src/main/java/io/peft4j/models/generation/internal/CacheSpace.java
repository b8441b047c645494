package io.peft4j.models.generation.internal;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.nn.KvCache;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Rows of a key/value cache for the new tokens of many sequences. A sequence takes a piece of {@value #PIECE} rows when
 * it has filled the one before, and gives all of them back when it ends, so the cache is as large as what is generated
 * and not as what might be.
 */
final class CacheSpace {
    /** Rows of a piece. */
    static final int PIECE = 32;

    private final KvCache cache;
    private final Deque<Integer> free = new ArrayDeque<>();
    private int used;

    /** Space behind the first {@code used} rows. */
    CacheSpace(KvCache cache, int used) {
        this.cache = cache;
        this.used = used;
    }

    private int take() {
        if (!free.isEmpty()) {
            return free.pop();
        }
        int start = used;
        used = Math.addExact(used, PIECE);
        if (used > cache.rows()) {
            cache.grow(Math.max(used, Math.addExact(cache.rows(), cache.rows() / 2)));
        }
        return start;
    }

    /** The rows of one sequence. */
    final class Rows {
        private final List<Integer> pieces = new ArrayList<>();
        private List<Range> context;
        private int ownStart;
        private int ownRows;
        private int ownCapacity;

        /** No rows yet, after those of the prompt. */
        Rows(List<Range> prompt) {
            context = List.copyOf(prompt);
        }

        /** Takes the row of the next token; gives its place as the segment of query row {@code query}. */
        Segment next(int query) {
            if (ownRows == ownCapacity) {
                takePiece();
            }
            return new Segment(query, query + 1, context, ownStart, ownRows++);
        }

        private void takePiece() {
            int piece = take();
            pieces.add(piece);
            if (ownCapacity > 0 && piece == ownStart + ownCapacity) {
                ownCapacity += PIECE;
                return;
            }
            if (ownRows > 0) {
                List<Range> longer = new ArrayList<>(context);
                longer.add(new Range(ownStart, ownStart + ownRows));
                context = List.copyOf(longer);
            }
            ownStart = piece;
            ownRows = 0;
            ownCapacity = PIECE;
        }

        /** How far the rows have come. */
        State state() {
            return new State(context, ownStart, ownRows, ownCapacity, pieces.size());
        }

        /** Gives back what was taken since then. */
        void back(State state) {
            while (pieces.size() > state.pieces) {
                free.push(pieces.remove(pieces.size() - 1));
            }
            context = state.context;
            ownStart = state.ownStart;
            ownRows = state.ownRows;
            ownCapacity = state.ownCapacity;
        }

        /** Gives the rows back. */
        void release() {
            free.addAll(pieces);
            pieces.clear();
        }
    }

    /** How far the rows of a sequence had come. */
    record State(List<Range> context, int ownStart, int ownRows, int ownCapacity, int pieces) {
    }
}
