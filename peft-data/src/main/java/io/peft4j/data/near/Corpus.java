package io.peft4j.data.near;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.Mojibake;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Examples of one or several files, kept so that they can be compared: some 250 bytes each in memory, their texts in a
 * temporary file. Features are computed by any thread ({@link Features#of}), and added by one in the order of the rows.
 */
@Internal(shared = true)
public final class Corpus implements Examples, AutoCloseable {
    /** Question, answer, rejected answer and task of a text in the store. */
    static final int PARTS = 4;
    /** Characters of a text that it is compared by; words take some 50 times as much memory. */
    private static final int MOST_COMPARED = 1 << 18;

    private final TextStore texts = new TextStore();
    private final WordStatistics statistics;
    private final boolean counting;
    private final LeaveOneOut shortQuestions = new LeaveOneOut();
    private final MinHashIndex longQuestions = new MinHashIndex();
    /** Numbers of the examples that stand in the index of long questions. */
    private int[] longNumbers = new int[64];
    private int longSize;
    private final MinHashIndex answers = new MinHashIndex();
    private long[] exact = new long[1024];
    private long[] topics = new long[1024];
    private long[] facts = new long[1024];
    private int[] lines = new int[1024];
    private short[] files = new short[1024];
    private byte[] asked = new byte[1024];
    private int size;
    private volatile boolean complete;

    /** An empty one, which counts the words of its examples. */
    public Corpus() {
        this.statistics = new WordStatistics();
        this.counting = true;
    }

    /** An empty one for some examples of a larger set, whose words have been counted. */
    public Corpus(WordStatistics statistics) {
        this.statistics = statistics;
        this.counting = false;
    }

    /** What comparisons need of an example. */
    public static final class Features {
        private final String text;
        private final RowText words;
        private final long exact;
        private final long topic;
        private final long fact;
        private final QuestionType asked;
        private final int[] topicHashes;
        private final int[] questionSignature;
        private final int[] answerSignature;

        private Features(String wholeQuestion, String wholeAnswer, String wholeRejected, String task, long exact) {
            String question = beginning(wholeQuestion);
            String answer = beginning(wholeAnswer);
            String rejected = beginning(wholeRejected);
            this.text = question.replace('\0', ' ') + '\0' + answer.replace('\0', ' ') + '\0'
                    + rejected.replace('\0', ' ') + '\0' + task;
            this.exact = exact;
            this.words = RowText.of(question, answer, rejected, task);
            long ofTask = task.isEmpty() ? 0 : Hashing.of(task);
            this.topic = key(words.question(), ofTask);
            this.fact = isFact(words.answer()) ? key(words.answer(), ofTask + 1) : 0;
            this.asked = QuestionType.of(words.question());
            int[] hashes = hashes(words.question());
            boolean brief = hashes.length > 0 && hashes.length <= LeaveOneOut.MOST_WORDS;
            this.topicHashes = brief ? hashes : new int[0];
            this.questionSignature = brief ? new int[0] : Shingles.signature(words.question(), StopWords.STOPS);
            this.answerSignature = Shingles.signature(words.answer(), StopWords.FILLERS);
        }

        private static String beginning(String text) {
            return text.length() <= MOST_COMPARED ? text : text.substring(0, MOST_COMPARED);
        }

        /** The features of an example; a long text is compared by its beginning. */
        public static Features of(Example example) {
            String task = ExactKey.task(example);
            if (example instanceof TextExample text) {
                return new Features(Mojibake.mended(text.text()), "", "", task, ExactKey.of(example));
            }
            ChatExample chat = example.toChat().orElseThrow();
            List<ChatMessage> prompt = chat.prompt();
            StringBuilder question = new StringBuilder();
            for (ChatMessage message : prompt) {
                question.append(question.length() == 0 ? "" : "\n").append(ExactKey.told(message));
            }
            ChatMessage last = chat.messages().get(Math.min(prompt.size(), chat.messages().size() - 1));
            String rejected = example instanceof PreferenceExample pair ? pair.rejected().stream().map(ExactKey::told)
                    .collect(Collectors.joining("\n")) : "";
            return new Features(question.toString(), prompt.size() < chat.messages().size() ? ExactKey.told(last) : "",
                    rejected, task, ExactKey.of(example));
        }

        /** The features of an example whose {@link #text} and {@link #exactKey} are known. */
        public static Features of(String text, long exactKey) {
            String[] parts = text.split("\0", PARTS);
            return new Features(parts[0], parts[1], parts[2], parts[3], exactKey);
        }

        /** Question, answer, rejected answer and task. */
        public String text() {
            return text;
        }

        List<Word> questionWords() {
            return words.question();
        }

        List<Word> answerWords() {
            return words.answer();
        }

        /** The keys under which it meets others that are to be compared with it; see {@link CandidatePairs}. */
        public List<CandidatePairs.Key> meetings() {
            List<CandidatePairs.Key> keys = new ArrayList<>();
            LeaveOneOut.keys(topicHashes).forEach(key -> keys.add(new CandidatePairs.Key(Hashing.and(2, key), 0)));
            CandidatePairs.bands(questionSignature, 3, keys);
            if (fact != 0) {
                CandidatePairs.bands(answerSignature, 4, keys);
            }
            return keys;
        }

        /** The same for answers in the same words; 0 where the answer is too short to be a fact. */
        public long factKey() {
            return fact;
        }

        /** The same for examples that are equal but for white space and the spelling of characters. */
        public long exactKey() {
            return exact;
        }

        /** The same for questions with the same words of topic, in any order. */
        public long topicKey() {
            return topic;
        }

        /** The different words of the question that carry its topic. */
        public Set<String> topicWords() {
            return words.question().stream().filter(word -> !word.number() && word.norm().length() > 2
                    && !StopWords.STOPS.contains(word.norm())).map(Word::stem).collect(Collectors.toSet());
        }

        /** The different words that look like names: written with a capital letter inside of a sentence. */
        public Set<String> names() {
            return Stream.concat(words.question().stream(), words.answer().stream())
                    .filter(word -> word.capital() && !word.initial() && word.norm().length() > 3)
                    .map(Word::norm).collect(Collectors.toSet());
        }

        /** The numbers of a question as one hash, then its words of topic; nothing where it has neither. */
        private static int[] hashes(List<Word> words) {
            List<Word> topic = words.stream().filter(word -> !StopWords.STOPS.contains(word.norm())).toList();
            long numbers = topic.stream().filter(Word::number).mapToLong(word -> Hashing.of(word.norm())).sum();
            return topic.isEmpty() ? new int[0] : IntStream.concat(IntStream.of((int) Hashing.mix(numbers)),
                    topic.stream().filter(word -> !word.number()).mapToInt(word -> (int) Hashing.of(word.stem())))
                    .toArray();
        }

        /** A hash of the words that carry the topic, in any order. */
        private static long key(List<Word> words, long kind) {
            long[] hashes = words.stream().filter(word -> !StopWords.STOPS.contains(word.norm()))
                    .mapToLong(word -> Hashing.of(word.stem())).sorted().toArray();
            if (hashes.length == 0) {
                hashes = words.stream().mapToLong(word -> Hashing.of(word.norm())).toArray();
            }
            long key = Hashing.mix(kind);
            for (long hash : hashes) {
                key = Hashing.and(key, hash);
            }
            return key;
        }
    }

    /** An answer with fewer words, such as yes, is the same to many questions. */
    private static final int SHORTEST_FACT = 5;

    static boolean isFact(List<Word> answer) {
        return answer.size() >= SHORTEST_FACT;
    }

    /**
     * Adds an example.
     *
     * @param file number of its file
     * @param line its line
     * @param features what was computed of it
     * @return its number, from 0
     */
    public int add(int file, long line, Features features) {
        if (size == exact.length) {
            grow();
        }
        texts.add(features.text);
        if (counting) {
            statistics.add(features);
        }
        shortQuestions.add(features.topicHashes);
        if (features.questionSignature.length > 0) {
            longQuestions.add(features.questionSignature);
            longNumbers = longSize == longNumbers.length ? Arrays.copyOf(longNumbers, 2 * longSize) : longNumbers;
            longNumbers[longSize++] = size;
        }
        answers.add(features.answerSignature);
        exact[size] = features.exact;
        topics[size] = features.topic;
        facts[size] = features.fact;
        lines[size] = (int) line;
        files[size] = (short) file;
        asked[size] = (byte) features.asked.ordinal();
        complete = false;
        return size++;
    }

    private void grow() {
        exact = Arrays.copyOf(exact, 2 * size);
        topics = Arrays.copyOf(topics, 2 * size);
        facts = Arrays.copyOf(facts, 2 * size);
        lines = Arrays.copyOf(lines, 2 * size);
        files = Arrays.copyOf(files, 2 * size);
        asked = Arrays.copyOf(asked, 2 * size);
    }

    /** The number of examples. */
    public int size() {
        return size;
    }

    @Override
    public long line(int number) {
        return lines[number];
    }

    @Override
    public int file(int number) {
        return files[number];
    }

    @Override
    public String question(int number) {
        return part(number, 0);
    }

    @Override
    public String answer(int number) {
        return part(number, 1);
    }

    private String part(int number, int part) {
        return text(number).split("\0", PARTS)[part];
    }

    String text(int number) {
        if (!complete) {
            complete();
        }
        return texts.get(number);
    }

    private synchronized void complete() {
        if (!complete) {
            texts.flush();
            complete = true;
        }
    }

    RowText words(int number) {
        return RowText.of(text(number));
    }

    long exactKey(int number) {
        return exact[number];
    }

    long topicKey(int number) {
        return topics[number];
    }

    /** 0 where the answer is too short to be a fact. */
    long factKey(int number) {
        return facts[number];
    }

    QuestionType asked(int number) {
        return QuestionType.values()[asked[number]];
    }

    @Override
    public boolean isName(String name) {
        return statistics.isName(name);
    }

    @Override
    public String spelling(int number, String name) {
        return spelling(text(number), name);
    }

    /** How a text spells a name that {@link Features#names} gave. */
    public static String spelling(String text, String name) {
        return Arrays.stream(text.split("[^\\p{L}\\p{M}\\p{N}'\u2019]+"))
                .filter(token -> WordTokenizer.of(token).stream().anyMatch(word -> word.norm().equals(name)))
                .findFirst().orElse(name);
    }

    WordStatistics statistics() {
        return statistics;
    }

    /** The words of the question alone. */
    RowText questionWords(int number) {
        String[] parts = text(number).split("\0", PARTS);
        return new RowText(WordTokenizer.of(parts[0]), List.of(), List.of(), parts[3]);
    }

    /** Tells of pairs of questions that may be the same. */
    void questionPairs(boolean[] leftOut, CandidatePairs.Pairs pairs) {
        int[] chosen = IntStream.range(0, size).filter(i -> !leftOut[i]).toArray();
        shortQuestions.pairs(chosen, this::question, pairs);
        int[] places = IntStream.range(0, longSize).filter(i -> !leftOut[longNumbers[i]]).toArray();
        longQuestions.pairs(places, place -> question(longNumbers[place]),
                (a, b) -> pairs.accept(longNumbers[a], longNumbers[b]));
    }

    MinHashIndex answers() {
        return answers;
    }

    /** The numbers of all examples of a list by key, those with the same key together, else ascending. */
    static List<int[]> byKey(int[] numbers, java.util.function.IntToLongFunction key) {
        long[] hashes = Arrays.stream(numbers).mapToLong(key::applyAsLong).toArray();
        int[] sorted = sortedBy(numbers, hashes);
        List<int[]> groups = new ArrayList<>();
        int from = 0;
        while (from < sorted.length) {
            int to = from + 1;
            long first = key.applyAsLong(sorted[from]);
            while (to < sorted.length && key.applyAsLong(sorted[to]) == first) {
                to++;
            }
            if (to - from > 1) {
                int[] group = Arrays.copyOfRange(sorted, from, to);
                Arrays.sort(group);
                groups.add(group);
            }
            from = to;
        }
        groups.sort((a, b) -> Integer.compare(a[0], b[0]));
        return groups;
    }

    /** Sorts numbers by their hashes: first by the upper halves with the place, then equal upper halves by all. */
    private static int[] sortedBy(int[] numbers, long[] hashes) {
        long[] keys = new long[numbers.length];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = hashes[i] & 0xFFFFFFFF00000000L | i;
        }
        Arrays.parallelSort(keys);
        int[] sorted = new int[keys.length];
        int from = 0;
        while (from < keys.length) {
            int to = from;
            while (to < keys.length && keys[to] >> 32 == keys[from] >> 32) {
                to++;
            }
            int[] places = new int[to - from];
            for (int i = from; i < to; i++) {
                places[i - from] = (int) keys[i];
            }
            int base = from;
            List<Integer> ordered = Arrays.stream(places).boxed()
                    .sorted((a, b) -> Long.compare(hashes[a], hashes[b])).toList();
            for (int i = 0; i < ordered.size(); i++) {
                sorted[base + i] = numbers[ordered.get(i)];
            }
            from = to;
        }
        return sorted;
    }

    @Override
    public void close() {
        texts.close();
    }
}
