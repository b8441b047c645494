package io.peft4j.models.generation;

import io.peft4j.core.engine.Workspace;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Beam search with an encoder-decoder for some sources at once. A path names the rows of the cache that hold its
 * tokens, so that paths that part share what they have in common, and nothing is copied.
 */
final class BeamDecoding {
    private final ModelLease model;
    private final GenerationOptions options;
    private final Set<Integer> stopTokens;

    BeamDecoding(ModelLease model, GenerationOptions options, Set<Integer> stopTokens) {
        this.model = model;
        this.options = options;
        this.stopTokens = stopTokens;
    }

    /** The best answer to each prompt: its tokens. */
    List<int[]> search(List<EncodedPrompt> sources) {
        PackedBatch first = model.layers().prepare(PackedBatch
                .of(sources.stream().map(EncodedPrompt::sequence).toList()))
                .withCacheRows();
        PackedBatch read = first.source().orElseThrow().batch();
        int used = first.layout().keyRows();
        // What an adapter puts before all sequences.
        int past = used - sources.size();
        List<Beam> beams = IntStream.range(0, sources.size()).mapToObj(i -> new Beam(options.beams(), stopTokens,
                options.maxNewTokens(), IntStream.concat(IntStream.range(0, past), IntStream.of(past + i)).toArray()))
                .toList();
        try (Workspace workspace = model.engine().generation(sources.size() * options.beams().count());
                KvCache cache = model.network().causal().newCache(Math.max(used, read.rows()))) {
            advance(beams, run(workspace, first, cache));
            while (beams.stream().anyMatch(Beam::isRunning)) {
                List<Beam> running = beams.stream().filter(Beam::isRunning).toList();
                PackedBatch batch = step(beams, read, past, used);
                batch = batch.withTasks(IntStream.of(batch.source().orElseThrow().ofSegments())
                        .map(i -> sources.get(i).task()).toArray());
                used += batch.rows();
                if (used > cache.rows()) {
                    cache.grow(Math.max(used, 2 * cache.rows()));
                }
                advance(running, run(workspace, batch, cache));
            }
        }
        return beams.stream().map(beam -> beam.best().tokens()).toList();
    }

    /** The last token of each path that is followed, whose keys and values go to the rows from {@code used} on. */
    private static PackedBatch step(List<Beam> beams, PackedBatch read, int past, int used) {
        List<AttentionLayout.Segment> segments = new ArrayList<>();
        List<Integer> sources = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        for (int b = 0; b < beams.size(); b++) {
            if (!beams.get(b).isRunning()) {
                continue;
            }
            int firstRow = used + segments.size();
            for (Beam.Path path : beams.get(b).followed()) {
                int row = segments.size();
                segments.add(new AttentionLayout.Segment(row, row + 1, ranges(path.rows()), used + row, 0));
                sources.add(b);
                tokens.add(path.last());
                positions.add(past + path.tokens().length);
            }
            beams.get(b).inRows(IntStream.range(firstRow, used + segments.size()).toArray());
        }
        int[] rows = IntStream.range(0, tokens.size()).toArray();
        return new PackedBatch(ints(tokens), ints(positions), new AttentionLayout(segments),
                new PackedBatch.Targets(new int[0], new int[0], new float[0], new int[0]), rows,
                IntStream.of(rows).map(row -> used + row).toArray()).withSource(read, ints(sources));
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Rows in their order as ranges, neighbours together. */
    private static List<AttentionLayout.Range> ranges(int[] rows) {
        List<AttentionLayout.Range> ranges = new ArrayList<>();
        int begin = 0;
        for (int i = 1; i <= rows.length; i++) {
            if (i == rows.length || rows[i] != rows[i - 1] + 1) {
                ranges.add(new AttentionLayout.Range(rows[begin], rows[i - 1] + 1));
                begin = i;
            }
        }
        return ranges;
    }

    private List<float[]> run(Workspace workspace, PackedBatch batch, KvCache cache) {
        List<float[]> rows = new ArrayList<>();
        try (Pass pass = Pass.generation(model, workspace, batch, cache)) {
            int[] all = IntStream.range(0, batch.rows()).toArray();
            float[] logits = pass.logits(all);
            int columns = logits.length / all.length;
            for (int i = 0; i < all.length; i++) {
                rows.add(Arrays.copyOfRange(logits, i * columns, (i + 1) * columns));
            }
        }
        return rows;
    }

    private static void advance(List<Beam> beams, List<float[]> logits) {
        int at = 0;
        for (Beam beam : beams) {
            int paths = beam.followed().size();
            beam.advance(logits.subList(at, at + paths));
            at += paths;
        }
    }
}
