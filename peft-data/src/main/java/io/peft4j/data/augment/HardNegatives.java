package io.peft4j.data.augment;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.task.TextPair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Finds texts that an embedder takes for answers and that are none, as {@code mine_hard_negatives} of
 * sentence-transformers does: the nearest of all passages and positives, without those that belong to the anchor in any
 * row. A reranker, or the embedder itself, learns more from them than from texts drawn by chance.
 *
 * <pre>{@code
 * HardNegatives.Mined mined = new HardNegatives(model, NegativeOptions.defaults()).of(pairs, passages);
 * }</pre>
 */
public final class HardNegatives {
    private final TextEmbedder embedder;
    private final Set<String> prompts;
    private final NegativeOptions options;

    /**
     * A search with an embedder, which puts its prompts for queries and for documents before them, where it has some.
     *
     * @throws ConfigurationException when the model was loaded for another task than FEATURE_EXTRACTION
     */
    public HardNegatives(Model model, NegativeOptions options) {
        this.embedder = new TextEmbedder(model);
        this.prompts = model.network().headed().prompts().keySet();
        this.options = Objects.requireNonNull(options, "options");
    }

    /**
     * What was found.
     *
     * @param pairs those with at least one negative, which stand behind those that they had
     * @param without the number of pairs for which none was found
     */
    public record Mined(List<TextPair> pairs, int without) {
        /** Copies the list. */
        public Mined {
            pairs = List.copyOf(pairs);
        }
    }

    /**
     * Searches.
     *
     * @param pairs anchors with their positives; one anchor may stand in several
     * @param passages further texts that are searched
     * @throws ConfigurationException when there is no pair
     */
    public Mined of(List<TextPair> pairs, List<String> passages) {
        if (pairs.isEmpty()) {
            throw new ConfigurationException("negatives are searched for pairs of texts; there is none");
        }
        List<String> texts = Stream.concat(passages.stream(), pairs.stream().map(TextPair::positive)).distinct()
                .toList();
        Map<String, Set<String>> positives = new LinkedHashMap<>();
        Map<String, Integer> rows = new HashMap<>();
        for (TextPair pair : pairs) {
            positives.computeIfAbsent(pair.anchor(), key -> new HashSet<>()).add(pair.positive());
            rows.merge(pair.anchor(), 1, Integer::sum);
        }
        int most = Collections.max(rows.values());
        List<String> anchors = List.copyOf(positives.keySet());
        List<float[]> asked = embed(anchors, "query");
        List<float[]> found = embed(texts, "document", "passage", "corpus");
        Random random = new Random(options.seed());
        Map<String, List<String>> negatives = new HashMap<>();
        for (int i = 0; i < anchors.size(); i++) {
            negatives.put(anchors.get(i), nearest(asked.get(i), texts, found, positives.get(anchors.get(i)), most,
                    random));
        }
        return withNegatives(pairs, negatives);
    }

    private static Mined withNegatives(List<TextPair> pairs, Map<String, List<String>> negatives) {
        List<TextPair> mined = new ArrayList<>();
        for (TextPair pair : pairs) {
            List<String> own = negatives.get(pair.anchor());
            if (!own.isEmpty()) {
                Set<String> all = new LinkedHashSet<>(pair.negatives());
                all.addAll(own);
                mined.add(new TextPair(pair.anchor(), pair.positive(), List.copyOf(all)));
            }
        }
        return new Mined(mined, pairs.size() - mined.size());
    }

    private List<float[]> embed(List<String> texts, String... names) {
        Optional<String> prompt = Stream.of(names).filter(prompts::contains).findFirst();
        return prompt.map(name -> embedder.embed(texts, name)).orElseGet(() -> embedder.embed(texts));
    }

    /** The negatives of an anchor, the nearest first. */
    private List<String> nearest(float[] anchor, List<String> texts, List<float[]> found, Set<String> own, int most,
            Random random) {
        double[] scores = found.stream().mapToDouble(vector -> TextEmbedder.cosine(anchor, vector)).toArray();
        double positive = IntStream.range(0, scores.length).filter(i -> own.contains(texts.get(i)))
                .mapToDouble(i -> scores[i]).min().orElseThrow();
        int last = options.lastRank(most);
        List<String> candidates = IntStream.range(0, scores.length).boxed()
                .sorted((i, j) -> Double.compare(scores[j], scores[i])).limit((long) last + most)
                .filter(i -> !own.contains(texts.get(i)) && options.takes(scores[i], positive)).limit(last)
                .skip(options.skipped()).map(texts::get).toList();
        if (!options.drawn() || candidates.size() <= options.count()) {
            return candidates.stream().limit(options.count()).toList();
        }
        List<Integer> places = new ArrayList<>(IntStream.range(0, candidates.size()).boxed().toList());
        Collections.shuffle(places, random);
        return places.stream().limit(options.count()).sorted().map(candidates::get).toList();
    }
}
