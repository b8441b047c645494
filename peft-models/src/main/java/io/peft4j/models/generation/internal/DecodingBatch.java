package io.peft4j.models.generation.internal;

import io.peft4j.core.engine.Workspace;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Runs the network for a batch of sequences with a key/value cache. The prompts are computed first, a beginning that
 * several share only once, and a few thousand rows at a time; then each step computes a token, or a few that are tried,
 * of each sequence that still runs, all in one pass. Logits are f32, whatever the model computes in.
 *
 * <p>Cache rows: what an adapter puts before all sequences, if anything, and the prompts' rows in the order of the
 * packed batch; then {@link CacheSpace} for new tokens.
 */
final class DecodingBatch implements AutoCloseable {
    /** Rows of prompts that are computed in one pass: enough for full speed, few enough to bound the memory. */
    private static final int PROMPT_ROWS = 2048;
    /** Rows of logits that are computed at a time. */
    private static final int LOGIT_ROWS = 64;

    private final ModelLease model;
    private final Workspace workspace;
    private final Logits.Scratch scratch = new Logits.Scratch();
    private final int[] groups;
    private final int[] tasks;
    private final int promptRows;
    private final PackedBatch promptBatch;
    private final KvCache cache;
    private final List<CacheSpace.Rows> newRows = new ArrayList<>();
    private final Map<Integer, List<CacheSpace.State>> steps = new HashMap<>();
    private int[] running;

    /**
     * A batch.
     *
     * @param model kept open by the caller until the batch is closed
     * @param groups the group of each prompt ({@link PackedBatch#groups()})
     * @param tokensPerStep the most tokens of a sequence in a step: one, and those that are tried
     */
    DecodingBatch(ModelLease model, List<EncodedPrompt> prompts, int[] groups, int tokensPerStep) {
        this(model, prompts, groups, tokensPerStep, PROMPT_ROWS);
    }

    /**
     * As {@link #DecodingBatch(ModelLease, List, int[], int)}, with at most {@code promptRows} rows of prompts in a
     * pass.
     */
    DecodingBatch(ModelLease model, List<EncodedPrompt> prompts, int[] groups, int tokensPerStep, int promptRows) {
        this.model = model;
        this.workspace = model.engine().generation(prompts.size() * tokensPerStep);
        this.promptRows = model.layers().readsWholeSequences() ? Integer.MAX_VALUE : promptRows;
        this.groups = groups.clone();
        PackedBatch packed = model.network().pack(IntStream.range(0, prompts.size())
                .mapToObj(s -> prompts.get(s).sequence().inGroup(groups[s])).toList());
        this.tasks = prompts.stream().mapToInt(EncodedPrompt::task).toArray();
        this.promptBatch = model.layers().prepare(packed).withCacheRows();
        this.running = IntStream.range(0, prompts.size()).toArray();
        int promptKeys = promptBatch.layout().keyRows();
        this.cache = model.network().causal().newCache(Math.max(
                promptKeys + prompts.size() * CacheSpace.PIECE, sourceRows()));
        CacheSpace space = new CacheSpace(cache, promptKeys);
        for (int s = 0; s < prompts.size(); s++) {
            newRows.add(space.new Rows(promptRanges(s)));
        }
    }

    /** Rows of keys and values of what an encoder reads. */
    private int sourceRows() {
        return promptBatch.source().map(source -> source.batch().rows()).orElse(0);
    }

    /** Rows of keys and values that the cache has room for. */
    int cacheRows() {
        return cache.rows();
    }

    /** Computes the prompts and hands over the logits that follow each, with its index. */
    void prompts(BiConsumer<Integer, Logits> logits) {
        int[] last = promptBatch.lastRows();
        int most = Math.min(promptRows, promptBatch.rows());
        for (int from = 0; from < promptBatch.rows(); from += most) {
            int begin = from;
            int end = Math.min(begin + most, promptBatch.rows());
            PackedBatch part = most == promptBatch.rows() ? promptBatch
                    : promptBatch.select(IntStream.range(begin, end).toArray());
            int[] ending = IntStream.range(0, last.length).filter(s -> last[s] >= begin && last[s] < end).toArray();
            if (ending.length == 0) {
                // Keys and values are wanted, and some row must be asked for.
                run(part, new int[] {0}, i -> i, (i, unused) -> {
                });
            } else {
                run(part, IntStream.of(ending).map(s -> last[s] - begin).toArray(), i -> ending[i], logits);
            }
        }
    }

    /**
     * Computes the logits that follow one or more tokens of each running sequence.
     *
     * @param sequences indices of the sequences that still run, ascending; one that is missing has ended
     * @param tokens for each of them the token that was chosen last, and any that are tried behind it
     * @param generated how many tokens each of them had before these
     * @param logits gets the index of a sequence and the logits after each of its tokens, in their order
     */
    void step(int[] sequences, int[][] tokens, int[] generated, BiConsumer<Integer, Logits> logits) {
        releaseEnded(sequences);
        int n = Stream.of(tokens).mapToInt(t -> t.length).sum();
        int[] all = new int[n];
        int[] positions = new int[n];
        int[] cacheRows = new int[n];
        int[] owners = new int[n];
        List<Segment> segments = new ArrayList<>(n);
        steps.clear();
        Set<Integer> ends = new HashSet<>();
        for (int i = 0; i < sequences.length; i++) {
            CacheSpace.Rows rows = newRows.get(sequences[i]);
            List<CacheSpace.State> states = new ArrayList<>();
            for (int j = 0; j < tokens[i].length; j++) {
                int row = segments.size();
                Segment segment = rows.next(row);
                segments.add(segment);
                if (j == 0 && cache.hasStates()) {
                    ends.add(segment.keyRows(segment.position(0) - 1, segment.position(0)).get(0).start());
                }
                all[row] = tokens[i][j];
                owners[row] = sequences[i];
                positions[row] = promptBatch.positions()[promptBatch.lastRows()[sequences[i]]] + 1 + generated[i] + j;
                cacheRows[row] = segment.ownKeyEnd() - 1;
                states.add(rows.state());
            }
            steps.put(sequences[i], states);
        }
        cache.retainStates(ends::contains);
        PackedBatch batch = new PackedBatch(all, positions, new AttentionLayout(segments), noTargets(),
                IntStream.range(0, n).toArray(), cacheRows)
                .withLengths(IntStream.of(positions).map(position -> position + 1).toArray())
                .withGroups(IntStream.of(owners).map(s -> groups[s]).toArray())
                .withTasks(IntStream.of(owners).map(s -> tasks[s]).toArray())
                .withInvoked(invoked(owners));
        run(promptBatch.source().map(source -> batch.withSource(source.batch(), owners)).orElse(batch),
                IntStream.range(0, n).toArray(), i -> owners[i], logits);
    }

    /**
     * Keeps of the last step's tokens of a sequence the first ones: the rest was tried in vain.
     *
     * @param tokens how many, at least 1
     */
    void keep(int sequence, int tokens) {
        newRows.get(sequence).back(steps.get(sequence).get(tokens - 1));
    }

    /** A prompt that has been invoked stays so; the tokens that follow it invoke nothing. */
    private boolean[] invoked(int[] sequences) {
        boolean[] ofPrompts = promptBatch.invoked();
        if (ofPrompts.length == 0) {
            return ofPrompts;
        }
        boolean[] result = new boolean[sequences.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = ofPrompts[promptBatch.lastRows()[sequences[i]]];
        }
        return result;
    }

    private void releaseEnded(int[] sequences) {
        int next = 0;
        for (int s : running) {
            if (next < sequences.length && sequences[next] == s) {
                next++;
            } else {
                newRows.get(s).release();
            }
        }
        running = sequences;
    }

    /** Frees the cache and all temporaries. */
    @Override
    public void close() {
        cache.close();
        workspace.close();
    }

    private void run(PackedBatch batch, int[] rows, IntUnaryOperator sequence, BiConsumer<Integer, Logits> consumer) {
        try (Pass pass = Pass.generation(model, workspace, batch, cache).withChunkRows(LOGIT_ROWS)) {
            pass.logits(rows, (first, logits) -> {
                for (int i = 0; i < logits.rows(); i++) {
                    consumer.accept(sequence.applyAsInt(first + i), new Logits(logits, i, scratch));
                }
            });
        }
    }

    /** The cache rows of a prompt: those it shares with others, then its own. */
    private List<Range> promptRanges(int sequence) {
        int last = promptBatch.lastRows()[sequence];
        for (Segment segment : promptBatch.layout().segments()) {
            if (last < segment.queryEnd()) {
                List<Range> ranges = new ArrayList<>(segment.context());
                int start = segment.ownKeyStart();
                ranges.add(new Range(start, start + last + 1 - segment.queryStart()));
                return ranges;
            }
        }
        throw new IllegalStateException("row " + last + " belongs to no segment");
    }

    private static PackedBatch.Targets noTargets() {
        return new PackedBatch.Targets(new int[0], new int[0], new float[0], new int[0]);
    }
}
