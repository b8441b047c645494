package io.peft4j.eval.guard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.metric.FactMatcher;
import io.peft4j.eval.statistics.SequentialMean;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Expectation;
import io.peft4j.eval.task.RefusalDetector;
import io.peft4j.eval.task.ToolCheck;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * More than 700 questions, written for PEFT4J. They are easy: they show what a training has cost, not how good a model
 * is. 462 are of kinds that no general row has, such as analogies, consequences, tables or extraction: these decide.
 * The others, on language, arithmetic, following instructions, general knowledge, reading and refusals, are of kinds
 * that a training with general rows practises. All are asked by likelihood, some also for an answer, in random order
 * until the verdict is decided. Where the set cannot tell, {@link #plus} adds items of your own.
 */
public final class GuardSet {
    /** As long as the longest expected answer, and some more. */
    private static final int MAX_NEW_TOKENS = 24;
    /** A call with its arguments is longer. */
    private static final int MAX_CALL_TOKENS = 64;
    private static final TypeReference<List<Map<String, Object>>> OBJECTS = new TypeReference<>() {
    };
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Each with one item that is asked for an answer and as many others as there are for it. */
    private static final int GROUPS_AT_ONCE = 25;
    private static final long SEED = 639;

    private final List<GuardItem> items;
    private final boolean all;
    private final int[] counted;
    /** Those that do not count, in random order. */
    private final int[] practised;
    /** How many of those that count are asked for an answer. */
    private final int free;

    /** A set of your own. */
    public GuardSet(List<GuardItem> items) {
        this(items, false);
    }

    private GuardSet(List<GuardItem> items, boolean all) {
        this.items = List.copyOf(items);
        this.all = all;
        this.counted = counted(items);
        List<Integer> others = new ArrayList<>(IntStream.range(0, items.size())
                .filter(i -> Arrays.binarySearch(counted, i) < 0).boxed().toList());
        Collections.shuffle(others, new Random(SEED));
        this.practised = others.stream().mapToInt(i -> i).toArray();
        this.free = (int) IntStream.of(counted).filter(i -> items.get(i).isAsked()).count();
    }

    /** The places of the items that count: those of kinds that are not practised, or all where there are none. */
    static int[] counted(List<GuardItem> items) {
        int[] places = IntStream.range(0, items.size()).filter(i -> !items.get(i).practised()).toArray();
        return places.length == 0 ? IntStream.range(0, items.size()).toArray() : places;
    }

    /** The set that comes with the library. */
    public static GuardSet builtIn() {
        return ofResources("guard.jsonl", "guard-made.jsonl");
    }

    /** 24 questions that come with the library and show tools: of 16 a call is right, of 8 none is. */
    public static GuardSet tools() {
        return ofResources("guard-tools.jsonl");
    }

    private static GuardSet ofResources(String... names) {
        List<GuardItem> items = new ArrayList<>();
        for (String name : names) {
            try (InputStream in = GuardSet.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new FileNotFoundException("missing from the jar");
                }
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    items.add(item(JSON.readTree(line)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the built-in guard set " + name, e);
            }
        }
        return new GuardSet(items);
    }

    /**
     * A set of your own from a file of JSON Lines: {@code category}, {@code question}, {@code choices} with the right
     * one first, and where it is to be answered freely, too, one of {@code accept} (texts of which a right answer holds
     * one, and none of {@code reject}), {@code pattern} (found in a right answer) and {@code "refusal": true} (a right
     * answer refuses). With {@code tools} as OpenAI has them, {@code calls} are the right ones, {@code {"name",
     * "arguments"}} each, or none, and no choices are needed. {@code "practised": true} marks a kind of question that
     * the training had: it does not count. The set is asked {@link #whole}.
     *
     * @throws DataException when a row is no such item, or there is none
     * @throws UncheckedIOException when the file cannot be read
     */
    public static GuardSet read(Path file) {
        List<GuardItem> items = new ArrayList<>();
        long number = 0;
        try {
            for (String line : Files.readAllLines(file)) {
                number++;
                if (!line.isBlank()) {
                    items.add(item(JSON.readTree(line)));
                }
            }
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new DataException(file, number, "is not a guard set item: " + e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        if (items.isEmpty()) {
            throw new DataException(file, "contains no guard set items");
        }
        return new GuardSet(items, true);
    }

    /** These items, then those of another set; {@link #whole} if one of them is. */
    public GuardSet plus(GuardSet other) {
        List<GuardItem> both = new ArrayList<>(items);
        both.addAll(other.items);
        return new GuardSet(both, all || other.all);
    }

    private static GuardItem item(JsonNode row) {
        if (!row.hasNonNull("question") || !row.hasNonNull("category")) {
            throw new IllegalArgumentException("it needs a category and a question; got " + row);
        }
        return new GuardItem(row.get("category").asText(), row.get("question").asText(), texts(row, "choices"),
                texts(row, "accept"), texts(row, "reject"),
                Optional.ofNullable(row.get("pattern")).map(p -> Pattern.compile(p.asText())),
                row.path("refusal").asBoolean(), Optional.ofNullable(row.get("tools")).map(tools -> calls(tools, row)),
                row.path("practised").asBoolean());
    }

    private static ToolCheck calls(JsonNode tools, JsonNode row) {
        List<ToolCall> calls = new ArrayList<>();
        row.path("calls").forEach(call -> calls.add(ToolCall.of(call)));
        return new ToolCheck(JSON.convertValue(tools, OBJECTS), calls);
    }

    private static List<String> texts(JsonNode row, String key) {
        List<String> texts = new ArrayList<>();
        row.path(key).forEach(text -> texts.add(text.asText()));
        return texts;
    }

    /** The items. */
    public List<GuardItem> items() {
        return items;
    }

    /** The same, of which all items are asked, even where a part has decided. */
    public GuardSet whole() {
        return new GuardSet(items, true);
    }

    /**
     * Asks two models, and compares them. The items are asked in random order (of a fixed seed), until a loss of the
     * accepted size is ruled out or certain, at the level of the options: by {@link SequentialMean} and by the figures
     * of those asked that count; with these, practised ones are asked in proportion. Where that is never so, or this
     * set is {@link #whole}, all are asked.
     */
    @Internal
    public GuardReport compare(Answerer base, Answerer tuned, ComparisonOptions options) {
        List<int[]> groups = groups();
        double accepted = options.guardTolerance();
        double reach = groups.stream().mapToDouble(this::reach).max().orElse(1);
        SequentialMean mean = new SequentialMean(Math.max(1, groups.size()), -reach, reach, -accepted,
                options.power().alpha());
        Asked before = new Asked();
        Asked after = new Asked();
        for (int done = 0;;) {
            int next = all ? groups.size() : Math.min(done + GROUPS_AT_ONCE, groups.size());
            int[] places = places(groups, done, next);
            before.ask(base, places);
            after.ask(tuned, places);
            groups.subList(done, next).forEach(group -> mean.add(after.score(group) - before.score(group)));
            done = next;
            boolean isLast = done == groups.size();
            if (isLast || mean.isAbove() || mean.isBelow()) {
                int[] asked = places(groups, 0, done);
                GuardReport report = GuardReport.of(IntStream.of(asked).mapToObj(items::get).toList(),
                        before.outcomes(asked), after.outcomes(asked), options).of(items.size());
                if (isLast || report.overall().interval().low() >= -accepted
                        || report.overall().interval().high() < -accepted) {
                    return report;
                }
            }
        }
    }

    /** What is asked with some of the groups: their items, and as large a part of the practised ones. */
    private int[] places(List<int[]> groups, int from, int to) {
        IntStream along = Arrays.stream(practised, practised.length * from / Math.max(1, groups.size()),
                practised.length * to / Math.max(1, groups.size()));
        return IntStream.concat(groups.subList(from, to).stream().flatMapToInt(IntStream::of), along).sorted()
                .toArray();
    }

    /**
     * Groups of the items that count in random order, the mean of whose scores is the set's: as nearly as possible of
     * one size, each with one of the items that are asked for an answer, which count more than the others.
     */
    private List<int[]> groups() {
        List<Integer> order = new ArrayList<>(IntStream.of(counted).boxed().toList());
        Collections.shuffle(order, new Random(SEED));
        List<List<Integer>> groups = new ArrayList<>();
        order.stream().filter(i -> items.get(i).isAsked()).forEach(i -> groups.add(new ArrayList<>(List.of(i))));
        if (groups.isEmpty()) {
            return order.stream().map(i -> new int[] {i}).toList();
        }
        int next = 0;
        for (int i : order) {
            if (!items.get(i).isAsked()) {
                groups.get(next++ % groups.size()).add(i);
            }
        }
        Collections.shuffle(groups, new Random(SEED));
        return groups.stream().map(group -> group.stream().mapToInt(i -> i).toArray()).toList();
    }

    /** The most that the scores of two models can differ by. */
    private double reach(int... group) {
        return free == 0 ? 1 : ((double) group.length * free / counted.length + 1) / 2;
    }

    /**
     * Asks a model: all items for the probability of the right choice, some also for an answer.
     *
     * @param answerer the model, with its cache
     */
    @Internal
    public GuardReport.GuardOutcomes ask(Answerer answerer) {
        int[] places = IntStream.range(0, items.size()).toArray();
        Asked asked = new Asked();
        asked.ask(answerer, places);
        return asked.outcomes(places);
    }

    /** What a model answered so far, with a place for each item. */
    private final class Asked {
        private final String[] answers = new String[items.size()];
        private final boolean[] generated = new boolean[items.size()];
        private final double[] chosen = new double[items.size()];

        void ask(Answerer answerer, int... places) {
            Arrays.stream(places).forEach(i -> answers[i] = "");
            for (boolean calls : new boolean[] {false, true}) {
                int[] asked = IntStream.of(places).filter(i -> items.get(i).isAsked()
                        && items.get(i).tools().isPresent() == calls).toArray();
                List<String> free = answerer.withMaxNewTokens(calls ? MAX_CALL_TOKENS : MAX_NEW_TOKENS)
                        .answers(IntStream.of(asked).mapToObj(i -> question(items.get(i))).toList());
                for (int i = 0; i < asked.length; i++) {
                    answers[asked[i]] = free.get(i);
                    generated[asked[i]] = items.get(asked[i]).isAnsweredBy(free.get(i));
                }
            }
            IntStream.of(places).forEach(i -> chosen[i] = generated[i] ? 1 : 0);
            int[] given = IntStream.of(places).filter(i -> !items.get(i).choices().isEmpty()).toArray();
            List<double[]> likely = answerer.probabilities(IntStream.of(given).mapToObj(items::get)
                    .map(item -> new Answerer.Choices(item.question(), item.choices())).toList());
            for (int i = 0; i < given.length; i++) {
                chosen[given[i]] = likely.get(i)[0];
            }
        }

        /** What a group scores; the mean of all groups is {@link GuardReport#overall}. */
        double score(int... group) {
            double weight = free == 0 ? 0 : (double) counted.length / free;
            double shares = IntStream.of(group).mapToDouble(i -> GuardReport.GuardOutcomes.share(chosen[i],
                    generated[i], weight)).sum();
            return weight == 0 ? shares : shares / weight;
        }

        GuardReport.GuardOutcomes outcomes(int... places) {
            boolean[] right = new boolean[places.length];
            for (int i = 0; i < places.length; i++) {
                right[i] = generated[places[i]];
            }
            return new GuardReport.GuardOutcomes(IntStream.of(places).mapToObj(i -> answers[i]).toList(), right,
                    IntStream.of(places).mapToDouble(i -> chosen[i]).toArray());
        }
    }

    private static EvaluationItem question(GuardItem item) {
        return new EvaluationItem(List.of(ChatMessage.user(item.question())), item.choices().stream().limit(1).toList(),
                List.of(), item.tools().map(Expectation.NONE::withTools).orElse(Expectation.NONE));
    }

    @Override
    public String toString() {
        return "guard set of " + items.size() + " items";
    }

    /**
     * A general question whose answer is chosen among given ones by likelihood, and if it can be judged also
     * answered freely; or one that shows tools and asks for a call, or for none.
     *
     * @param category what it tests: language, arithmetic, instructions, knowledge, reading, refusals or tools
     * @param question what is asked
     * @param choices given answers, the right one first; may be none where tools are shown
     * @param accept a free answer is right when it holds one of these texts
     * @param reject and none of these: who names all of the given answers has chosen none
     * @param pattern a free answer is right when this is found in it
     * @param refusal a free answer is right when it refuses
     * @param tools a free answer is right when it makes these calls
     * @param practised whether general rows that trainings mix in have questions of this kind, so that it tells less of
     *     what was forgotten
     */
    public record GuardItem(String category, String question, List<String> choices, List<String> accept,
            List<String> reject, Optional<Pattern> pattern, boolean refusal, Optional<ToolCheck> tools,
            boolean practised) {
        /** Without tools, of a kind that no training practises. */
        public GuardItem(String category, String question, List<String> choices, List<String> accept,
                Optional<Pattern> pattern, boolean refusal) {
            this(category, question, choices, accept, List.of(), pattern, refusal, Optional.empty(), false);
        }

        /** Copies the lists; there are two choices or tools, and at most one way to judge free answers. */
        public GuardItem {
            Objects.requireNonNull(category, "category");
            Objects.requireNonNull(question, "question");
            choices = List.copyOf(choices);
            accept = List.copyOf(accept);
            reject = List.copyOf(reject);
            int ways = (accept.isEmpty() ? 0 : 1) + (pattern.isPresent() ? 1 : 0) + (refusal ? 1 : 0)
                    + (tools.isPresent()
                            ? 1 : 0);
            if (choices.size() < 2 && !(choices.isEmpty() && tools.isPresent()) || ways > 1) {
                throw new IllegalArgumentException(
                        "an item of a guard set needs two choices or tools, and at most one way "
                                + "to judge a free answer: " + question);
            }
        }

        /** Whether it is also answered freely. */
        public boolean isAsked() {
            return refusal || tools.isPresent() || pattern.isPresent() || !accept.isEmpty();
        }

        /** Whether a free answer is right. */
        public boolean isAnsweredBy(String answer) {
            if (refusal) {
                return RefusalDetector.isRefusal(answer);
            }
            if (tools.isPresent()) {
                return tools.get().accepts(answer);
            }
            return pattern.map(p -> p.matcher(answer.strip()).find())
                    .orElseGet(() -> accept.stream().anyMatch(text -> FactMatcher.contains(answer, text))
                            && reject.stream().noneMatch(text -> FactMatcher.contains(answer, text)));
        }
    }
}
