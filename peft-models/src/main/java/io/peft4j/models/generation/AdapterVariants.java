package io.peft4j.models.generation;

import io.peft4j.core.engine.Workspace;
import io.peft4j.core.io.Closer;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.AdapterLease;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The layers that sequences run through. Adapters that can share passes do, with the base among them; what they are is
 * looked up again only when an adapter comes that was not there. The virtual tokens of others are computed once, and
 * lie in the cache as long as there are sequences behind them.
 */
final class AdapterVariants {
    private final Workspace workspace;
    private final KvCache cache;
    private final CachePages pages;
    private final Map<Object, Alone> alone = new HashMap<>();
    private Map<Object, Integer> groups = Map.of(AdapterVariant.BASE, 0);
    private LayerSelection mixed = LayerSelection.BASE;

    /** An adapter that runs alone: its layers, and the pages of its virtual tokens. */
    private static final class Alone {
        private final AdapterVariant variant;
        private final LayerSelection layers;
        private final int[] pages;
        private int users;

        Alone(AdapterVariant variant, LayerSelection layers, int... pages) {
            this.variant = variant;
            this.layers = layers;
            this.pages = pages;
        }
    }

    AdapterVariants(Workspace workspace, KvCache cache, CachePages pages) {
        this.workspace = workspace;
        this.cache = cache;
        this.pages = pages;
    }

    /** Whether passes are shared: with the base, and whatever else can. */
    private static boolean mixes(ModelLease base, Optional<AdapterLease> adapter) {
        return base.layers() == LayerSelection.BASE
                && adapter.flatMap(AdapterLease::mixingObstacle).isEmpty();
    }

    /** The pages that virtual tokens take. */
    static int pagesBefore(ModelLease base, Optional<AdapterLease> adapter) {
        return mixes(base, adapter) ? 0
                : CachePages.needed(adapter.map(AdapterLease::layers).orElse(base.layers()).virtualTokens());
    }

    /**
     * Who answers a request; {@link #leave} when it is over. There must be {@link #pagesBefore} free pages.
     *
     * @param base the base, or, without an adapter, the layers that all sequences run through
     * @param task the task of the prompt
     * @param mayServe whether its keys and values may serve later requests
     */
    AdapterVariant join(ModelLease base, Optional<AdapterLease> adapter, int task, boolean mayServe) {
        boolean isKept = mayServe && !base.network().dependsOnLength();
        if (mixes(base, adapter)) {
            return AdapterVariant.mixing(adapter, isKept);
        }
        LayerSelection layers = adapter.map(AdapterLease::layers).orElse(base.layers());
        Object known = adapter.<Object>map(AdapterLease::version).orElse(layers);
        Alone own = alone.computeIfAbsent(task == TokenSequence.NO_TASK ? known : List.of(known, task),
                version -> start(base.withLayers(layers), version, task, isKept));
        own.users++;
        return own.variant;
    }

    /** Computes what comes before all sequences, in a small cache, and brings it into pages. */
    private Alone start(ModelLease model, Object version, int task, boolean isKept) {
        boolean reads = model.network() instanceof EncoderDecoderNetwork;
        PackedBatch batch = model.layers().prepare(PackedBatch.of(List.of(TokenSequence.unsupervised(0)
                .withSource(reads ? new int[] {0} : new int[0]).inTask(task)))).withCacheRows();
        int virtual = batch.layout().keyRows() - 1;
        int position = batch.positions()[batch.lastRows()[0]];
        int[] taken = pages.take(CachePages.needed(virtual), -1);
        int[] rows = IntStream.range(0, virtual).map(i -> taken[i / CachePages.PAGE] * CachePages.PAGE
                + i % CachePages.PAGE).toArray();
        try (Closer opened = new Closer()) {
            opened.add(() -> giveBack(taken));
            if (virtual > 0) {
                try (KvCache small = model.network().causal().newCache(Math.max(virtual + 1,
                        batch.source().map(source -> source.batch().rows()).orElse(0)));
                        Pass pass = Pass.generation(model, workspace, batch, small)) {
                    pass.hidden(batch.lastRows());
                    cache.copy(small, 0, rows);
                }
            }
            opened.keep();
        }
        List<Range> before = new ArrayList<>();
        for (int from = 0; from < virtual; from += CachePages.PAGE) {
            before.add(new Range(rows[from], rows[from] + Math.min(CachePages.PAGE, virtual - from)));
        }
        boolean whole = model.layers().readsWholeSequences();
        return new Alone(new AdapterVariant(version, true, before, position, isKept && !whole, whole, task),
                model.layers(), taken);
    }

    /** A sequence is over. */
    void leave(AdapterVariant variant) {
        Alone own = variant.alone() ? alone.get(variant.version()) : null;
        if (own != null && --own.users == 0) {
            alone.remove(variant.version());
            giveBack(own.pages);
        }
    }

    private void giveBack(int... taken) {
        for (int page : taken) {
            pages.giveBack(page);
        }
    }

    /** The sequences that share a pass, by the layers that they run through. */
    List<List<Sequence>> passes(List<Sequence> sequences) {
        Map<Object, List<Sequence>> passes = new LinkedHashMap<>();
        for (Sequence each : sequences) {
            passes.computeIfAbsent(each.variant().alone() ? each.variant().version() : AdapterVariant.BASE,
                    key -> new ArrayList<>()).add(each);
        }
        return List.copyOf(passes.values());
    }

    /** The layers for sequences that share a pass. */
    LayerSelection layers(List<Sequence> sequences) {
        AdapterVariant first = sequences.get(0).variant();
        if (first.alone()) {
            return alone.get(first.version()).layers;
        }
        if (sequences.stream().anyMatch(each -> !groups.containsKey(each.variant().version()))) {
            mix(sequences);
        }
        return mixed;
    }

    private void mix(List<Sequence> sequences) {
        Map<Object, Integer> numbers = new HashMap<>();
        List<Optional<AdapterLease>> adapters = new ArrayList<>(List.of(Optional.empty()));
        numbers.put(AdapterVariant.BASE, 0);
        for (Sequence each : sequences) {
            if (!numbers.containsKey(each.variant().version())) {
                numbers.put(each.variant().version(), adapters.size());
                adapters.add(each.pending().adapter());
            }
        }
        mixed = adapters.size() == 1 ? LayerSelection.BASE : AdapterLease.byRow(adapters);
        groups = numbers;
    }

    /** The group of a sequence's rows. */
    int group(Sequence sequence) {
        return sequence.variant().alone() ? sequence.pending().prompt().group()
                : groups.get(sequence.variant().version());
    }

    /**
     * Who answers: the base, or an adapter as it was when it was asked.
     *
     * @param version equal for the same values ({@link AdapterLease#version}) and task; the base has one of its own
     * @param alone whether its rows run in passes of their own
     * @param before the rows of the cache that come before all of its sequences
     * @param firstPosition the position of a sequence's first token
     * @param isKept whether keys and values may serve later requests
     * @param readsWhole whether a prompt is computed in one pass, and each token behind it in one of its own
     * @param task the task that it answers as; {@link TokenSequence#NO_TASK} where it has none
     */
    record AdapterVariant(Object version, boolean alone, List<Range> before, int firstPosition, boolean isKept,
            boolean readsWhole, int task) {
        /** Stands for the base. */
        static final Object BASE = "base";

        /** The base alone, or an adapter that shares passes with others. */
        static AdapterVariant mixing(Optional<AdapterLease> adapter, boolean isKept) {
            return new AdapterVariant(adapter.map(AdapterLease::version).orElse(BASE), false, List.of(), 0, isKept,
                    false, TokenSequence.NO_TASK);
        }
    }
}
