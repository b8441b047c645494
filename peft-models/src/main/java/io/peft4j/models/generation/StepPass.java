package io.peft4j.models.generation;

import io.peft4j.core.engine.Workspace;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * One pass over the next tokens of several sequences: the last token of some, and those tried behind it; parts of the
 * prompts of others. Rows of one group lie behind each other.
 */
final class StepPass {
    private static final PackedBatch.Targets NO_TARGETS = new PackedBatch.Targets(new int[0], new int[0], new float[0],
            new int[0]);
    /** Rows of logits that are computed at a time. */
    private static final int LOGIT_ROWS = 64;

    /**
     * The tokens of a sequence in a pass.
     *
     * @param end the index after the last of them; the first is the first that is not computed
     * @param lengthBefore the tokens of prompt and answer before the pass
     */
    record Part(Sequence sequence, int group, int end, int lengthBefore) {
        int count() {
            return end - sequence.computed();
        }

        /** Whether logits are wanted after the token of this index. */
        boolean wants(int index) {
            return index >= lengthBefore - 1;
        }
    }

    private final List<Part> parts;
    private final boolean cut;
    private final Optional<PackedBatch> read;
    private final List<Integer> sources = new ArrayList<>();
    private final List<Segment> segments = new ArrayList<>();
    private final int[] tokens;
    private final int[] positions;
    private final int[] cacheRows;
    private final int[] groups;
    private final int[] lengths;
    private final boolean[] invoked;
    private final List<Integer> wanted = new ArrayList<>();
    private final List<Part> owners = new ArrayList<>();

    /**
     * A pass over these parts, sorted by group.
     *
     * @param cut whether segments end where a sequence may go on: behind its last full page, and behind each token that
     *     is tried
     * @param read what an encoder reads, a sequence for each that joined the batch; empty for a decoder
     */
    StepPass(List<Part> parts, boolean cut, Optional<PackedBatch> read) {
        this.parts = List.copyOf(parts);
        this.cut = cut;
        this.read = read;
        int rows = parts.stream().mapToInt(Part::count).sum();
        tokens = new int[rows];
        positions = new int[rows];
        cacheRows = new int[rows];
        groups = new int[rows];
        lengths = new int[rows];
        invoked = new boolean[rows];
        int row = 0;
        for (Part part : parts) {
            row = add(part, row);
        }
    }

    private int add(Part part, int first) {
        Sequence sequence = part.sequence();
        for (int from = sequence.computed(); from < part.end();) {
            int to = cut ? nextEnd(part, from) : part.end();
            sequence.rows().segments(segments, first + from - sequence.computed(), from, to);
            from = to;
        }
        sources.addAll(Collections.nCopies(segments.size() - sources.size(), sequence.number()));
        int row = first;
        for (int i = sequence.computed(); i < part.end(); i++, row++) {
            tokens[row] = sequence.token(i);
            positions[row] = sequence.position(i);
            cacheRows[row] = sequence.rows().row(i);
            groups[row] = part.group();
            lengths[row] = Math.max(sequence.position(part.lengthBefore() - 1), positions[row]) + 1;
            invoked[row] = sequence.isInvoked(i);
            if (part.wants(i)) {
                wanted.add(row);
                owners.add(part);
            }
        }
        return row;
    }

    private static int nextEnd(Part part, int from) {
        if (part.wants(from)) {
            return from + 1;
        }
        int to = Math.min(part.end(), part.lengthBefore());
        int page = (to - 1) / CachePages.PAGE * CachePages.PAGE;
        return page > from && part.sequence().variant().isKept() ? page : to;
    }

    private PackedBatch batch() {
        PackedBatch batch = new PackedBatch(tokens, positions, new AttentionLayout(segments), NO_TARGETS, new int[0],
                cacheRows).withLengths(lengths);
        boolean mixed = false;
        boolean waits = false;
        for (int i = 0; i < groups.length; i++) {
            mixed |= groups[i] != 0;
            waits |= !invoked[i];
        }
        batch = mixed ? batch.withGroups(groups) : batch;
        if (read.isPresent()) {
            batch = batch.withSource(read.get(), sources.stream().mapToInt(i -> i).toArray());
        }
        if (parts.get(0).sequence().variant().task() != TokenSequence.NO_TASK) {
            int[] tasks = new int[tokens.length];
            Arrays.fill(tasks, parts.get(0).sequence().variant().task());
            batch = batch.withTasks(tasks);
        }
        return waits ? batch.withInvoked(invoked) : batch;
    }

    /**
     * Runs it, and hands over the logits after the last token of each prompt or answer that has been reached, and after
     * those that were tried. Then the sequences know what is computed.
     */
    void run(ModelLease model, Workspace workspace, KvCache cache, Logits.Scratch scratch,
            BiConsumer<Sequence, Logits> consumer) {
        // Some row must be asked for, also where only keys and values are wanted.
        int[] rows = wanted.isEmpty() ? new int[] {0} : wanted.stream().mapToInt(i -> i).toArray();
        try (Pass pass = Pass.generation(model, workspace, batch(), cache).withChunkRows(LOGIT_ROWS)) {
            if (wanted.isEmpty()) {
                pass.hidden(rows);
            } else {
                pass.logits(rows, (first, logits) -> {
                    for (int i = 0; i < logits.rows(); i++) {
                        consumer.accept(owners.get(first + i).sequence(), new Logits(logits, i, scratch));
                    }
                });
            }
        }
        parts.forEach(part -> part.sequence().computedTo(part.end()));
    }
}
