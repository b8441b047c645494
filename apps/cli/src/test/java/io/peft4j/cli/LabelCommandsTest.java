package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.LogLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contradicting and misspelt labels are told of by every command that reads them. */
class LabelCommandsTest {
    private static final List<String> LABELS = List.of("billing", "login");

    @TempDir
    Path folder;

    private List<String> rows;

    private static String row(String text, String label) {
        return "{\"text\": \"" + text + "\", \"label\": \"" + label + "\"}";
    }

    @BeforeEach
    void cleanRows() {
        rows = new ArrayList<>(IntStream.range(0, 40).mapToObj(i -> row("case number " + i, LABELS.get(i % 2)))
                .toList());
    }

    private Path file(String name, String... more) throws IOException {
        List<String> all = new ArrayList<>(rows);
        all.addAll(List.of(more));
        return Files.write(folder.resolve(name), all);
    }

    private Object[] train(Path data, Object... more) {
        List<Object> line = new ArrayList<>(List.of("train", "--model", CommandRun.FIXTURES.resolve(
                "encoders/bert-question"), "--objective", "classification", "--data", data, "--output",
                folder.resolve("out"), "--dtype", "f32", "--learning-rate", 0.01));
        line.addAll(more.length > 0 && more[0].equals("--epochs") ? List.of() : List.of("--epochs", 1));
        line.addAll(List.of(more));
        return line.toArray();
    }

    @Test
    void rowsThatAreNotLearnedAreShownAsTheyStandInTheTable() throws IOException {
        List<String> rows = new ArrayList<>(List.of("Nr,Text,Kategorie"));
        IntStream.range(0, 24).forEach(i -> rows.add(i + ",my " + (i % 2 == 0 ? "bill is wrong,billing"
                : "password fails,login").replace(",", " " + (i / 2) + ",")));
        rows.add("99,My bill is wrong 4!,login");
        Path data = Files.write(folder.resolve("table.csv"), rows);
        String said = CommandRun.succeeding(train(data, "--epochs", 12)).err();
        assertTrue(said.contains("  " + data + ", line 26: Nr: 99 | text: My bill is wrong 4! | label: login"), said);
        String answer = "It is the keeper of the house at the end of the long road along the sea ";
        Path faq = Files.writeString(folder.resolve("faq.csv"), "question,answer\n" + IntStream.range(0, 8)
                .mapToObj(i -> "Who is " + i + "?," + answer + (i == 5 ? "never.\n" : "today.\n"))
                .collect(Collectors.joining()));
        String chats = CommandRun.succeeding("train", "--model", CommandRun.FIXTURES.resolve("tiny-llama"), "--data",
                faq, "--output", folder.resolve("chats"), "--dtype", "f32", "--epochs", 30, "--learning-rate", 0.02)
                .err();
        assertTrue(chats.contains("  " + faq + ", line 7: question: Who is 5? | answer: " + answer + "never."), chats);
    }

    @Test
    void checkNamesTheRowsOfContradictionsAndAsksWhatWasMeant() throws IOException {
        Path data = file("d.jsonl", row("case number 3", "billing"), row("a late case", "biling"));
        CommandRun run = CommandRun.of("data", "check", data);
        assertEquals(1, run.status());
        assertTrue(run.out().contains("error " + data + ":4,41: the same input has the label 'login' in line 4 and "
                + "'billing' in line 41"), run.out());
        assertTrue(run.out().contains("warning " + data + ":42: the label 'biling' (1 row): did you mean 'billing' "
                + "(21 rows)?"), run.out());
        assertFalse(CommandRun.of("data", "check", file("clean.jsonl"), "--json").out().contains("label_"));
    }

    @Test
    void checkAsksWhatAHeldOutLabelMeans() throws IOException {
        Path held = Files.writeString(folder.resolve("held.jsonl"), row("another case", "logn") + "\n");
        String out = CommandRun.succeeding("data", "check", file("d.jsonl"), "--validation", held).out();
        assertTrue(out.contains("warning " + held + ":1: the label 'logn' (1 row) is that of no training row: did you "
                + "mean 'login' (20 rows)?"), out);
    }

    @Test
    void cleanMendsSpacesAndCaseAndTellsWhatItLeaves() throws IOException {
        Path out = folder.resolve("clean.jsonl");
        Path data = file("d.jsonl", row("a new case", "login "), row("a newer case", "Billing"),
                row("the newest case", "biling"), row("case number 3", "billing"));
        String said = CommandRun.succeeding("data", "clean", data, "--output", out).out();
        assertTrue(said.contains("labels: 2 changed, 0 dropped"), said);
        assertTrue(
                said.contains("left for you: line 43: the label 'biling' (1 row): did you mean 'billing' (21 rows)?"),
                said);
        assertTrue(said.contains(
                "left for you: lines 4, 44: the same input has the label 'login' in line 4 and 'billing' in line "
                        + "44"),
                said);
        assertEquals(List.of(row("a new case", "login"), row("a newer case", "billing")),
                Files.readAllLines(out).subList(40, 42).stream().map(line -> line.replace("\":", "\": ")
                        .replace(",\"", ", \"")).toList());
    }

    @Test
    void cleanMendsLabelsOfWords() throws IOException {
        List<String> words = new ArrayList<>(IntStream.range(0, 20).mapToObj(i -> "{\"tokens\":[\"Ann" + i
                + "\"],\"labels\":[\"B-PER\"]}").toList());
        words.add("{\"tokens\":[\"Bob\"],\"labels\":[\"b-per\"]}");
        Path out = folder.resolve("clean.jsonl");
        CommandRun.succeeding("data", "clean", Files.write(folder.resolve("w.jsonl"), words), "--output", out);
        assertEquals("{\"tokens\":[\"Bob\"],\"labels\":[\"B-PER\"]}", Files.readAllLines(out).get(20));
    }

    @Test
    void trainRefusesContradictionsAndLabelsInOtherSpaces() throws IOException {
        Path data = file("d.jsonl", row("case number 3", "billing"), row("a new case", "login "));
        String error = CommandRun.failing(1, train(data));
        assertTrue(error.contains(data + ":4: the same input has the label 'login' in line 4 and 'billing' in line 41"),
                error);
        assertTrue(
                error.contains(data + ":42: the label 'login ' (1 row) is the label 'login' (20 rows) in other spaces"),
                error);
        assertFalse(Files.exists(folder.resolve("out/adapter_config.json")));
        Path held = Files.writeString(folder.resolve("held.jsonl"), row("case number 2", "login") + "\n");
        assertTrue(CommandRun.failing(1, train(file("e.jsonl"), "--validation", held)).contains("'billing' in line 3 "
                + "and 'login' in " + held + " line 1"));
    }

    @Test
    void trainNamesAllWrongRowsOfItsFilesAtOnce() throws IOException {
        Path data = file("d.jsonl", row("case number 3", "billing"), row("", "login"), row("a", ""), "{\"text\": "
                + "\"b\"}", "{\"label\": \"login\"}", "{\"text\": \"c\", \"label\": {}}", "{");
        Path held = Files.writeString(folder.resolve("held.jsonl"), (row("", "login") + "\n").repeat(14));
        String error = CommandRun.failing(1, train(data, "--validation", held));
        assertTrue(error.contains(data + ":42: \"text\" is empty"), error);
        for (String row : List.of(":43: \"label\" is empty", ":44: \"label\" is missing", ":45: \"text\" is missing",
                ":46: \"label\" is {}", ":47:2: is not valid JSON", ":4: the same input has the label 'login'")) {
            assertTrue(error.contains("; " + data + row) || error.contains(": " + data + row), error);
        }
        assertTrue(error.contains(held + ":1: \"text\" is empty; The same in lines 2, 3, 4, 5, 6, 7, 8, 9, 10; "
                + "and 4 more rows are wrong"), error);
    }

    @Test
    void labelsThatNoTrainingRowHasAreRefusedTogether() throws IOException {
        Path held = Files.writeString(folder.resolve("held.jsonl"), row("x", "login") + "\n" + row("y", "logn") + "\n"
                + row("z", "sales") + "\n");
        String error = CommandRun.failing(1, train(file("d.jsonl"), "--validation", held));
        assertTrue(error.contains(held + ":2: the label 'logn' (1 row) is that of no training row: did you mean "
                + "'login' (21 rows)?"), error);
        assertTrue(error.contains(held + ":3: the label 'sales' (1 row) is that of no training row"), error);
    }

    @Test
    void textsWithALabelAreNotTrainedAsChats() throws IOException {
        String error = CommandRun.failing(1, "train", "--model", CommandRun.FIXTURES.resolve("tiny-llama"), "--data",
                file("d.jsonl"), "--output", folder.resolve("chat"), "--max-steps", 1);
        assertTrue(error.contains("holds texts with a label, which fit --objective classification or decision; here "
                + "conversations are expected"), error);
    }

    @Test
    void trainWarnsOfALabelThatMayBeASlip() throws IOException {
        Path data = file("d.jsonl", row("a late case", "biling"));
        List<String> warnings = LogLines.of(() -> CommandRun.succeeding(train(data)));
        assertTrue(warnings.toString().contains(data + ", line 41: the label 'biling' (1 row): did you mean "
                + "'billing' (20 rows)?"), warnings.toString());
    }

    @Test
    void decideWarnsOfWhatItsRowsSayOfRightAnswers() throws IOException {
        String row = "{\"state\": \"%s\", \"questions\": {\"team\": {\"type\": \"choice\", \"instructions\": "
                + "\"Which?\", "
                + "\"criteria\": [\"billing\", \"login\"]}}, \"expected\": {\"team\": \"%s\"}}";
        Path data = Files.write(folder.resolve("rows.jsonl"), List.of(row.formatted("charged twice", "billing"),
                row.formatted("charged twice", "login"), row.formatted("no access", "login")));
        CommandRun run = CommandRun.succeeding("decide", "--model", CommandRun.FIXTURES.resolve("decisions/laya"),
                "--data", data, "--dtype", "f32", "--json");
        assertEquals(3, run.json().size());
        assertTrue(run.err()
                .contains("warning: " + data + ", lines 1, 2: the same input has the answer to \"team\" 'billing' in "
                        + "line 1 and 'login' in line 2"),
                run.err());
    }

    private Path chats(String name, IntFunction<String> answer) throws IOException {
        return Files.write(folder.resolve(name), IntStream.range(0, 40).mapToObj(i -> "{\"messages\": [{\"role\": "
                + "\"user\", \"content\": \"case number " + i + "\"}, {\"role\": \"assistant\", \"content\": \""
                + answer.apply(i) + "\"}]}").toList());
    }

    @Test
    void aTrainingOnClassesAsChatsSaysThatAClassifierLearnsThem() throws IOException {
        Path data = chats("chats.jsonl", i -> LABELS.get(i % 2));
        String said = chatTraining(data);
        assertTrue(said.contains(data + " holds 2 short answers again and again: --objective classification learns "
                + "them as classes, and the same rows can be used for it"), said);
        String check = CommandRun.of("data", "check", data).out();
        assertTrue(check.contains("holds 2 short answers again and again")
                && check.contains("(peft4j train --objective classification)"), check);
        assertFalse(chatTraining(chats("facts.jsonl", i -> "The code is " + i + ".")).contains("classification"));
    }

    private String chatTraining(Path data) {
        return LogLines.of(() -> CommandRun.succeeding("train", "--model", CommandRun.FIXTURES.resolve("tiny-llama"),
                "--data", data, "--output", folder.resolve("chat"), "--if-exists", "overwrite", "--max-steps", 1,
                "--dtype", "f32")).toString();
    }

    @Test
    void aClassifierIsTrainedAndEvaluatedOnClassesAsChats() throws IOException {
        Path data = chats("chats.jsonl", i -> LABELS.get(i % 2));
        CommandRun.succeeding(train(data));
        JsonNode result = CommandRun.succeeding("evaluate", "--model", CommandRun.FIXTURES.resolve(
                "encoders/bert-question"), "--adapter", folder.resolve("out"), "--data", data, "--json").json().get(0);
        assertEquals("accuracy", result.get("deciding_metric").asText());
        assertEquals(40, result.get("metrics").get("accuracy").get("n").asInt());
        String words = CommandRun.failing(1, train(chats("facts.jsonl", i -> "The code is " + i + "."),
                "--if-exists", "overwrite"));
        assertTrue(words.contains("holds conversations whose answers are no labels"), words);
    }
}
