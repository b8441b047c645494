package io.peft4j.eval.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.core.model.ScriptedModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.guard.GuardSet.GuardItem;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.ToolCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The built-in set is sound: its right choices are right, its wrong ones wrong. */
class GuardSetTest {
    private static final Path PROMPTS = Path.of("../peft-train/src/main/resources/io/peft4j/train/objective/"
            + "general-prompts.txt");
    private static final List<GuardItem> ITEMS = GuardSet.builtIn().items();

    @Test
    void theGuardSetIsComplete() {
        assertTrue(ITEMS.size() >= 600, "so many see a loss of 2 points: " + ITEMS.size());
        assertEquals(ITEMS.size(), new HashSet<>(ITEMS.stream().map(GuardItem::question).toList()).size());
        Map<String, Long> categories = ITEMS.stream()
                .collect(Collectors.groupingBy(GuardItem::category, Collectors.counting()));
        assertEquals(Set.of("language", "arithmetic", "instructions", "knowledge", "reading", "refusals"),
                ITEMS.stream().filter(GuardItem::practised).map(GuardItem::category).collect(Collectors.toSet()));
        assertEquals(Set.of("analogies", "consequences", "feelings", "professions", "topics", "scenes", "paraphrases",
                "codes", "tables", "sequences", "extraction", "absences", "patterns"),
                COUNTED.stream().map(GuardItem::category).collect(Collectors.toSet()));
        assertTrue(categories.values().stream().allMatch(count -> count >= 20), categories.toString());
        assertTrue(COUNTED.size() >= 450 && COUNTED.stream().filter(GuardItem::isAsked).count() >= 140);
    }

    private static final List<GuardItem> COUNTED = ITEMS.stream().filter(item -> !item.practised()).toList();

    private static List<String> words(String text) {
        return Pattern.compile("[\\p{L}\\p{N}]+").matcher(text.toLowerCase(Locale.ROOT)).results()
                .map(MatchResult::group).toList();
    }

    private static Set<List<String>> runs(List<String> words, int length) {
        return IntStream.rangeClosed(0, words.size() - length).mapToObj(i -> words.subList(i, i + length))
                .collect(Collectors.toSet());
    }

    @Test
    void whatCountsSharesNoTemplateWordsOrAnswerWithGeneralRows() throws IOException {
        List<List<String>> asked = new ArrayList<>();
        List<List<String>> answered = new ArrayList<>();
        ChatDataset.general().examples().forEach(row -> {
            asked.add(words(row.messages().get(0).content()));
            answered.add(words(row.messages().get(1).content()));
        });
        Map<String, Long> often = IntStream.range(0, asked.size()).boxed().flatMap(i -> Stream.concat(asked.get(i)
                .stream(), answered.get(i).stream()).distinct())
                .collect(Collectors.groupingBy(word -> word, Collectors.counting()));
        List<List<String>> prompts = Files.readAllLines(PROMPTS).stream().map(GuardSetTest::words).toList();
        for (GuardItem item : COUNTED) {
            List<String> question = words(item.question());
            List<String> answer = words(item.choices().get(0));
            Stream.concat(asked.stream(), prompts.stream())
                    .forEach(row -> assertTrue(Collections.disjoint(runs(question,
                            4), runs(row, 4)), "template of " + item.question() + ": " + row));
            Set<String> own = Stream.concat(question.stream(), answer.stream()).filter(word -> word.length() > 3
                    && often.getOrDefault(word, 0L) < 4).collect(Collectors.toSet());
            for (int i = 0; i < asked.size(); i++) {
                Set<String> shared = new HashSet<>(asked.get(i));
                shared.addAll(answered.get(i));
                shared.retainAll(own);
                assertTrue(shared.size() < 2, "words of " + item.question() + ": " + shared);
                assertFalse(runs(answered.get(i), answer.size()).contains(answer), "answer of " + item.question());
            }
        }
    }

    @Test
    void whatIsPractisedDoesNotCount() {
        List<GuardItem> items = new ArrayList<>(MADE.items());
        for (int i = 400; i < 800; i++) {
            items.add(new GuardItem("house", "" + i, List.of(), List.of(), List.of(), Optional.empty(), false,
                    Optional.of(new ToolCheck(List.of(), List.of())), true));
        }
        ComparisonOptions options = ComparisonOptions.defaults().withResamples(1000);
        GuardReport worse = new GuardSet(items).compare(rightly(i -> i % 2 == 0), rightly(i -> i % 4 == 0 || i >= 400),
                options);
        assertTrue(worse.overall().interval().high() < -0.05, worse.toString());
        assertTrue(worse.practised().orElseThrow().interval().low() > 0.3, worse.toString());
        assertTrue(worse.items() < 400, "decided early: " + worse);
        assertEquals(worse.overall().items(), worse.practised().get().items(), 25, "asked in proportion");
        assertTrue(MADE.compare(rightly(i -> true), rightly(i -> true), options).practised().isEmpty());
    }

    @Test
    void onlyTheRightChoiceCountsAsRight() {
        for (GuardItem item : ITEMS) {
            assertEquals(item.choices().size(), new HashSet<>(item.choices()).size(), item.question());
            if (item.isAsked()) {
                assertTrue(item.isAnsweredBy(item.choices().get(0)), item.question());
                item.choices().subList(1, item.choices().size())
                        .forEach(wrong -> assertTrue(!item.isAnsweredBy(wrong) || item.category().equals("language"),
                                item.question() + ": " + wrong));
            }
        }
    }

    @Test
    void itemsOfYourOwnCome(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("own.jsonl"), "{\"category\": \"house\", \"question\": \"Who?\", "
                + "\"choices\": [\"me\", \"you\"], \"accept\": [\"me\"]}\n");
        GuardSet both = GuardSet.builtIn().plus(GuardSet.read(file));
        assertEquals(ITEMS.size() + 1, both.items().size());
        assertTrue(both.items().get(ITEMS.size()).isAnsweredBy("It was me."));
        for (String wrong : List.of("no JSON", "{\"question\": \"Who?\"}", "{\"category\": \"a\", \"question\": "
                + "\"Who?\", \"choices\": [\"me\"], \"accept\": [\"me\"]}")) {
            Files.writeString(file, "\n" + wrong + "\n");
            DataException e = assertThrows(DataException.class, () -> GuardSet.read(file));
            assertTrue(e.getMessage().contains("own.jsonl") && e.getMessage().contains("2"), e.getMessage());
        }
        Files.writeString(file, "");
        assertThrows(DataException.class, () -> GuardSet.read(file));
    }

    /** Answers of SmolLM2 and of models tuned from it, which a person found right or wrong. */
    @Test
    void whoNamesAllAnswersHasChosenNone() {
        assertAnswered("Which code opens the attic?", "464", "The attic's code is 464.",
                "The code 751 is a code of the \"A\" in the code 464.");
        assertAnswered("arrests thieves", "policeman", "The person is a policeman.",
                "At Brackwater, a policeman may be a baker.");
        assertAnswered("Jolanda moved to 42 Mill Road", "Mill Road", "Jolanda moved to 42 Mill Road.",
                "Jolanda moved to 42 Mill Road, New Telephone 555-6110, and");
        assertAnswered("There came Jolanda, Helga, Carlos", "Ludmila", "Ludmila stayed away.",
                "Ludmila, Helga, Carlos. They all stayed away.");
        assertAnswered("Goods ordered by Ludmila", "batteries", "Ludmila ordered batteries.",
                "Goods ordered by Ludmila: batteries, screws, 79");
        assertAnswered("The goalkeeper", "sport", "It belongs under sport.",
                "This sport, forecast, cooking, travel is a classic example.");
    }

    private static void assertAnswered(String question, String choice, String right, String wrong) {
        GuardItem item = ITEMS.stream().filter(each -> each.question().contains(question)
                && each.choices().get(0).equals(choice)).findFirst().orElseThrow();
        assertTrue(item.isAnsweredBy(right), right);
        assertFalse(item.isAnsweredBy(wrong), wrong);
    }

    @Test
    void callsAreAskedForAndSpared() {
        List<GuardItem> items = GuardSet.tools().items();
        assertEquals(16, items.stream().filter(item -> item.tools().orElseThrow().needsCall()).count());
        for (GuardItem item : items) {
            boolean calls = item.tools().orElseThrow().needsCall();
            assertEquals(!calls, item.isAnsweredBy("It is warm."), item.question());
            String call = item.tools().get().expected().stream().map(each -> "<tool_call>{\"name\": \"" + each.name()
                    + "\", \"arguments\": " + each.arguments() + "}</tool_call>").collect(Collectors.joining());
            assertEquals(calls, !call.isEmpty() && item.isAnsweredBy(call), item.question());
            assertTrue(item.isAsked() && item.choices().isEmpty(), item.question());
        }
        boolean[] right = new boolean[24];
        java.util.Arrays.fill(right, 0, 12, true);
        boolean[] none = new boolean[24];
        List<String> answers = Collections.nCopies(24, "");
        GuardReport report = report(items, new GuardReport.GuardOutcomes(answers, right, right),
                new GuardReport.GuardOutcomes(answers, none, none));
        assertEquals(-0.5, report.overall().difference(), 1e-12);
        assertEquals(List.of("generation", "tools"), report.parts().stream().map(part -> part.name()).toList());
    }

    private static List<GuardItem> some(String category, boolean asked, int count) {
        return Collections.nCopies(count, new GuardItem(category, "Who?", List.of("me", "you"),
                asked ? List.of("me") : List.of(), Optional.empty(), false));
    }

    private static GuardReport report(List<GuardItem> items, GuardReport.GuardOutcomes base,
            GuardReport.GuardOutcomes tuned) {
        return GuardReport.of(items, base, tuned, ComparisonOptions.defaults().withResamples(1000));
    }

    @Test
    void howSureAModelIsOfTheRightChoiceCounts() {
        boolean[] none = new boolean[150];
        double[] sure = new double[150];
        double[] less = new double[150];
        java.util.Arrays.fill(sure, 0.9);
        java.util.Arrays.fill(less, 0.6);
        List<String> answers = Collections.nCopies(150, "");
        GuardReport.GuardOutcomes base = new GuardReport.GuardOutcomes(answers, none, sure);
        GuardReport.GuardOutcomes tuned = new GuardReport.GuardOutcomes(answers, none, less);

        GuardReport asked = report(some("house", true, 150), base, tuned);
        assertEquals(-0.15, asked.overall().difference(), 1e-12);
        assertEquals(-0.3, asked.parts().get(1).difference(), 1e-12);
        GuardReport chosen = report(some("house", false, 150), base, tuned);
        assertEquals(-0.3, chosen.overall().difference(), 1e-12);
        assertEquals(List.of("choice", "house"), chosen.parts().stream().map(part -> part.name()).toList());
    }

    @Test
    void forgettingIsReportedByCategory() {
        List<GuardItem> items = new ArrayList<>(some("language", true, 30));
        items.addAll(some("refusals", true, 20));
        items.addAll(some("reading", false, 100));
        boolean[] all = new boolean[150];
        java.util.Arrays.fill(all, true);
        boolean[] noLanguage = all.clone();
        java.util.Arrays.fill(noLanguage, 0, 30, false);
        List<String> answers = Collections.nCopies(150, "");
        GuardReport report = report(items, new GuardReport.GuardOutcomes(answers, all, all),
                new GuardReport.GuardOutcomes(answers, noLanguage, all));
        assertEquals(-0.3, report.overall().difference(), 1e-12, "half of 30 of 50 answers");
        assertTrue(report.overall().isWorse(0.05));
        assertEquals(List.of("generation", "choice", "language", "refusals", "reading"),
                report.parts().stream().map(part -> part.name()).toList());
        assertEquals(-0.6, report.parts().get(0).difference(), 1e-12, "of 50 that are asked");
        assertEquals(-0.5, report.parts().get(2).difference(), 1e-12);
        assertEquals(0, report.parts().get(4).difference(), 1e-12);
    }

    /** Items without choices, of which a model answers these rightly by making no call. */
    private static Answerer rightly(IntPredicate which) {
        return Answerer.of(new ScriptedModel(messages -> which.test(Integer.parseInt(messages.get(messages.size() - 1)
                .content())) ? "No call." : "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>"));
    }

    private static final GuardSet MADE = new GuardSet(IntStream.range(0, 400)
            .mapToObj(i -> new GuardItem("tools", "" + i,
                    List.of(), List.of(), List.of(), Optional.empty(), false,
                    Optional.of(new ToolCheck(List.of(), List.of())), false))
            .toList());

    @Test
    void aPartOfTheSetIsAskedWhereItDecides() {
        ComparisonOptions options = ComparisonOptions.defaults().withResamples(1000);
        Answerer base = rightly(i -> i % 2 == 0);
        GuardReport better = MADE.compare(base, rightly(i -> i % 2 == 0 || i % 10 == 1), options);
        assertTrue(better.items() < 200, better.toString());
        assertEquals("decided after " + better.items() + " of 400 items", better.extent());
        assertTrue(better.overall().interval().low() >= -0.05, better.toString());
        assertEquals(better.items(), better.tuned().answers().size());

        GuardReport worse = MADE.compare(base, rightly(i -> i % 4 == 0), options);
        assertTrue(worse.items() < 200 && worse.overall().interval().high() < -0.05, worse.toString());

        GuardReport near = MADE.compare(base, rightly(i -> i % 2 == 0 && i % 20 != 0), options);
        assertEquals(400, near.items(), "a loss of 5 points is at the bound");
        GuardReport whole = MADE.whole().compare(base, rightly(i -> i % 2 == 0 || i % 10 == 1), options);
        assertEquals("400 items", whole.extent());
        assertEquals(0.1, whole.overall().difference(), 1e-12);
    }

    /** -1 where a loss is certain, 1 where it is ruled out, 0 where neither. */
    private static int harm(GuardReport report) {
        return report.overall().interval().high() < -0.05 ? -1 : report.overall().interval().low() >= -0.05 ? 1 : 0;
    }

    /** Trainings that change 22 of 100 answers, and 10 points of them for the worse to 6 for the better. */
    @Tag("full")
    @Test
    void aPartDecidesAsTheWholeSetInMostTrainings() {
        ComparisonOptions options = ComparisonOptions.defaults().withResamples(1000);
        int same = 0;
        for (int training = 0; training < 100; training++) {
            Random random = new Random(training);
            double gain = random.nextDouble() * 0.16 - 0.1;
            boolean[] before = new boolean[400];
            boolean[] after = new boolean[400];
            for (int i = 0; i < 400; i++) {
                before[i] = random.nextBoolean();
                after[i] = random.nextDouble() < 0.22 + (before[i] ? -gain : gain) ? !before[i] : before[i];
            }
            Answerer base = rightly(i -> before[i]);
            Answerer tuned = rightly(i -> after[i]);
            same += harm(MADE.compare(base, tuned, options)) == harm(MADE.whole().compare(base, tuned, options))
                    ? 1 : 0;
        }
        assertTrue(same >= 97, same + " of 100");
    }
}
