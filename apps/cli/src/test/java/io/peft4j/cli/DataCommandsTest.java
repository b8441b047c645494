package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cleaning, splitting, converting and previewing data from the command line. */
class DataCommandsTest {
    @TempDir
    Path folder;

    private Path data;

    @BeforeEach
    void write() throws IOException {
        List<String> rows = new ArrayList<>(DataCheckCommandTest.numbered(40));
        rows.add(rows.get(0));
        rows.add(DataCheckCommandTest.row("Whom do I ask?", "Ask <b>it@example.org</b>."));
        data = Files.write(folder.resolve("data.jsonl"), rows);
    }

    @Test
    void splitWritesThePartsAndASummary() throws IOException {
        Path out = folder.resolve("parts");
        CommandRun run = CommandRun.succeeding("data", "split", data, "--out", out, "--ratios", "0.8,0.1,0.1", "--seed",
                "5", "--group", "near", "--json");
        JsonNode json = run.json().get(0);
        assertEquals(json, CommandRun.read(out.resolve("split.json")));
        int rows = 0;
        for (String name : List.of("train", "validation", "test")) {
            rows += Files.readAllLines(out.resolve(name + ".jsonl")).size();
        }
        assertEquals(42, rows);
        assertEquals(2, json.get("largest_group").asInt());
        CommandRun.succeeding("data", "split", data, "--out", folder.resolve("folds"), "--folds", "5", "--group",
                "none");
        assertTrue(Files.exists(folder.resolve("folds/fold-5.jsonl")));
        assertTrue(CommandRun.failing(2, "data", "split", data, "--out", out, "--ratios", "0.5,0.6").contains("sum"));
        Path none = Files.writeString(folder.resolve("none.jsonl"), "{\"messages\": []}\n{\n");
        String message = CommandRun.failing(1, "data", "split", none, "--out", folder.resolve("of-none"));
        assertTrue(message.contains("contains no examples to split; the first of 2 invalid rows is line 1: "),
                message);
    }

    @Test
    void cleanReportsWhatEachStepDid() throws IOException {
        Path out = folder.resolve("clean.jsonl.gz");
        JsonNode report = CommandRun.succeeding("data", "clean", data, "--output", out, "--redact", "--json").json()
                .get(0);
        assertEquals(41, report.get("kept").asInt());
        assertTrue(report.get("steps").toString().contains("\"name\":\"duplicates\",\"changed\":0,\"dropped\":1"));
        Path table = folder.resolve("clean.csv");
        CommandRun.succeeding("data", "convert", out, "--to", "qa", "--output", table);
        List<String> lines = Files.readAllLines(table);
        assertEquals("system,question,answer", lines.get(0));
        assertEquals("\"\",Whom do I ask?,Ask [EMAIL].", lines.get(41));
        Path back = folder.resolve("back.jsonl");
        CommandRun.succeeding("data", "convert", table, "--output", back);
        assertEquals(41, Files.readAllLines(back).size());
        assertTrue(CommandRun.failing(2, "data", "clean", data, "--output", out, "--steps", "x").contains("x"));
    }

    @Test
    void augmentAddsRowsThatSayThatItIsNotKnown() throws IOException {
        Path data = folder.resolve("roles.jsonl");
        Files.writeString(data, Stream.of("a Trainee=3", "a Consultant=5", "an Associate=7").map(row -> row.split("="))
                .map(row -> "{\"question\": \"How many keys does " + row[0] + " get?\", \"answer\": \"" + row[1]
                        + "\"}\n")
                .collect(Collectors.joining()));
        Path out = folder.resolve("known.jsonl");
        assertEquals(2, CommandRun.succeeding("data", "augment", data, "--output", out, "--unknown", "2",
                "--unknown-answer", "Nobody knows.", "--json").json().get(0).get("unknown").asInt());
        List<String> rows = Files.readAllLines(out);
        assertEquals(5, rows.size(), rows.toString());
        assertTrue(rows.get(4).contains("Nobody knows.") && rows.get(4).contains("\"unknown\""), rows.get(4));
        Files.writeString(data, "{\"question\": \"When does it open?\", \"answer\": \"At 6.\"}\n");
        assertTrue(CommandRun.succeeding("data", "augment", data, "--output", out, "--unknown", "2", "--if-exists",
                "overwrite").err().contains("no three rows"));
        CommandRun.failing(2, "data", "augment", data, "--output", out, "--unknown", "0");
    }

    @Test
    void augmentParaphrasesQuestions() throws IOException {
        Path out = folder.resolve("more.jsonl");
        Path held = Files.writeString(folder.resolve("held.jsonl"), DataCheckCommandTest.row("Tell me whom I ask",
                "Ask it.") + "\n");
        JsonNode counts = CommandRun.succeeding("data", "augment", data, "--output", out, "--per-example", "2",
                "--hold-out", held, "--model", FIXTURES.resolve("tiny-llama"), "--json").json().get(0);
        assertEquals(42, counts.get("examples").asInt());
        assertTrue(counts.get("by_rule").asInt() > 20, counts.toString());
        // A model of random weights asks no question.
        assertEquals(0, counts.get("by_model").asInt());
        List<String> lines = Files.readAllLines(out);
        assertEquals(42 + counts.get("by_rule").asInt(), lines.size());
        assertTrue(lines.get(42).endsWith("\"generated\":\"rule\"}"), lines.get(42));
        CommandRun.succeeding("data", "augment", data, "--output", out, "--new-only", "--if-exists",
                "overwrite");
        assertTrue(Files.readAllLines(out).stream().allMatch(line -> line.contains("\"generated\"")));
        assertTrue(CommandRun.failing(2, "data", "augment", data, "--output", out, "--per-example", "0").contains("0"));
    }

    @Test
    void aHandbookBecomesQuestionsAndRowsToFillIn() throws IOException {
        Path handbook = Files.writeString(folder.resolve("h.md"), "# Handbook\n\n## 1. Who pays?\n\nAnn does.\n\n"
                + "## Canteen\n\nThe canteen, says Ann, opens at 11:40.\n");
        Path out = folder.resolve("h.jsonl");
        JsonNode counts = CommandRun.succeeding("data", "from-handbook", handbook, "--output", out, "--json").json()
                .get(0);
        assertEquals("{\"rows\":2,\"from_headings\":1,\"by_rule\":0,\"by_model\":0,\"to_fill_in\":1,\"statements\":2,"
                + "\"with_question\":1,\"without_question\":[{\"line\":9,\"place\":\"\",\"heading\":\"Handbook > "
                + "Canteen\",\"text\":\"The canteen, says Ann, opens at 11:40.\",\"reason\":\"no model was asked for a "
                + "question\",\"to_fill_in\":true}]}", counts.toString());
        List<String> lines = Files.readAllLines(out);
        assertTrue(lines.get(0).contains("\"Who pays?\"") && lines.get(0).contains("Ann does."), lines.get(0));
        assertTrue(CommandRun.failing(1, "train", "--model", FIXTURES.resolve("tiny-llama"), "--data", out, "--output",
                folder.resolve("adapter")).contains("h.jsonl:2: the question is not filled in"));
        CommandRun check = CommandRun.of("data", "check", out);
        assertEquals(1, check.status());
        assertTrue(check.out().contains("  what to do: Write the question") && check.out().contains(
                "      user: [fill in: a question about Handbook, Canteen] | assistant: The canteen, says Ann, opens "
                        + "at 11:40."),
                check.out());
    }

    @Test
    void statementsWithoutAQuestionHaveTheirOwnLines() throws IOException {
        Map<String, String> handbooks = Map.of("h.md", "# Book\n\n## Canteen\n\nIt opens at 11:40. The canteen,\nsays "
                + "Ann, closes\nat 14:10. Cook, says Ann,\ncosts 5 EUR.\n\n- Tea is free.\n- It, says Bob, costs 2 EUR."
                + "\n\n| Grade | Pay |\n|---|---|\n| A | 1 |\n| A | 1 |\n",
                "h.html",
                "<h1>Book</h1>\n<p>\nPlease keep it, says Ann,\nclean. It, says <b>Bob</b>,\ncosts 5 EUR.\n</p>"
                        + "<ul>\n<li>Ann, says Bob, eats 5 cakes.</ul><table><tr><th>Grade<th>Pay</tr>\n<tr><td>A<td>1"
                        + "</tr>\n<tr><td>A<td>1</tr></table>\n");
        Map<String, String> lines = Map.of("h.md", "[5, 5, 7, 11, 15, 16]", "h.html", "[3, 4, 7, 8, 9]");
        for (Map.Entry<String, String> handbook : handbooks.entrySet()) {
            Path file = Files.writeString(folder.resolve(handbook.getKey()), handbook.getValue());
            JsonNode unasked = CommandRun.succeeding("data", "from-handbook", file, "--output", folder.resolve(
                    handbook.getKey() + ".jsonl"), "--json").json().get(0).get("without_question");
            List<Integer> said = new ArrayList<>();
            unasked.forEach(one -> said.add(one.get("line").asInt()));
            assertEquals(lines.get(handbook.getKey()), said.stream().sorted().toList().toString(), unasked.toString());
        }
    }

    @Test
    void rowsThatWereMadeOfAHandbookAreNotWarnedOf() throws IOException {
        Path book = Files.writeString(folder.resolve("b.md"), "# Book\n\n## Shifts\n\n| Shift | Start | End | Pay |\n"
                + "|---|---|---|---|\n| Night | 21:30 | 5:30 | 38 EUR |\n| Early | 6:00 | 14:00 | 12 EUR |\n\n"
                + "## Pool\n\n"
                + "The indoor pool opens at 6:00 and closes at 22:00.\n\n1. The deposit is 50 EUR.\n2. Visitors "
                + "pay 3.50 EUR for towels.\n");
        assertFalse(CommandRun.succeeding("data", "check", book).out().contains("warning"));
        Path rows = folder.resolve("rows.jsonl");
        CommandRun.succeeding("data", "from-handbook", book, "--output", rows);
        assertFalse(CommandRun.succeeding("data", "check", rows).out().contains("warning"));
        Path all = folder.resolve("all.jsonl");
        CommandRun.succeeding("data", "augment", rows, "--output", all);
        assertFalse(CommandRun.succeeding("data", "check", all).out().contains("warning"));
        Path twice = Files.writeString(folder.resolve("twice.jsonl"), Files.readString(rows).replace(
                ",\"generated\":\"rule\"", "") + Files.readString(all).replace(",\"generated\":\"rule\"", ""));
        assertTrue(CommandRun.of("data", "check", twice).out().contains("near_duplicate"));
    }

    @Test
    void documentsBecomeRowsWithPagesAndUnaskedStatementsAreNamed() throws IOException {
        Path fixtures = Path.of("../../formats/documents/src/test/resources/fixtures");
        Path out = folder.resolve("rows.jsonl");
        CommandRun made = CommandRun.succeeding("data", "from-handbook", fixtures.resolve("handbook.pdf"), "--output",
                out, "--skip-unfilled");
        assertTrue(
                made.err().contains("10 of 11 statements have a question; without one: page 4 'Whoever") && made.err()
                        .contains("handbook.pdf:4 (page 4), to fill in: Whoever is late calls the harbour master."),
                made.err());
        List<String> lines = Files.readAllLines(out);
        assertEquals(12, lines.size());
        assertTrue(lines.get(9).contains("What is the notice period of the Captain grade?") && lines.get(9).contains(
                "The notice period of the Captain grade is 90 days.") && lines.get(9).contains("\"page\":2"),
                lines.get(9));
        assertTrue(lines.get(10).contains("\"How do I report sick leave?\"") && lines.get(10).contains("\"page\":3"),
                lines.get(10));
        String check = CommandRun.failing(1, "data", "check", fixtures.resolve("handbook.xlsx"));
        assertTrue(check.contains("handbook.xlsx: it is not clear which columns are what; sheet 'Pay': Grade "
                + "(Deckhand)"), check);
        assertTrue(CommandRun.failing(1, "data", "from-handbook", fixtures.resolve("encrypted.pdf"), "--output", out,
                "--if-exists", "overwrite").contains("encrypted.pdf:1: is encrypted with a password"));
    }

    @Test
    void aHandbookIsWrittenAsATableOrRefusedBeforeItIsRead() throws IOException {
        Path handbook = Files.writeString(folder.resolve("h.md"), "# Book\n\n## Who pays?\n\nAnn, \"always\".\n\n"
                + "## When is lunch?\n\nAt 11:40.\n");
        Path out = folder.resolve("rows.csv");
        CommandRun.succeeding("data", "from-handbook", handbook, "--output", out);
        assertEquals("question,answer,heading\nWho pays?,\"Ann, \"\"always\"\".\",Book > Who pays?\nWhen is lunch?,"
                + "At 11:40.,Book > When is lunch?\n", Files.readString(out));
        CommandRun.succeeding("data", "check", out);
        Path pages = folder.resolve("pages.tsv");
        CommandRun.succeeding("data", "from-handbook", Path.of("../../formats/documents/src/test/resources/fixtures",
                "handbook.pdf"), "--output", pages);
        assertTrue(Files.readString(pages).lines().findFirst().orElseThrow().matches("question\tanswer\theading\tpage"
                + ".*"), Files.readString(pages));
        assertTrue(CommandRun.failing(1, "data", "from-handbook", folder.resolve("none.md"), "--output", folder.resolve(
                "x.csv"), "--to", "chat").contains("x.csv is a table, which cannot hold the lists of chat; write qa"));
        assertTrue(CommandRun.failing(1, "data", "from-handbook", folder.resolve("none.md"), "--output", folder.resolve(
                "x.xlsx")).contains("use the ending .jsonl, .csv or .tsv"));
    }

    @Test
    void aHandbookWithoutSectionsIsNoFileWithoutRows() throws IOException {
        Path handbook = Files.writeString(folder.resolve("h.md"), "# Handbook\n\n## Canteen\n");
        Path out = folder.resolve("h.jsonl");
        String message = CommandRun.failing(1, "data", "from-handbook", handbook, "--output", out);
        assertTrue(message.contains("holds no text below a heading"), message);
        assertFalse(Files.exists(out));
    }

    @Test
    void aDeviceIsNeitherReplacedNorAsked() {
        Path device = Path.of("/dev/null");
        Assumptions.assumeTrue(Files.exists(device), "only Unix has /dev/null");
        for (Object[] more : new Object[][] {{"check", data, "--report", device},
            {"convert", data, "--output", device, "--if-exists", "overwrite"}}) {
            String message = CommandRun.failing(1, Stream.concat(Stream.of("data"), Stream.of(more)).toArray());
            assertTrue(message.contains("is a device or a pipe"), message);
        }
        assertFalse(Files.isRegularFile(device));
    }

    @Test
    void mixHasTheRequestedShares() throws IOException {
        Path other = Files.write(folder.resolve("other.csv"), List.of("question,answer", "Wer?,Ann.", "Wo?,Hier."));
        Path guard = Files.write(folder.resolve("guard.jsonl"), List.of(DataCheckCommandTest.row("Hello?", "Hello.")));
        Path out = folder.resolve("mixed.jsonl");
        JsonNode mixed = CommandRun.succeeding("data", "mix", data, other, "--output", out, "--weights", "3,1",
                "--size", "40", "--guard", guard, "--guard-share", "0.2", "--json").json().get(0);
        assertEquals(50, mixed.get("rows").asInt());
        assertEquals(List.of(30, 10, 10), List.of(mixed.get("sets").get(data.toString()).asInt(),
                mixed.get("sets").get(other.toString()).asInt(), mixed.get("sets").get(guard.toString()).asInt()));
        List<String> lines = Files.readAllLines(out);
        assertEquals(50, lines.size());
        assertEquals(5, lines.stream().filter(line -> line.contains("Wer?")).count());
        assertEquals(10, lines.stream().filter(line -> line.contains("Hello?")).count());
        assertTrue(CommandRun.failing(2, "data", "mix", data, other, "--output", out, "--weights", "3")
                .contains("1 weight for 2 sets"));
        assertTrue(CommandRun.failing(2, "data", "mix", data, "--output", out, "--temperature", "0").contains("0"));
    }

    @Test
    void parquetIsReadLikeOtherFormats() throws IOException {
        Path table = Path.of("../../formats/parquet/src/test/resources/fixtures/chat.parquet");
        Path out = folder.resolve("chat.jsonl");
        CommandRun.succeeding("data", "convert", table, "--output", out);
        assertEquals(40, Files.readAllLines(out).size());
        assertEquals(40, CommandRun.succeeding("data", "check", table, "--json").json().get(0).get("rows").asInt());
    }

    @Test
    void convertStopsAtRowsTheFormatCannotExpress() throws IOException {
        Files.writeString(data, "{\"text\": \"plain\"}\n");
        Path out = folder.resolve("out.jsonl");
        assertTrue(CommandRun.failing(1, "data", "convert", data, "--output", out).contains("data.jsonl:1"));
        assertFalse(Files.exists(out));
    }

    @Test
    void noCommandOverwritesAFileUnlessAsked() throws IOException {
        Path out = folder.resolve("out.jsonl");
        Path parts = folder.resolve("parts");
        for (Object[] command : new Object[][] {{"convert", data, "--output", out}, {"clean", data, "--output", out},
            {"augment", data, "--output", out}, {"mix", data, "--output", out}, {"split", data, "--out", parts}}) {
            Files.writeString(out, "mine");
            Files.writeString(Files.createDirectories(parts).resolve("split.json"), "mine");
            Object[] words = Stream.concat(Stream.of("data"), Stream.of(command)).toArray();
            String message = CommandRun.failing(1, words);
            assertTrue(message.contains(" exists already; choose another name") && message.contains(
                    "--if-exists next takes the next free name, --if-exists overwrite replaces it"), message);
            assertEquals("mine", Files.readString(out));
            assertEquals("mine", Files.readString(parts.resolve("split.json")));
            CommandRun.succeeding(Stream.concat(Stream.of(words), Stream.of("--if-exists", "next")).toArray());
            assertEquals("mine", Files.readString(out));
            assertTrue(Files.exists(folder.resolve(command[0].equals("split") ? "parts-2" : "out-2.jsonl")));
            Files.deleteIfExists(folder.resolve("out-2.jsonl"));
            CommandRun.succeeding(Stream.concat(Stream.of(words), Stream.of("--if-exists", "overwrite")).toArray());
            assertFalse(Files.readString(command[0].equals("split") ? parts.resolve("split.json") : out)
                    .equals("mine"));
        }
    }

    @Test
    void noCommandOverwritesItsInput() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link.jsonl"), data);
        Path other = Files.write(folder.resolve("other.csv"), List.of("question,answer", "Wer?,Ann."));
        List<String> before = Files.readAllLines(data);
        for (Object[] command : new Object[][] {{"convert", data, "--output", link}, {"clean", data, "--output", link},
            {"mix", other, data, "--output", link}, {"mix", other, "--guard", data, "--output", link},
            {"augment", data, "--output", link}, {"augment", other, "--hold-out", data, "--output", link},
            {"check", data, "--report", data}}) {
            Object[] all = Stream.concat(Stream.of("data"), Stream.of(command)).toArray();
            assertTrue(CommandRun.failing(1, all).contains("would overwrite"), List.of(command).toString());
            assertEquals(before, Files.readAllLines(data));
        }
    }

    @Test
    void previewMarksSupervisedText() {
        CommandRun run = CommandRun.succeeding("data", "preview", data, "--model", FIXTURES.resolve("tiny-llama"),
                "--rows", "2", "--json");
        assertEquals(2, run.json().size());
        assertTrue(run.json().get(1).get("text").asText().contains("[[It stands on floor 1."));
        assertTrue(run.json().get(1).get("supervised_tokens").asInt() > 3);
    }
}
