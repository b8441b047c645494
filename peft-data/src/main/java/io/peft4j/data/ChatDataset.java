package io.peft4j.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.augment.DocumentRows;
import io.peft4j.data.clean.DataSplit;
import io.peft4j.data.clean.SplitRule;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.format.UnfilledRows;
import io.peft4j.data.near.QuestionText;
import io.peft4j.data.task.RowKind;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Conversations to learn from or to test with, in a fixed order. Immutable.
 */
public final class ChatDataset implements Iterable<ChatExample> {
    /** Rows that are conversations, or can be read as such, to be learned: {@code {"messages"}} and others. */
    public static final RowKind<ChatExample> ROWS = new RowKind<>("conversations", "{\"messages\"}",
            fields -> DataFormat.of(fields).filter(format -> !List.of(DataFormat.TEXT, DataFormat.EVALUATION,
                    DataFormat.CLASSIFICATION).contains(format)).isPresent(),
            rows -> read(rows, true).examples);
    private static final Logger LOG = LoggerFactory.getLogger(ChatDataset.class);

    /** As measured on 176 examples; of many, all general ones are a tenth of the whole. */
    private static final double GENERAL_SHARE = 0.6;
    private static final int GENERAL_EVERY = 1000;
    /** Not the number of an item. */
    private static final Pattern SENTENCE_END = Pattern.compile("\\p{L}[.!?][\"')\\]]*(?=\\s|$)");

    private final List<ChatExample> examples;

    private ChatDataset(List<ChatExample> examples) {
        this.examples = List.copyOf(examples);
    }

    /**
     * A data set of the given examples. Those made by {@link ChatExample#of} are numbered, so that errors can name
     * them.
     */
    public static ChatDataset of(List<ChatExample> examples) {
        List<ChatExample> numbered = new ArrayList<>();
        for (ChatExample example : examples) {
            boolean unnamed = example.origin().equals(Origin.PROGRAM);
            numbered.add(unnamed ? example.at(new Origin(Origin.PROGRAM.file(),
                    numbered.size() + 1)) : example);
        }
        return new ChatDataset(numbered);
    }

    /**
     * Reads a file of conversations: OpenAI's chat format, one JSON object {@code {"messages": [...]}} a line in UTF-8,
     * or any other format of {@link DataFormat} whose examples have a question and an answer. Blank lines are skipped.
     * Further keys of a row are kept ({@link ChatExample#extra}). Of a document in Markdown, HTML, PDF, DOCX or XLSX,
     * or a folder of these, rows are made: questions by rule, each in several wordings ({@link #splitWordings}).
     *
     * @throws io.peft4j.core.error.DataException when rows are wrong, with file, line and column of the first and a
     *     list of the others; when the file holds no example
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static ChatDataset read(Path file) {
        return read(DataFile.of(file));
    }

    /** As {@link #read(Path)}, of a file with its format, names of columns or encoding given. */
    public static ChatDataset read(DataFile source) {
        return read(source, false);
    }

    /** The same of a file to learn from: its rows may also be texts, {@code {"text": "..."}}, all of them learned. */
    public static ChatDataset readToLearn(DataFile source) {
        return read(source, true);
    }

    private static ChatDataset read(DataFile source, boolean texts) {
        try (OpenRows rows = DocumentRows.open(source)) {
            return read(rows, texts);
        }
    }

    private static ChatDataset read(OpenRows source, boolean texts) {
        try (ExampleReader reader = ExampleReader.of(source)) {
            try {
                return new ChatDataset(reader.list("one JSON object with \"messages\"", item -> chat(item, texts)));
            } finally {
                if (!reader.unknownKeys().isEmpty()) {
                    LOG.warn("{}: messages hold keys that the chat format does not have: {}; only the chat template "
                            + "sees them", source.file(), reader.unknownKeys());
                }
            }
        }
    }

    private static ChatExample chat(ExampleReader.Item item, boolean texts) {
        DataRow row = item.row();
        Example example = item.example().orElseThrow(row::exception);
        row.faults().stream().filter(fault -> fault.code().equals(UnfilledRows.UNFILLED)).findFirst()
                .ifPresent(fault -> {
                    throw new DataException(row.file(), row.line(), fault.message());
                });
        if (texts && example instanceof TextExample text) {
            return text.toLearned();
        }
        return example.toChat().orElseThrow(() -> new DataException(row.file(), row.line(), "is a plain text, not a "
                + "conversation with an answer"));
    }

    /**
     * These examples, then those of another set: general ones beside those of a company, for instance, so that a
     * training on the few does not forget the many. A trainer shuffles them.
     */
    public ChatDataset plus(ChatDataset other) {
        List<ChatExample> both = new ArrayList<>(examples);
        both.addAll(other.examples);
        return new ChatDataset(both);
    }

    /**
     * 104 general questions in English with short answers, written for PEFT4J, in a mixed order: language, arithmetic,
     * instructions, knowledge, explanations, small talk, refusals. None of them is asked in the guard set of the
     * evaluation, whose kinds of questions they are.
     */
    public static ChatDataset general() {
        InputStream in = Objects.requireNonNull(ChatDataset.class.getResourceAsStream("general.jsonl"));
        return read(OpenRows.jsonLines(DataFile.of(Path.of(Origin.GENERAL)), in), false);
    }

    /**
     * These examples with {@link #general} ones, so that a training on them forgets less: three for each five, at most
     * all, and all of them once for each thousand examples begun. Only a model with a chat template learns them. The
     * answers of the base can take the place of theirs ({@link #answeredBy}).
     */
    public ChatDataset remembering() {
        List<ChatExample> general = general().examples;
        long most = (long) general.size() * ((examples.size() - 1) / GENERAL_EVERY + 1);
        return plus(new ChatDataset(Stream.generate(() -> general).flatMap(List::stream)
                .limit(Math.min(most, Math.round(GENERAL_SHARE * examples.size()))).toList()));
    }

    /**
     * The same with a model's own answers in the place of the general examples' written ones: greedy, of at most 64
     * tokens, up to their last whole sentence. What is learned with them stays nearer to the model than what is learned
     * with the answers of others (replay of own answers). Examples without a whole sentence are left out; those of a
     * file are as they were, whatever they say.
     *
     * @throws ConfigurationException when there are general examples, and the model has no chat template
     */
    public ChatDataset answeredBy(LanguageModel base) {
        List<Prompt> prompts = examples.stream().filter(ChatDataset::isWritten)
                .<Prompt>map(example -> Prompt.of(base, example.prompt())).distinct().toList();
        if (prompts.isEmpty()) {
            return this;
        }
        List<Completion> completions = base.generate(prompts, GenerationOptions.defaults());
        Map<Prompt, String> answers = new HashMap<>();
        for (int i = 0; i < prompts.size(); i++) {
            Completion completion = completions.get(i);
            String text = completion.text().strip();
            answers.put(prompts.get(i), completion.stopReason() == StopReason.LENGTH ? wholeSentences(text) : text);
        }
        LOG.info("{} are answered by the base itself; left out, since no sentence of the answer ends: {}", Count.of(
                prompts.size(), "general question"), answers.values().stream().filter(String::isEmpty).count());
        return new ChatDataset(examples.stream().flatMap(example -> {
            if (!isWritten(example)) {
                return Stream.of(example);
            }
            String answer = answers.get(Prompt.of(base, example.prompt()));
            return answer.isEmpty() ? Stream.empty() : Stream.of(ChatExample.of(Stream.concat(example.prompt().stream(),
                    Stream.of(ChatMessage.assistant(answer))).toArray(ChatMessage[]::new))
                    .at(new Origin(Origin.ANSWERED, example.origin().line())));
        }).toList());
    }

    private static boolean isWritten(ChatExample example) {
        return example.origin().file().equals(Origin.GENERAL);
    }

    private static String wholeSentences(String text) {
        Matcher ends = SENTENCE_END.matcher(text);
        int end = 0;
        while (ends.find()) {
            end = ends.end();
        }
        return text.substring(0, end);
    }

    /** The examples. */
    public List<ChatExample> examples() {
        return examples;
    }

    /** The number of examples. */
    public int size() {
        return examples.size();
    }

    @Override
    public String toString() {
        return Count.of(examples.size(), "example");
    }

    /** The examples as a stream. */
    public Stream<ChatExample> stream() {
        return examples.stream();
    }

    @Override
    public Iterator<ChatExample> iterator() {
        return examples.iterator();
    }

    /**
     * Splits at random, by seed: the same seed gives the same split. Every example is in exactly one part, in the order
     * of the data set.
     *
     * @throws ConfigurationException when a part would be empty
     */
    public Split split(SplitOptions options) {
        int testSize = (int) Math.round(examples.size() * options.test());
        if (testSize == 0 || testSize == examples.size()) {
            throw new ConfigurationException("a share of " + options.test() + " of " + examples.size()
                    + " examples leaves one part empty; use more examples or another ratio");
        }
        boolean[] inTest = new boolean[examples.size()];
        SplittableRandom random = new SplittableRandom(options.seed());
        int needed = testSize;
        for (int i = 0; i < inTest.length; i++) {
            inTest[i] = random.nextInt(inTest.length - i) < needed;
            needed -= inTest[i] ? 1 : 0;
        }
        List<ChatExample> train = new ArrayList<>();
        List<ChatExample> test = new ArrayList<>();
        for (int i = 0; i < inTest.length; i++) {
            (inTest[i] ? test : train).add(examples.get(i));
        }
        return new Split(new ChatDataset(train), new ChatDataset(test));
    }

    /**
     * Holds out one wording of each fact that has three or more, by seed: of rows from one place with one answer, as a
     * document's are. The first wording is always learned, and none is held out that another row asks in the same
     * words, filling words aside.
     */
    public Split splitWordings(long seed) {
        Function<ChatExample, String> wording = row -> QuestionText.wording(row.messages().get(0).content());
        Map<String, Long> asked = stream().collect(Collectors.groupingBy(wording, Collectors.counting()));
        SplittableRandom random = new SplittableRandom(seed);
        Set<ChatExample> held = new HashSet<>();
        stream().collect(Collectors.groupingBy(row -> List.of(row.origin(), row.messages().get(row.messages().size()
                - 1)), LinkedHashMap::new, Collectors.toList())).values().forEach(fact -> {
                    List<ChatExample> own = fact.stream().skip(1).filter(row -> asked.get(wording.apply(row)) == 1)
                            .toList();
                    if (fact.size() > 2 && !own.isEmpty()) {
                        held.add(own.get(random.nextInt(own.size())));
                    }
                });
        Map<Boolean, List<ChatExample>> parts = stream().collect(Collectors.partitioningBy(held::contains));
        return new Split(new ChatDataset(parts.get(false)), new ChatDataset(parts.get(true)));
    }

    /**
     * Splits by a rule, for instance so that near duplicates and wordings of one fact never stand in two parts.
     *
     * @return the parts in the order of the rule's ratios; together they hold every example once
     * @throws ConfigurationException when an example lacks a field that the rule names, or there are fewer examples
     *     than parts
     */
    public List<ChatDataset> split(SplitRule rule) {
        return DataSplit.split(examples, rule).stream().map(ChatDataset::new).toList();
    }

    /**
     * The parts of a data set.
     *
     * @param train what is learned from
     * @param test what is held out
     */
    public record Split(ChatDataset train, ChatDataset test) {
    }
}
