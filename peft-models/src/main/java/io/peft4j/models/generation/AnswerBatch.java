package io.peft4j.models.generation;

import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers that grow together, which requests join and leave at every step. A step computes the next token of each
 * answer, and parts of the prompts of those that have just come, all in one pass for the base and all adapters that can
 * share one.
 *
 * <p>The oldest sequence always continues: where pages are short, kept prefixes are forgotten first, then the youngest
 * sequences give theirs back and compute them again later, or, without a bound, the cache grows. For use by one thread.
 */
final class AnswerBatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AnswerBatch.class);
    /** How much longer the parts of prompts are while no answer waits for its next token. */
    private static final int IDLE_CHUNKS = 4;
    /** Rows of prompts in a pass without a bound: enough for full speed, few enough to bound its memory. */
    private static final int PROMPT_ROWS = 2048;

    private final AnswerServiceOptions options;
    private final CacheShare share;
    private final boolean grows;
    private final Optional<PackedBatch> read;
    private final Closer owned;
    private final Workspace workspace;
    private final KvCache cache;
    private final CachePages pages;
    private final PrefixCache prefixes;
    private final AdapterVariants variants;
    private final Logits.Scratch scratch = new Logits.Scratch();
    /** In the order in which they came. */
    private final List<Sequence> sequences = new ArrayList<>();
    private int joined;
    private long promptTokens;
    private long reusedTokens;
    private long newTokens;

    /** An empty batch of a decoder, whose cache has a bound. */
    AnswerBatch(ModelLease base, AnswerServiceOptions options, CacheShare share) {
        this(base, options, share, false, Optional.empty(), options.rows());
    }

    private AnswerBatch(ModelLease base, AnswerServiceOptions options, CacheShare share, boolean grows,
            Optional<PackedBatch> read, int stepRows) {
        this.options = options;
        this.share = share;
        this.grows = grows;
        this.read = read;
        try (Closer opened = new Closer()) {
            this.workspace = opened.add(base.engine().generation(stepRows));
            this.cache = opened.add(base.network().causal().newCache(share.pages() * CachePages.PAGE));
            this.pages = new CachePages(share.pages());
            this.prefixes = new PrefixCache(pages);
            this.variants = new AdapterVariants(workspace, cache, pages);
            this.owned = opened.keep();
        }
    }

    /**
     * An empty batch whose cache grows with the answers.
     *
     * @param model all answers' model, with its layers
     * @param prompts what joins, in this order; all of it before the first step of an encoder-decoder
     * @param rows the most answers at once
     * @param tokensPerStep the most tokens of an answer in a step: one, and those that are tried
     */
    static AnswerBatch growing(ModelLease model, List<EncodedPrompt> prompts, int rows, int tokensPerStep) {
        Optional<PackedBatch> read = model.network() instanceof EncoderDecoderNetwork
                ? model.layers().prepare(model.network().pack(prompts.stream().map(EncodedPrompt::sequence).toList()))
                        .source().map(PackedBatch.Source::batch)
                : Optional.empty();
        int pages = rows + CachePages.needed(read.map(PackedBatch::rows).orElse(0));
        return new AnswerBatch(model, new AnswerServiceOptions(rows, 1, PROMPT_ROWS, 1, 1,
                model.network().sharesPrefixes()), new CacheShare(rows, 0, pages), true, read, rows * tokensPerStep);
    }

    /** The answers that grow. */
    List<Sequence> sequences() {
        return sequences;
    }

    /** Takes a request, for whose answers there must be rows; what fails is noted on it. */
    void join(PendingRequest pending) {
        pending.watch().begin();
        try {
            requireRoom(AdapterVariants.pagesBefore(pending.base(), pending.adapter()));
            for (GrowingAnswer answer : pending.answers()) {
                AdapterVariants.AdapterVariant variant = variants.join(pending.base(), pending.adapter(),
                        pending.prompt().task(), options.prefixes());
                sequences.add(new Sequence(pending, joined++, answer, variant));
                promptTokens += pending.prompt().length();
            }
        } catch (RuntimeException | Error e) {
            pending.fail(e);
        }
    }

    private void requireRoom(int wanted) {
        while (!makeRoom(wanted)) {
            Sequence victim = sequences.stream().filter(Sequence::isPlaced).reduce((a, b) -> b)
                    .orElseThrow(() -> new OverloadedException(
                            "the memory for keys and values is used up by virtual tokens of adapters",
                            Duration.ofSeconds(1)));
            victim.leave(prefixes, pages);
        }
    }

    /** Frees the rows of a sequence. */
    void leave(Sequence sequence) {
        sequences.remove(sequence);
        sequence.leave(prefixes, pages);
        variants.leave(sequence.variant());
    }

    /**
     * Computes a step.
     *
     * @param ready whether the next token of a sequence can be chosen; the others stay as they are
     * @return whether anything was computed
     */
    boolean step(Predicate<Sequence> ready) {
        boolean grown = false;
        for (List<Sequence> together : variants.passes(sequences)) {
            grown |= share(together, ready);
        }
        retainStates();
        return grown;
    }

    /** What fails for all together each does alone, so that only those end for which it fails then, too. */
    private boolean share(List<Sequence> together, Predicate<Sequence> ready) {
        int[] lengths = together.stream().mapToInt(Sequence::length).toArray();
        try {
            return step(together, ready);
        } catch (RuntimeException | Error e) {
            if (together.size() == 1) {
                together.get(0).pending().fail(e);
                return false;
            }
            LOG.warn("a common pass of {} failed, so each is computed alone here: {}", Count.of(together.size(),
                    "answer"), e.toString());
            boolean grown = false;
            for (int i = 0; i < lengths.length; i++) {
                Sequence each = together.get(i);
                // Some may have their next token from before the failure.
                boolean has = each.length() > lengths[i];
                grown |= has || !each.pending().isDead() && share(List.of(each), ready);
            }
            return grown;
        }
    }

    /** Gives up the states that no sequence continues from, except those of some pages that are kept for later ones. */
    private void retainStates() {
        if (!cache.hasStates()) {
            return;
        }
        Set<Integer> ends = new HashSet<>();
        for (Sequence each : sequences) {
            ends.addAll(each.lastRows());
        }
        ends.addAll(prefixes.latestEnds(share.kept(), cache::continuesAfter));
        cache.retainStates(ends::contains);
    }

    private boolean step(List<Sequence> together, Predicate<Sequence> ready) {
        place(together);
        ModelLease model = together.get(0).pending().base().withLayers(variants.layers(together));
        List<StepPass.Part> parts = parts(together, ready);
        if (parts.isEmpty()) {
            return false;
        }
        parts.sort(Comparator.comparingInt(StepPass.Part::group));
        long waited = model.engine().answersWaited();
        new StepPass(parts, cache.hasStates(), read).run(model, workspace, cache, scratch, AnswerBatch::choose);
        long more = model.engine().answersWaited() - waited;
        parts.stream().map(part -> part.sequence().pending()).distinct().forEach(each -> each.watch().waited(more));
        for (StepPass.Part part : parts) {
            Sequence sequence = part.sequence();
            sequence.keep(prefixes, cache);
            if (part.end() >= part.lengthBefore()) {
                newTokens += sequence.length() - part.lengthBefore();
            }
        }
        return true;
    }

    private static void choose(Sequence sequence, Logits logits) {
        try {
            sequence.answer().next(logits);
            sequence.pending().watch().token();
        } catch (RuntimeException | Error e) {
            sequence.pending().fail(e);
        }
    }

    /** Whether its next token can be chosen; what goes wrong in finding out is the sequence's own. */
    private static boolean isReady(Sequence sequence, Predicate<Sequence> ready) {
        try {
            return ready.test(sequence);
        } catch (RuntimeException | Error e) {
            sequence.pending().fail(e);
            return false;
        }
    }

    /** The tokens that a pass computes: the next one of each answer, and as many of the prompts as are wanted. */
    private List<StepPass.Part> parts(List<Sequence> together, Predicate<Sequence> ready) {
        List<StepPass.Part> parts = new ArrayList<>();
        for (Sequence each : together) {
            if (each.isDecoding() && isReady(each, ready)) {
                int end = each.startTrying();
                if (reserve(each, end)) {
                    parts.add(new StepPass.Part(each, variants.group(each), end, each.length()));
                }
            }
        }
        int left = parts.isEmpty() && !grows ? IDLE_CHUNKS * options.promptChunk() : options.promptChunk();
        for (Sequence each : together) {
            int wanted = each.nextStop() - each.computed();
            int count = each.variant().readsWhole() && left > 0 ? wanted : Math.min(left, wanted);
            int end = each.computed() + count;
            if (each.isPlaced() && !each.isDecoding() && count > 0 && (end < each.length() || isReady(each, ready))) {
                parts.add(new StepPass.Part(each, variants.group(each), end == each.length() ? each.startTrying() : end,
                        each.length()));
                left -= count;
            }
        }
        return parts;
    }

    // ---- pages

    /** Gives pages to sequences without any, in their order, as far as there are some. */
    private void place(List<Sequence> together) {
        for (Sequence each : together) {
            if (each.isPlaced()) {
                continue;
            }
            int[] keys = each.keys(each.length());
            List<PrefixCache.Page> known = each.variant().isKept() ? prefixes.find(each.version(), keys,
                    (each.length() - 1) / CachePages.PAGE) : List.of();
            List<PrefixCache.Page> found = continued(known);
            if (isComputed(keys, (found.size() + 1) * CachePages.PAGE, each, together)) {
                prefixes.leave(found);
                continue;
            }
            int wanted = CachePages.needed(each.length() + 1) - found.size();
            long placed = sequences.stream().filter(Sequence::isPlaced).count();
            if (!grows && pages.free() + prefixes.unused() < wanted + placed || !makeRoom(wanted)) {
                prefixes.leave(found);
                if (placed == 0) {
                    each.pending().fail(new OverloadedException("the memory for keys and values is used up by "
                            + "virtual tokens of adapters", Duration.ofSeconds(1)));
                }
                return;
            }
            int reused = found.size() * CachePages.PAGE;
            reusedTokens += reused;
            if (each.answer().index() == 0 && each.answer().length() == 0) {
                each.pending().reused(reused);
            }
            each.place(found, known.size());
            for (int page : pages.take(wanted, each.rows().lastPage())) {
                each.rows().add(page);
            }
        }
    }

    /** The pages behind the last of which a sequence can go on; the others are left. */
    private List<PrefixCache.Page> continued(List<PrefixCache.Page> known) {
        int count = known.size();
        while (count > 0 && !cache.continuesAfter(known.get(count - 1).lastRow())) {
            count--;
        }
        prefixes.leave(known.subList(count, known.size()));
        return known.subList(0, count);
    }

    /** Whether another prompt that is being computed has the same first {@code count} tokens: then they are shared. */
    private static boolean isComputed(int[] keys, int count, Sequence sequence, List<Sequence> together) {
        return sequence.variant().isKept() && count < keys.length
                && together.stream()
                        .anyMatch(other -> other.isPlaced() && !other.isDecoding() && other.length() >= count
                                && other.computed() < count
                                && other.version().equals(sequence.version())
                                && Arrays.equals(other.keys(count), 0, count, keys, 0, count));
    }

    /** Makes room for tokens of a sequence; false where it had to give its own pages back. */
    private boolean reserve(Sequence sequence, int tokens) {
        int wanted = CachePages.needed(tokens) - sequence.rows().room() / CachePages.PAGE;
        if (wanted <= 0) {
            return true;
        }
        while (!makeRoom(wanted)) {
            Sequence youngest = sequences.stream().filter(Sequence::isPlaced).reduce((a, b) -> b).orElseThrow();
            youngest.leave(prefixes, pages);
            if (youngest == sequence) {
                return false;
            }
        }
        for (int page : pages.take(wanted, sequence.rows().lastPage())) {
            sequence.rows().add(page);
        }
        return true;
    }

    private boolean makeRoom(int wanted) {
        while (pages.free() < wanted) {
            if (prefixes.forgetOne().isEmpty()) {
                if (!grows) {
                    return false;
                }
                int more = Math.max(wanted, pages.count() / 2);
                cache.grow((pages.count() + more) * CachePages.PAGE);
                pages.grow(more);
            }
        }
        return true;
    }

    // ---- numbers

    int cacheRows() {
        return pages.count() * CachePages.PAGE;
    }

    int keptRows() {
        return prefixes.unused() * CachePages.PAGE;
    }

    int usedRows() {
        return cacheRows() - pages.free() * CachePages.PAGE - keptRows();
    }

    long promptTokens() {
        return promptTokens;
    }

    long reusedTokens() {
        return reusedTokens;
    }

    long newTokens() {
        return newTokens;
    }

    /** Frees the cache and all temporaries. */
    @Override
    public void close() {
        owned.close();
    }
}
