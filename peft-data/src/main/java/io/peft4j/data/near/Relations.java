package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * How the examples of a corpus relate to each other. Groups nest: equal examples are near duplicates, near duplicates
 * have the same question, and examples with the same question or the same answer are about the same fact.
 */
@Internal(shared = true)
public final class Relations {
    /** More different answers to one question than this are not facts: the prompt of a poem. */
    private static final int MOST_ANSWERS = 40;
    /** An answer that more than this share of the examples give is not a fact. */
    private static final double GENERIC = 0.02;
    private static final int GENERIC_AT_LEAST = 25;

    private final Corpus corpus;
    private final long all;
    private final ExampleComparison comparison;
    private final Groups equal;
    private final Groups near;
    private final Groups questions;
    private final Groups facts;
    private final List<Contradiction> contradictions = new ArrayList<>();

    /**
     * Two answers to one question that cannot both be right.
     *
     * @param kind {@code number}, {@code name} or {@code negation}
     * @param first number of the one example
     * @param second number of the other one
     * @param firstHas what differs, in the first answer
     * @param secondHas what differs, in the second answer
     */
    public record Contradiction(String kind, int first, int second, String firstHas, String secondHas) {
    }

    private Relations(Corpus corpus, long all) {
        this.corpus = corpus;
        this.all = all;
        this.comparison = new ExampleComparison(corpus.statistics());
        this.equal = new Groups(corpus.size());
        this.near = new Groups(corpus.size());
        this.questions = new Groups(corpus.size());
        this.facts = new Groups(corpus.size());
    }

    /** Compares the examples of a corpus. */
    public static Relations of(Corpus corpus) {
        return of(corpus, stage -> {
        });
    }

    /**
     * Compares the examples of a corpus.
     *
     * @param progress told what begins
     */
    public static Relations of(Corpus corpus, Consumer<String> progress) {
        return of(corpus, corpus.size(), progress);
    }

    /**
     * Compares the examples of a corpus to which those of a larger set were brought that may have relations.
     *
     * @param all the number of examples of that set
     * @param progress told what begins
     */
    public static Relations of(Corpus corpus, long all, Consumer<String> progress) {
        Relations relations = new Relations(corpus, all);
        progress.accept("equal examples");
        relations.findEqual();
        progress.accept("equal questions");
        relations.findQuestions();
        progress.accept("equal answers");
        relations.findAnswers();
        progress.accept("contradictions");
        relations.compareAnswers();
        return relations;
    }

    private void findEqual() {
        for (int[] group : Corpus.byKey(IntStream.range(0, corpus.size()).toArray(), corpus::exactKey)) {
            for (int member : group) {
                equal.join(group[0], member);
                near.join(group[0], member);
                questions.join(group[0], member);
                facts.join(group[0], member);
            }
        }
    }

    private int[] different() {
        return IntStream.range(0, corpus.size()).filter(i -> equal.find(i) == i).toArray();
    }

    private void findQuestions() {
        int[] different = different();
        boolean[] covered = new boolean[corpus.size()];
        for (int[] group : Corpus.byKey(different, corpus::topicKey)) {
            // The same words of topic: only the question word can tell them apart.
            List<Integer> kinds = new ArrayList<>();
            for (int member : group) {
                Optional<Integer> fitting = kinds.stream()
                        .filter(kind -> corpus.asked(kind).fits(corpus.asked(member))).findFirst();
                fitting.ifPresent(kind -> {
                    questions.join(kind, member);
                    covered[member] = true;
                });
                if (fitting.isEmpty()) {
                    kinds.add(member);
                }
            }
        }
        for (int i = 0; i < corpus.size(); i++) {
            covered[i] |= equal.find(i) != i;
        }
        new PairFinder(questions, (a, b) -> comparison.sameQuestion(corpus.questionWords(a), corpus.questionWords(b)))
                .runQuestions(corpus, covered);
        for (int i = 0; i < corpus.size(); i++) {
            facts.join(questions.find(i), i);
        }
    }

    private void findAnswers() {
        int most = (int) Math.max(GENERIC_AT_LEAST, GENERIC * all);
        int[] told = Arrays.stream(different()).filter(i -> corpus.factKey(i) != 0).toArray();
        boolean[] covered = new boolean[corpus.size()];
        for (int[] group : Corpus.byKey(told, corpus::factKey)) {
            for (int i = 1; i < group.length; i++) {
                covered[group[i]] = true;
                if (group.length <= most) {
                    facts.join(group[0], group[i]);
                }
            }
            covered[group[0]] |= group.length > most;
            if (group.length <= MOST_ANSWERS) {
                joinSameQuestions(group);
            }
            nearWithin(group);
        }
        PairFinder finder = new PairFinder(facts, (a, b) -> comparison.sameAnswer(corpus.words(a), corpus.words(b)));
        finder.run(corpus.answers(), Arrays.stream(told).filter(i -> !covered[i]).toArray(), corpus::answer);
    }

    /** Questions with the same answer, which may be too short to meet in the index. */
    private void joinSameQuestions(int... group) {
        List<RowText> words = Arrays.stream(group).mapToObj(corpus::words).toList();
        for (int i = 0; i < group.length; i++) {
            for (int j = i + 1; j < group.length; j++) {
                if (!questions.together(group[i], group[j]) && comparison.sameQuestion(words.get(i), words.get(j))) {
                    questions.join(group[i], group[j]);
                    facts.join(group[i], group[j]);
                }
            }
        }
    }

    /** Near duplicates among examples whose answers have the same words. */
    private void nearWithin(int... group) {
        for (int[] sameQuestion : Corpus.byKey(group, questions::find)) {
            RowText first = corpus.words(sameQuestion[0]);
            for (int i = 1; i < sameQuestion.length; i++) {
                if (comparison.nearDuplicates(first, corpus.words(sameQuestion[i]))) {
                    near.join(sameQuestion[0], sameQuestion[i]);
                }
            }
        }
    }

    private void compareAnswers() {
        List<int[]> groups = Corpus.byKey(different(), questions::find);
        List<List<Contradiction>> found = groups.parallelStream().map(this::compareGroup).toList();
        found.forEach(contradictions::addAll);
        int[] many = groups.stream().filter(group -> group.length > MOST_ANSWERS).flatMapToInt(Arrays::stream)
                .sorted().toArray();
        new PairFinder(near, (a, b) -> questions.together(a, b)
                && comparison.nearDuplicates(corpus.words(a), corpus.words(b))).run(corpus.answers(), many,
                        corpus::answer);
    }

    private List<Contradiction> compareGroup(int... group) {
        List<Contradiction> found = new ArrayList<>();
        int members = Math.min(group.length, MOST_ANSWERS);
        List<RowText> words = Arrays.stream(group, 0, members).mapToObj(corpus::words).toList();
        boolean open = group.length > MOST_ANSWERS;
        for (int i = 0; i < members; i++) {
            for (int j = i + 1; j < members; j++) {
                Optional<ExampleComparison.Difference> difference = words.get(i).answer().isEmpty() ? Optional.empty()
                        : comparison.difference(words.get(i), words.get(j));
                if (difference.isPresent()) {
                    if (!open && comparison.sameQuestion(words.get(i), words.get(j))) {
                        found.add(contradiction(group[i], group[j], difference.get()));
                    }
                } else if (comparison.nearDuplicates(words.get(i), words.get(j))) {
                    synchronized (near) {
                        near.join(group[i], group[j]);
                    }
                }
            }
        }
        return found;
    }

    private static Contradiction contradiction(int first, int second, ExampleComparison.Difference difference) {
        return new Contradiction(difference.kind().name().toLowerCase(java.util.Locale.ROOT), first, second,
                difference.first(), difference.second());
    }

    /** Numbers of examples that are nearly the same as an earlier one, in ascending order. */
    public int[] repeated() {
        return IntStream.range(0, corpus.size()).filter(i -> near.find(i) != i).toArray();
    }

    /** Groups of examples that are equal but for white space. */
    public Groups equal() {
        return equal;
    }

    /** Groups of examples that are nearly the same, equal ones among them. */
    public Groups near() {
        return near;
    }

    /** Groups of examples that ask the same question, whatever they answer. */
    public Groups questions() {
        return questions;
    }

    /**
     * Whether two examples of one group of {@link #questions()} ask in the same words in the same order: filling words,
     * inflection, slips of the pen, case and punctuation aside.
     */
    public boolean sameWording(int first, int second) {
        return comparison.sameWording(corpus.questionWords(first), corpus.questionWords(second));
    }

    /** Groups of examples about one fact: the same question, or the same answer. */
    public Groups facts() {
        return facts;
    }

    /** Answers to one question that cannot both be right. */
    public List<Contradiction> contradictions() {
        return contradictions;
    }

    /**
     * Runs through the likely pairs of an index, judges them on all processors, and joins those that belong together.
     */
    private static final class PairFinder {
        private static final int CHUNK = 1 << 14;
        private static final int REMEMBERED = 1 << 20;

        /** Judges a pair. May be called by many threads at once. */
        @FunctionalInterface
        interface Judge {
            boolean belongTogether(int first, int second);
        }

        private final Groups groups;
        private final Judge judge;
        /** Pairs that were judged before, by their hash; meeting in another band they need not be judged again. */
        private final long[] judged = new long[REMEMBERED];
        private final long[] chunk = new long[CHUNK];
        private int pending;

        PairFinder(Groups groups, Judge judge) {
            this.groups = groups;
            this.judge = judge;
        }

        void run(MinHashIndex index, int[] chosen, IntFunction<String> text) {
            index.pairs(chosen, text, this::offer);
            flush();
        }

        /** Judges the pairs of questions of a corpus. */
        void runQuestions(Corpus corpus, boolean... leftOut) {
            corpus.questionPairs(leftOut, this::offer);
            flush();
        }

        /** Takes a pair that may belong together. */
        void offer(int first, int second) {
            long pair = (long) first << 32 | second;
            int slot = (int) (Hashing.mix(pair) >>> 44);
            if (judged[slot] == pair || groups.together(first, second)) {
                return;
            }
            judged[slot] = pair;
            chunk[pending++] = pair;
            if (pending == CHUNK) {
                flush();
            }
        }

        /** Judges what is pending. */
        void flush() {
            long[] found = Arrays.stream(chunk, 0, pending).parallel()
                    .filter(pair -> judge.belongTogether((int) (pair >> 32), (int) pair)).toArray();
            for (long pair : found) {
                groups.join((int) (pair >> 32), (int) pair);
            }
            pending = 0;
        }
    }
}
