package io.peft4j.data.near;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Judges two examples. A question is the same as another one when nothing but filling words, inflection, order or a
 * slip of the pen differs: another number, grade, place or product is another question, however few letters it takes.
 */
final class Comparison {
    /** Shares of words; tuned on the seeds that {@code PlantedFaultsTest} names for it. */
    private static final double SAME_WORDS = 0.8;
    private static final double ABOUT_THE_SAME = 0.3;
    private static final double ALMOST_ALL = 0.6;
    /** In a text as long as this a few words more or less do not change the question. */
    private static final int LONG = 40;
    private static final double FEW = 0.04;

    private final WordStatistics statistics;

    Comparison(WordStatistics statistics) {
        this.statistics = statistics;
    }

    /** How two answers to one question contradict each other. */
    enum Conflict {
        /** Another number. */
        NUMBER,
        /** Another name. */
        NAME,
        /** Yes here, no there. */
        NEGATION
    }

    /**
     * A contradiction.
     *
     * @param kind what differs
     * @param first what the first answer has
     * @param second what the second one has
     */
    record Difference(Conflict kind, String first, String second) {
    }

    /** The words that each of two texts has alone, by stem, slips of the pen taken out. */
    record Rest(List<Word> first, List<Word> second) {
        static Rest of(List<Word> a, List<Word> b) {
            List<Word> first = minus(a, b);
            List<Word> second = minus(b, a);
            for (int i = first.size() - 1; i >= 0; i--) {
                for (int j = second.size() - 1; j >= 0; j--) {
                    if (isSlip(first.get(i), second.get(j))) {
                        first.remove(i);
                        second.remove(j);
                        break;
                    }
                }
            }
            if (!first.isEmpty() && !second.isEmpty() && joined(first).equals(joined(second))) {
                return new Rest(List.of(), List.of());
            }
            return new Rest(first, second);
        }

        private static List<Word> minus(List<Word> a, List<Word> b) {
            Map<String, Integer> counts = new HashMap<>();
            b.forEach(word -> counts.merge(word.stem(), 1, Integer::sum));
            List<Word> left = new ArrayList<>();
            for (Word word : a) {
                if (counts.merge(word.stem(), -1, Integer::sum) < 0) {
                    left.add(word);
                }
            }
            return left;
        }

        private static String joined(List<Word> words) {
            StringBuilder text = new StringBuilder();
            words.forEach(word -> text.append(word.norm()));
            return text.toString();
        }

        Rest without(Set<String> words) {
            return new Rest(first.stream().filter(w -> !words.contains(w.norm())).toList(),
                    second.stream().filter(w -> !words.contains(w.norm())).toList());
        }

        boolean isEmpty() {
            return first.isEmpty() && second.isEmpty();
        }

        int size() {
            return first.size() + second.size();
        }

        boolean hasNumber() {
            return first.stream().anyMatch(Word::number) || second.stream().anyMatch(Word::number);
        }
    }

    /** One letter more, less, other, or two swapped, in a longer word that is not a number; never the first letter. */
    static boolean isSlip(Word a, Word b) {
        String s = a.norm();
        String t = b.norm();
        if (a.number() || b.number() || Math.min(s.length(), t.length()) < 3
                || Math.max(s.length(), t.length()) < 4 || Math.abs(s.length() - t.length()) > 1
                || s.charAt(0) != t.charAt(0)) {
            return false;
        }
        int from = 0;
        while (from < Math.min(s.length(), t.length()) && s.charAt(from) == t.charAt(from)) {
            from++;
        }
        int tail = 0;
        while (tail < Math.min(s.length(), t.length()) - from
                && s.charAt(s.length() - 1 - tail) == t.charAt(t.length() - 1 - tail)) {
            tail++;
        }
        int left = s.length() - from - tail;
        int right = t.length() - from - tail;
        boolean one = left <= 1 && right <= 1 && (left != right || s.length() >= 6);
        boolean swapped = left == 2 && right == 2 && s.charAt(from) == t.charAt(from + 1)
                && s.charAt(from + 1) == t.charAt(from);
        return one || swapped;
    }

    /** Whether two questions ask for the same. */
    boolean sameQuestion(RowText a, RowText b) {
        Rest rest = Rest.of(a.question(), b.question());
        if (rest.isEmpty()) {
            return true;
        }
        if (rest.hasNumber() || !Asked.of(a.question()).fits(Asked.of(b.question()))) {
            return false;
        }
        Rest topic = rest.without(Vocabulary.STOPS);
        int words = a.question().size() + b.question().size();
        boolean few = words >= 2 * LONG && topic.size() <= FEW * words
                && topic.first().stream().noneMatch(Word::capital) && topic.second().stream().noneMatch(Word::capital);
        return (topic.isEmpty() || few) && !differsInFrequentWord(a, b);
    }

    /** Whether two questions have the same words in the same order, filling words, inflection and slips aside. */
    boolean sameWording(RowText a, RowText b) {
        List<Word> first = a.question().stream().filter(word -> !Vocabulary.FILLERS.contains(word.norm())).toList();
        List<Word> second = b.question().stream().filter(word -> !Vocabulary.FILLERS.contains(word.norm())).toList();
        boolean same = first.size() == second.size();
        for (int i = 0; same && i < first.size(); i++) {
            same = first.get(i).stem().equals(second.get(i).stem()) || isSlip(first.get(i), second.get(i));
        }
        return same && sameQuestion(a, b);
    }

    /** A "slip" between two words that both are common is no slip: planed and planned, form and from. */
    private boolean differsInFrequentWord(RowText a, RowText b) {
        List<Word> first = Rest.minus(a.question(), b.question());
        List<Word> second = Rest.minus(b.question(), a.question());
        for (Word one : first) {
            for (Word other : second) {
                if (isSlip(one, other) && statistics.isFrequent(one) && statistics.isFrequent(other)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether two examples with the same question say the same in nearly the same words. */
    boolean nearDuplicates(RowText a, RowText b) {
        Rest question = Rest.of(a.question(), b.question()).without(Vocabulary.FILLERS);
        int words = a.question().size() + b.question().size();
        if (words > 0 && 1 - (double) question.size() / words < SAME_WORDS + 0.05) {
            return false;
        }
        Rest answer = Rest.of(a.answer(), b.answer());
        if (answer.hasNumber() || difference(a, b).isPresent()) {
            return false;
        }
        Rest told = answer.without(Vocabulary.FILLERS);
        return jaccard(told, a.answer(), b.answer()) >= SAME_WORDS || told.isEmpty();
    }

    private static double jaccard(Rest rest, List<Word> a, List<Word> b) {
        double union = (a.size() + b.size() + rest.size()) / 2.0;
        return union == 0 ? 1 : (union - rest.size()) / union;
    }

    /** Whether two answers say the same fact: the same numbers and names in nearly the same words. */
    boolean sameAnswer(RowText a, RowText b) {
        Rest answer = Rest.of(a.answer(), b.answer());
        return !answer.hasNumber() && jaccard(answer.without(Vocabulary.FILLERS), a.answer(), b.answer()) >= SAME_WORDS
                && names(answer.first()).isEmpty() && names(answer.second()).isEmpty();
    }

    /** In what the answers to the same question contradict each other. */
    Optional<Difference> difference(RowText a, RowText b) {
        Rest rest = Rest.of(a.answer(), b.answer());
        double overlap = overlap(a.answer(), b.answer());
        Set<String> first = numbers(a.answer());
        Set<String> second = numbers(b.answer());
        Set<String> onlyFirst = minus(first, second);
        Set<String> onlySecond = minus(second, first);
        boolean brief = Math.min(a.answer().size(), b.answer().size()) <= 4;
        if (!onlyFirst.isEmpty() && !onlySecond.isEmpty() && (overlap >= ABOUT_THE_SAME || brief)) {
            return Optional.of(new Difference(Conflict.NUMBER, String.join(", ", onlyFirst),
                    String.join(", ", onlySecond)));
        }
        if (negated(a.answer()) != negated(b.answer()) && overlap >= ALMOST_ALL) {
            return Optional.of(new Difference(Conflict.NEGATION, negated(a.answer()) ? "no" : "yes",
                    negated(b.answer()) ? "no" : "yes"));
        }
        Set<String> one = names(rest.first());
        Set<String> other = names(rest.second());
        if (!one.isEmpty() && !other.isEmpty() && overlap >= ALMOST_ALL) {
            return Optional.of(new Difference(Conflict.NAME, String.join(", ", one), String.join(", ", other)));
        }
        return Optional.empty();
    }

    private static Set<String> numbers(List<Word> words) {
        Set<String> numbers = new java.util.LinkedHashSet<>();
        words.stream().filter(Word::number).map(Word::norm).forEach(numbers::add);
        return numbers;
    }

    private static Set<String> minus(Set<String> a, Set<String> b) {
        Set<String> left = new java.util.LinkedHashSet<>(a);
        left.removeAll(b);
        return left;
    }

    private Set<String> names(List<Word> words) {
        Set<String> names = new java.util.LinkedHashSet<>();
        for (Word word : words) {
            if (word.capital() && !word.number() && !Vocabulary.STOPS.contains(word.norm())
                    && statistics.isName(word)) {
                names.add(word.norm());
            }
        }
        return names;
    }

    private static boolean negated(List<Word> words) {
        return words.stream().filter(word -> Vocabulary.NEGATIONS.contains(word.norm())).count() % 2 == 1;
    }

    /** The share of the shorter answer's words of topic, names and numbers aside, that the other one has, too. */
    private static double overlap(List<Word> a, List<Word> b) {
        Set<String> first = topics(a);
        Set<String> second = topics(b);
        int smaller = Math.min(first.size(), second.size());
        if (smaller == 0) {
            return first.size() == second.size() ? 1 : 0;
        }
        Set<String> common = new HashSet<>(first);
        common.retainAll(second);
        return (double) common.size() / smaller;
    }

    private static Set<String> topics(List<Word> words) {
        Set<String> topics = new HashSet<>();
        for (Word word : words) {
            boolean name = word.capital() && !word.initial();
            if (!word.number() && !name && !Vocabulary.STOPS.contains(word.norm())
                    && !Vocabulary.NEGATIONS.contains(word.norm())) {
                topics.add(word.stem());
            }
        }
        return topics;
    }
}
