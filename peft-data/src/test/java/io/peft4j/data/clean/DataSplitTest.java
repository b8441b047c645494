package io.peft4j.data.clean;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.LogLines;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A split comes near to its shares, keeps wordings of a fact together, and stays where it must. */
class DataSplitTest {
    @TempDir
    private Path folder;

    @Test
    void sharesAreMetAndStrataSpread() {
        List<ChatExample> examples = IntStream.range(0, 1000).mapToObj(i -> example("q" + i, "a" + i,
                Map.of("kind", i % 10 == 0 ? "rare" : "common"), i + 1)).toList();
        List<List<ChatExample>> parts = DataSplit.split(examples, SplitRule.ratios(0.8, 0.1, 0.1).ungrouped()
                .stratifiedBy("kind"));
        assertEquals(List.of(800, 100, 100), parts.stream().map(List::size).toList());
        assertEquals(10, parts.get(2).stream().filter(e -> e.extra().get("kind").equals("rare")).count());
        assertTrue(!parts.equals(DataSplit.split(examples, SplitRule.ratios(0.8, 0.1, 0.1).ungrouped()
                .stratifiedBy("kind").seed(9))), "another seed, another split");
        assertEquals(5, DataSplit.split(examples, SplitRule.folds(5).ungrouped()).stream()
                .filter(fold -> fold.size() == 200).count());
    }

    @Test
    void wordingsOfOneFactAreNeverInBothParts() {
        List<ChatExample> examples = new ArrayList<>();
        String[] wordings = {"What is the budget of %s?", "what is the budget of %s", "Please tell me the budget "
                + "of %s.",
            "How much may %s spend in all?"};
        for (int i = 0; i < 100; i++) {
            String team = "team " + word(i);
            for (String wording : wordings) {
                examples.add(example(wording.formatted(team), "The budget of " + team + " is " + (100 + i)
                        + " euros a year in total.", Map.of("fact", i), examples.size() + 1));
            }
        }
        Map<Object, Integer> partOf = new HashMap<>();
        List<List<ChatExample>> parts = DataSplit.split(examples, SplitRule.ratios(0.7, 0.3).groupedByFact());
        for (int part = 0; part < 2; part++) {
            for (ChatExample example : parts.get(part)) {
                int number = part;
                assertEquals(part, partOf.computeIfAbsent(example.extra().get("fact"), f -> number),
                        example.messages().toString());
            }
        }
        assertEquals(120, parts.get(1).size(), 4);
    }

    @Test
    void noTestIsAskedInTheWordsOfTheTrainingButInOthers() {
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            String answer = "The budget of team " + word(i) + " is " + (100 + i) + " euros a year in total.";
            for (String wording : List.of("What is the budget of team %s?", "Please, what is the budget of team %s?",
                    "How much may team %s spend in all?", "Tell me the yearly sum of team %s.")) {
                examples.add(example(wording.formatted(word(i)), answer, Map.of(), examples.size() + 1));
            }
            examples.add(new ChatExample(List.of(ChatMessage.system("Be brief."), ChatMessage.user("Hello!"),
                    ChatMessage.assistant("Hello."), ChatMessage.user("what is the budget of team " + word(i)),
                    ChatMessage.assistant(answer)), List.of(), Map.of(), new Origin("t", examples.size() + 1)));
        }
        List<List<ChatExample>> parts = DataSplit.split(examples, SplitRule.ratios(0.7, 0.3));
        assertEquals(90, parts.get(1).size(), 4, "a greeting keeps nothing together");
        try (Corpus corpus = new Corpus()) {
            for (int part = 0; part < 2; part++) {
                int file = part;
                parts.get(part).forEach(example -> Overlap.add(corpus, file, example.origin().line(), example,
                        Corpus.Features.of(example)));
            }
            Overlap overlap = Overlap.of(corpus, Relations.of(corpus));
            assertEquals(List.of(), overlap.matches().stream().filter(Overlap.Match::leaked).toList());
            assertTrue(overlap.matches().size() > 70, overlap.matches().size() + " are known in other words");
        }
    }

    private static String word(int i) {
        return "" + (char) ('a' + i % 26) + (char) ('k' + i / 26) + "orinth" + (char) ('a' + i * 7 % 26);
    }

    @Test
    void aTestSetByHashStaysWhenDataGrows() {
        List<ChatExample> examples = IntStream.range(0, 2000).mapToObj(i -> example("question " + i + "?", "a" + i,
                Map.of(), i + 1)).toList();
        SplitRule rule = SplitRule.ratios(0.8, 0.2).ungrouped().byHash();
        Set<ChatExample> before = new HashSet<>(DataSplit.split(examples.subList(0, 1200), rule).get(1));
        Set<ChatExample> after = new HashSet<>(DataSplit.split(examples, rule).get(1));
        assertTrue(after.containsAll(before));
        // Binomial: 400 expected, standard deviation 18; the seed of the hash is fixed.
        assertEquals(400, after.size(), 72);
    }

    @Test
    void theLatestComeIntoTheLastPart() {
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            examples.add(example("q" + i, "a", Map.of("day", "2024-01-%02d".formatted(1 + i * 37 % 100)), i + 1));
        }
        List<List<ChatExample>> parts = DataSplit.split(examples, SplitRule.ratios(0.5, 0.5).ungrouped().byTime("day"));
        String latest = parts.get(0).stream().map(e -> (String) e.extra().get("day")).max(String::compareTo).get();
        assertTrue(parts.get(1).stream().allMatch(e -> ((String) e.extra().get("day")).compareTo(latest) >= 0));
        assertThrows(ConfigurationException.class, () -> DataSplit.split(examples, SplitRule.ratios(0.5, 0.5)
                .byTime("hour")));
        assertThrows(ConfigurationException.class, () -> SplitRule.ratios(0.5, 0.6));
        assertThrows(ConfigurationException.class, () -> DataSplit.split(examples.subList(0, 1),
                SplitRule.ratios(0.5, 0.5)));
    }

    @Test
    void aFileIsSplitIntoFilesThatHoldEveryAcceptedRowOnce() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            rows.add("{\"messages\": [{\"role\": \"user\", \"content\": \"Where is number " + i + "?\"}, {\"role\": "
                    + "\"assistant\", \"content\": \"It is here.\"}], \"id\": " + i + "}");
        }
        rows.add(7, "{broken");
        Path data = Files.write(folder.resolve("data.jsonl"), rows);
        ObjectNode json = new FileSplit(SplitRule.ratios(0.8, 0.1, 0.1).seed(3)).run(data, folder.resolve("out"));
        assertEquals(60, json.get("accepted").asInt());
        assertEquals("[{\"line\":8,\"code\":\"invalid_json\"", json.get("rejected_rows").toString().substring(0, 32));
        Set<Object> ids = new HashSet<>();
        for (String name : List.of("train", "validation", "test")) {
            ChatDataset part = ChatDataset.read(folder.resolve("out").resolve(name + ".jsonl"));
            assertEquals(json.get("parts").get(name).get("rows").asInt(), part.size());
            part.forEach(example -> assertTrue(ids.add(example.extra().get("id"))));
        }
        assertEquals(60, ids.size());
        assertEquals(json.toPrettyString() + "\n", Files.readString(folder.resolve("out/split.json")));
    }

    @Test
    void conversationsWithAPromptOfSeveralTurnsAreSplit() throws IOException {
        List<String> rows = IntStream.range(0, 20).mapToObj(i -> "{\"prompt\":[{\"role\":\"system\",\"content\":\"Be "
                + "brief.\"},{\"role\":\"user\",\"content\":\"Where is number " + i + "?\"}],\"completion\":[{\"role\":"
                + "\"assistant\",\"content\":\"Here.\"}]}").toList();
        Path data = Files.write(folder.resolve("prompts.jsonl"), rows);
        new FileSplit(SplitRule.ratios(0.5, 0.5).ungrouped()).run(data, folder.resolve("prompts"));
        Set<String> written = new HashSet<>(Files.readAllLines(folder.resolve("prompts/train.jsonl")));
        written.addAll(Files.readAllLines(folder.resolve("prompts/test.jsonl")));
        assertEquals(new HashSet<>(rows), written);
    }

    @Test
    void foldsAreNumberedAndOtherSplitsAreNotMixedIn() throws IOException {
        Path data = Files.write(folder.resolve("data.jsonl"), IntStream.range(0, 20).mapToObj(i -> "{\"question\": "
                + "\"Where is number " + i + "?\", \"answer\": \"Here.\"}").toList());
        Path out = folder.resolve("folds");
        assertEquals(List.of("fold-1", "fold-2", "fold-3"), new FileSplit(SplitRule.folds(3)).names());
        new FileSplit(SplitRule.folds(2).ungrouped().seed(4)).run(data, out);
        assertTrue(Files.exists(out.resolve("fold-2.jsonl")) && !Files.exists(out.resolve("test.jsonl")));
        String message = assertThrows(ConfigurationException.class, () -> new FileSplit(SplitRule.ratios(0.5, 0.5)
                .ungrouped()).run(data, out)).getMessage();
        assertTrue(message.contains("fold-") && message.contains("another split"), message);
        new FileSplit(SplitRule.folds(2).ungrouped()).run(data, out);
    }

    @Test
    void emptyPartsAreReported() throws IOException {
        Path data = Files.write(folder.resolve("one.jsonl"), IntStream.range(0, 12).mapToObj(i -> "{\"question\": "
                + "\"" + "Please ".repeat(i) + "where is it?\", \"answer\": \"It stands beside the window.\"}")
                .toList());
        String logged = String.join("\n", LogLines.of(() -> {
            ObjectNode json = new FileSplit(SplitRule.ratios(0.8, 0.1, 0.1)).run(data, folder.resolve("one"));
            assertEquals(12, json.get("parts").get("train").get("rows").asInt());
        }));
        assertTrue(logged.contains("validation.jsonl has no examples") && logged.contains("groups: 1, parts: 3"),
                logged);
    }

    @Test
    void splittingNeverOverwritesItsInput() throws IOException {
        List<String> rows = IntStream.range(0, 20).mapToObj(i -> "{\"question\": \"Where is number " + i
                + "?\", \"answer\": \"Here.\"}").toList();
        Path data = Files.write(folder.resolve("train.jsonl"), rows);
        FileSplit split = new FileSplit(SplitRule.ratios(0.5, 0.5).ungrouped());
        assertThrows(ConfigurationException.class, () -> split.run(data, folder));
        Path linked = Files.createDirectories(folder.resolve("linked"));
        Files.createSymbolicLink(linked.resolve("test.jsonl"), data);
        assertThrows(ConfigurationException.class, () -> split.run(data, linked));
        assertEquals(rows, Files.readAllLines(data));
    }

    private static ChatExample example(String question, String answer, Map<String, Object> extra, long line) {
        return new ChatExample(List.of(ChatMessage.user(question), ChatMessage.assistant(answer)), List.of(), extra,
                new Origin("t", line));
    }
}
