package io.peft4j.data.near;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;

/**
 * Judges two examples. A question is the same as another one when nothing but filling words, inflection, order or a
 * slip of the pen ({@link TypoRules}) differs: another number, grade, place or product is another question, however few
 * letters it takes.
 */
final class ExampleComparison {
    /** Shares of words; tuned on the seeds that {@code PlantedFaultsTest} names for it. */
    private static final double SAME_WORDS = 0.8;
    private static final double ABOUT_THE_SAME = 0.3;
    private static final double ALMOST_ALL = 0.6;
    /** In a text as long as this a few words more or less do not change the question. */
    private static final int LONG = 40;
    private static final double FEW = 0.04;

    private final WordStatistics statistics;
    private final TypoRules slips;

    ExampleComparison(WordStatistics statistics) {
        this.statistics = statistics;
        this.slips = new TypoRules(statistics);
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
        static Rest of(List<Word> a, List<Word> b, BiPredicate<Word, Word> isSlip) {
            List<Word> first = minus(a, b);
            List<Word> second = minus(b, a);
            for (int i = first.size() - 1; i >= 0; i--) {
                for (int j = second.size() - 1; j >= 0; j--) {
                    if (isSlip.test(first.get(i), second.get(j))) {
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

        /** Whether words of both texts are one letter apart, and no slips. */
        boolean hasLookalikes() {
            return first.stream()
                    .anyMatch(one -> second.stream().anyMatch(other -> TypoRules.looksLikeOne(one, other)));
        }

        boolean hasNumber() {
            return first.stream().anyMatch(Word::number) || second.stream().anyMatch(Word::number);
        }
    }

    private Rest rest(List<Word> a, List<Word> b) {
        return Rest.of(a, b, slips.between(a, b));
    }

    /** Whether two questions ask for the same. */
    boolean sameQuestion(RowText a, RowText b) {
        Rest rest = rest(a.question(), b.question());
        boolean sameTask = a.task().equals(b.task());
        if (rest.isEmpty() || !sameTask) {
            return sameTask;
        }
        if (rest.hasNumber() || !QuestionType.of(a.question()).fits(QuestionType.of(b.question()))) {
            return false;
        }
        Rest topic = rest.without(StopWords.STOPS);
        int words = a.question().size() + b.question().size();
        boolean few = words >= 2 * LONG && topic.size() <= FEW * words
                && topic.first().stream().noneMatch(Word::capital) && topic.second().stream().noneMatch(Word::capital);
        return topic.isEmpty() || few && !topic.hasLookalikes();
    }

    /** Whether two questions have the same words in the same order, filling words, inflection and slips aside. */
    boolean sameWording(RowText a, RowText b) {
        List<Word> first = a.question().stream().filter(word -> !StopWords.FILLERS.contains(word.norm())).toList();
        List<Word> second = b.question().stream().filter(word -> !StopWords.FILLERS.contains(word.norm())).toList();
        BiPredicate<Word, Word> isSlip = slips.between(first, second);
        boolean same = first.size() == second.size();
        for (int i = 0; same && i < first.size(); i++) {
            same = first.get(i).stem().equals(second.get(i).stem()) || isSlip.test(first.get(i), second.get(i));
        }
        return same && sameQuestion(a, b);
    }

    /** Whether two examples with the same question are nearly the same. */
    boolean nearDuplicates(RowText a, RowText b) {
        Rest question = rest(a.question(), b.question()).without(StopWords.FILLERS);
        int words = a.question().size() + b.question().size();
        if (words > 0 && 1 - (double) question.size() / words < SAME_WORDS + 0.05) {
            return false;
        }
        Rest answer = rest(a.answer(), b.answer());
        if (answer.hasNumber() || difference(a, b).isPresent() || !sameRejected(a, b)) {
            return false;
        }
        Rest told = answer.without(StopWords.FILLERS);
        return jaccard(told, a.answer(), b.answer()) >= SAME_WORDS
                && !question.without(StopWords.STOPS).hasLookalikes()
                && !told.without(StopWords.STOPS).hasLookalikes() || told.isEmpty();
    }

    private boolean sameRejected(RowText a, RowText b) {
        Rest rest = rest(a.rejected(), b.rejected());
        return !rest.hasNumber() && jaccard(rest.without(StopWords.FILLERS), a.rejected(), b.rejected()) >= SAME_WORDS;
    }

    private static double jaccard(Rest rest, List<Word> a, List<Word> b) {
        double union = (a.size() + b.size() + rest.size()) / 2.0;
        return union == 0 ? 1 : (union - rest.size()) / union;
    }

    /** Whether two answers say the same fact: the same numbers and names in nearly the same words. */
    boolean sameAnswer(RowText a, RowText b) {
        Rest answer = rest(a.answer(), b.answer());
        return a.task().equals(b.task()) && !answer.hasNumber() && !answer.without(StopWords.STOPS).hasLookalikes()
                && jaccard(answer.without(StopWords.FILLERS), a.answer(), b.answer()) >= SAME_WORDS
                && names(answer.first()).isEmpty() && names(answer.second()).isEmpty();
    }

    /** In what the answers to the same question contradict each other. */
    Optional<Difference> difference(RowText a, RowText b) {
        Rest rest = rest(a.answer(), b.answer());
        Polarity polarity = Polarity.of(a.answer());
        Polarity opposite = Polarity.of(b.answer());
        Set<String> topics = topics(polarity.body());
        Set<String> others = topics(opposite.body());
        double overlap = overlap(topics, others);
        Set<String> first = numbers(a.answer());
        Set<String> second = numbers(b.answer());
        Set<String> onlyFirst = minus(first, second);
        Set<String> onlySecond = minus(second, first);
        boolean brief = Math.min(a.answer().size(), b.answer().size()) <= 4;
        if (!onlyFirst.isEmpty() && !onlySecond.isEmpty() && (overlap >= ABOUT_THE_SAME || brief)) {
            return Optional.of(new Difference(Conflict.NUMBER, String.join(", ", onlyFirst),
                    String.join(", ", onlySecond)));
        }
        if (polarity.opposes(opposite, a.question(), overlap >= ALMOST_ALL, topics.isEmpty() || others.isEmpty())) {
            return Optional.of(new Difference(Conflict.NEGATION, polarity.word(), opposite.word()));
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
            if (word.capital() && !word.number() && !StopWords.STOPS.contains(word.norm())
                    && statistics.isName(word)) {
                names.add(word.norm());
            }
        }
        return names;
    }

    /** The share of the shorter answer's words of topic, names and numbers aside, that the other one has, too. */
    private static double overlap(Set<String> first, Set<String> second) {
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
            if (!word.number() && !name && !StopWords.STOPS.contains(word.norm())
                    && !StopWords.NEGATIONS.contains(word.norm())) {
                topics.add(word.stem());
            }
        }
        return topics;
    }

    /**
     * Whether an answer says yes or no: by its first word, else by whether its negations are odd in number.
     *
     * @param yes what its first word says; empty where it says neither
     * @param body what follows that word
     * @param negated whether the body holds an odd number of negations
     */
    private record Polarity(Optional<Boolean> yes, List<Word> body, boolean negated) {
        private static final Set<String> YES = Set.of("yes", "yeah", "yep", "ja", "jawohl");
        private static final Set<String> NO = Set.of("no", "nope", "nein");
        /** "No more than 30 days" grants 30 days, and "No. 5" is a number. */
        private static final Set<String> COMPARED = Set.of("more", "less", "later", "earlier", "fewer", "sooner");

        static Polarity of(List<Word> answer) {
            String first = answer.isEmpty() ? "" : answer.get(0).norm();
            boolean no = NO.contains(first);
            if (!no && !YES.contains(first)) {
                return new Polarity(Optional.empty(), answer, isNegated(answer));
            }
            List<Word> body = answer.subList(1, answer.size());
            boolean neither = no && !body.isEmpty() && (body.get(0).number() || COMPARED.contains(body.get(0).norm()));
            return new Polarity(neither ? Optional.empty() : Optional.of(!no), body, isNegated(body));
        }

        /** Whether a text holds an odd number of negations. */
        static boolean isNegated(List<Word> words) {
            return words.stream().filter(word -> StopWords.NEGATIONS.contains(word.norm())).count() % 2 == 1;
        }

        /**
         * Whether one of two answers to a question says yes and the other one no.
         *
         * @param question the question; to one with a negation, yes and no can mean either
         * @param alike whether the answers have most of their words of topic in common
         * @param bare whether one of them has no word of topic
         */
        boolean opposes(Polarity other, List<Word> question, boolean alike, boolean bare) {
            if (yes.isPresent() && other.yes.isPresent()) {
                return !yes.equals(other.yes);
            }
            if (yes.isEmpty() && other.yes.isEmpty()) {
                return alike && negated != other.negated;
            }
            Polarity said = yes.isPresent() ? this : other;
            boolean no = !said.yes.orElseThrow();
            boolean denied = yes.isPresent() ? other.negated : negated;
            boolean plain = !isNegated(question);
            if (no == denied) {
                return false;
            }
            // "Yes, it is forbidden" and "it is forbidden" agree; "no approval is needed" and "approval is needed" do
            // not.
            return bare ? plain : alike && (no && plain || said.negated != denied);
        }

        /** Yes or no, for messages. */
        String word() {
            return yes.orElse(!negated) ? "yes" : "no";
        }
    }
}
