package io.peft4j.models.generation;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * Runs the network for a batch of sequences with a key/value cache. The prompts are computed in one pass, a beginning
 * that several share only once; then each step computes one token a sequence that still runs, all in one pass.
 *
 * <p>Cache rows: the prompts' rows first, in the order of the packed batch; then for each sequence room for its new
 * tokens.
 */
final class DecodingBatch implements AutoCloseable {
    private final CausalNetwork network;
    private final LayerSelection layers;
    private final Kernels kernels;
    private final Arena arena = new Arena();
    private final List<int[]> prompts;
    private final int maxNewTokens;
    private final PackedBatch promptBatch;
    private final KvCache cache;

    DecodingBatch(CausalNetwork network, LayerSelection layers, Kernels kernels, List<int[]> prompts,
            int maxNewTokens) {
        this.network = network;
        this.layers = layers;
        this.kernels = kernels;
        this.prompts = List.copyOf(prompts);
        this.maxNewTokens = maxNewTokens;
        this.promptBatch = withCacheRows(PackedBatch.sharingPrefixes(
                prompts.stream().map(TokenSequence::unsupervised).toList()));
        this.cache = network.newCache(Math.addExact(promptBatch.rows(),
                Math.multiplyExact(prompts.size(), maxNewTokens)));
    }

    /** Computes the prompts and hands over the logits that follow each: its index and [V] floats, reused after. */
    void prompts(BiConsumer<Integer, float[]> logits) {
        run(promptBatch, promptBatch.lastRows(), IntStream.range(0, prompts.size()).toArray(), logits);
    }

    /**
     * Computes one more token for each running sequence.
     *
     * @param sequences indices of the sequences that still run
     * @param tokens the token that was chosen last for each of them
     * @param generated how many tokens each of them had before it
     */
    void step(int[] sequences, int[] tokens, int[] generated, BiConsumer<Integer, float[]> logits) {
        int n = sequences.length;
        int[] positions = new int[n];
        int[] cacheRows = new int[n];
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            int s = sequences[i];
            int own = promptBatch.rows() + s * maxNewTokens;
            positions[i] = prompts.get(s).length + generated[i];
            cacheRows[i] = own + generated[i];
            segments.add(new Segment(i, i + 1, promptRows(s), own, generated[i]));
        }
        int[] rows = IntStream.range(0, n).toArray();
        PackedBatch batch = new PackedBatch(tokens, positions, new AttentionLayout(segments), noTargets(), rows,
                cacheRows);
        run(batch, rows, sequences, logits);
    }

    /** Frees the cache and all temporaries. */
    @Override
    public void close() {
        cache.close();
        arena.close();
    }

    private void run(PackedBatch batch, int[] rows, int[] sequences, BiConsumer<Integer, float[]> consumer) {
        // Kernels serve one pass at a time; a training or another answer on the same model waits.
        synchronized (kernels) {
            runAlone(batch, rows, sequences, consumer);
        }
    }

    private void runAlone(PackedBatch batch, int[] rows, int[] sequences, BiConsumer<Integer, float[]> consumer) {
        try (Tape tape = Tape.inference(kernels, arena, network.description().activationType())) {
            ForwardContext context = ForwardContext.generation(tape, batch, layers, cache);
            Variable hidden = RowOps.gatherRows(tape, network.hidden(context), rows);
            Variable logits = network.logits(context, hidden);
            int vocabulary = logits.columns();
            float[] row = new float[vocabulary];
            for (int i = 0; i < rows.length; i++) {
                Arrays.read(logits.value(), (long) i * vocabulary, row, 0, vocabulary);
                consumer.accept(sequences[i], row);
            }
        }
        arena.reset();
    }

    /** The cache rows of a prompt: those it shares with others, then its own. */
    private List<Range> promptRows(int sequence) {
        int last = promptBatch.lastRows()[sequence];
        for (Segment segment : promptBatch.layout().segments()) {
            if (last < segment.queryEnd()) {
                List<Range> ranges = new ArrayList<>(segment.context());
                ranges.add(new Range(segment.queryStart(), last + 1));
                return ranges;
            }
        }
        throw new IllegalStateException("row " + last + " belongs to no segment");
    }

    private static PackedBatch withCacheRows(PackedBatch batch) {
        return new PackedBatch(batch.tokens(), batch.positions(), batch.layout(), batch.targets(), batch.lastRows(),
                IntStream.range(0, batch.rows()).toArray());
    }

    private static PackedBatch.Targets noTargets() {
        return new PackedBatch.Targets(new int[0], new int[0], new float[0], new int[0]);
    }
}
