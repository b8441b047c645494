package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.task.TokenTagger.EntitySpan;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Entities that a tagger found, against the right ones, as seqeval counts them by default: an entity is found where its
 * type and both of its ends are right.
 *
 * @param byType counts of each type, in the order of the alphabet
 */
public record EntityScores(Map<String, Counts> byType) {
    /**
     * Numbers of entities.
     *
     * @param right entities that were found
     * @param found entities that the tagger says
     * @param expected entities that there are
     */
    public record Counts(int right, int found, int expected) {
        /** The share of what was found that is right; 0 where nothing was found. */
        public double precision() {
            return found == 0 ? 0 : (double) right / found;
        }

        /** The share of the entities that was found; 0 if there are none. */
        public double recall() {
            return expected == 0 ? 0 : (double) right / expected;
        }

        /** The harmonic mean of precision and recall. */
        public double f1() {
            return found + expected == 0 ? 0 : 2.0 * right / (found + expected);
        }

        private Counts plus(Counts other) {
            return new Counts(right + other.right, found + other.found, expected + other.expected);
        }
    }

    /**
     * Counts the entities of texts.
     *
     * @param expected for each text the right labels of its words, in IOB form
     * @param found for each text the labels that the tagger gave
     * @throws ConfigurationException when the numbers of texts or of words differ
     */
    public static EntityScores of(List<List<String>> expected, List<List<String>> found) {
        if (expected.size() != found.size()) {
            throw new ConfigurationException(found.size() + " tagged texts for " + expected.size());
        }
        Map<String, Counts> byType = new TreeMap<>();
        for (int i = 0; i < expected.size(); i++) {
            if (expected.get(i).size() != found.get(i).size()) {
                throw new ConfigurationException("text " + (i + 1) + " has " + expected.get(i).size() + " words and "
                        + found.get(i).size() + " labels");
            }
            Set<EntitySpan> right = new HashSet<>(EntitySpan.of(expected.get(i)));
            Set<EntitySpan> said = new HashSet<>(EntitySpan.of(found.get(i)));
            right.forEach(span -> byType.merge(span.type(), new Counts(said.contains(span) ? 1 : 0, 0, 1),
                    Counts::plus));
            said.forEach(span -> byType.merge(span.type(), new Counts(0, 1, 0), Counts::plus));
        }
        return new EntityScores(byType);
    }

    /** The counts of all types together. */
    public Counts all() {
        return byType.values().stream().reduce(new Counts(0, 0, 0), Counts::plus);
    }

    @Override
    public String toString() {
        Counts all = all();
        return String.format(Locale.ROOT, "entity F1 %.3f (precision %.3f, recall %.3f, %d entities)", all.f1(),
                all.precision(), all.recall(), all.expected());
    }
}
