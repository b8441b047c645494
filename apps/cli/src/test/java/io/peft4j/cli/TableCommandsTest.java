package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command that takes rows takes tables, and gives the same for them as for JSON Lines. */
class TableCommandsTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");
    private static final Path PARQUET = Path.of("../../formats/parquet/src/test/resources/fixtures");
    private static final String ROWS = "Frage\tAntwort\nWie lange ist die K\u00fcndigungsfrist?\t3 Monate\n"
            + "Wo melde ich mich krank?\tBei der F\u00fchrungskraft\n";

    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static void assertSame(String command, Path one, Path other, Object... options) {
        Object[] words = new Object[options.length + 4];
        words[0] = command;
        words[1] = "--json";
        words[2] = "--data";
        System.arraycopy(options, 0, words, 4, options.length);
        words[3] = one;
        String expected = CommandRun.succeeding(words).out();
        words[3] = other;
        assertEquals(expected, CommandRun.succeeding(words).out());
        assertTrue(expected.lines().count() >= 2, expected);
    }

    @Test
    void generateAndScoreAndEmbedTakeTables() throws IOException {
        Path lines = file("q.jsonl", "{\"question\": \"Who?\"}\n{\"question\": \"Where, when?\"}\n");
        assertSame("generate", lines, file("q.csv", "question\nWho?\n\"Where, when?\"\n"), "--model", MODEL,
                "--max-new-tokens", 3);
        Path texts = file("t.jsonl", "{\"text\": \"one two\"}\n{\"text\": \"three\"}\n");
        assertSame("score", texts, file("t.tsv", "text\none two\nthree\n"), "--model", MODEL);
        assertSame("embed", texts, file("t.csv", "text;id\none two;1\nthree;2\n"), "--model",
                FIXTURES.resolve("encoders/bert-question"));
        assertSame("score", PARQUET.resolve("text.jsonl"), PARQUET.resolve("text.parquet"), "--model", MODEL);
        assertSame("generate", PARQUET.resolve("chat.jsonl"), PARQUET.resolve("chat.parquet"), "--model", MODEL,
                "--max-new-tokens", 1);
    }

    @Test
    void evaluateTakesTables() throws IOException {
        Path predictions = file("p.jsonl", "{\"text\": \"3 Monate\"}\n{\"text\": \"zu Hause\"}\n");
        Path table = file("p.csv", "text\n3 Monate\nzu Hause\n");
        Path items = Files.writeString(folder.resolve("items.csv"), ROWS.replace('\t', ';'),
                Charset.forName("windows-1252"));
        CommandRun run = CommandRun.succeeding("evaluate", "--data", items, "--encoding", "windows-1252", "--column",
                "Frage=question", "--column", "Antwort=reference", "--base-predictions", predictions,
                "--tuned-predictions", table, "--json");
        assertEquals(1, run.json().size());
        CommandRun found = CommandRun.succeeding("evaluate", "--data", file("items.tsv", ROWS), "--base-predictions",
                predictions, "--tuned-predictions", table, "--json");
        assertEquals(run.json().get(0).get("tuned"), found.json().get(0).get("tuned"));
        assertEquals("items.tsv: columns: Frage is the question, Antwort the answer", found.err().strip());
        assertTrue(CommandRun.failing(1, "evaluate", "--data", file("odd.tsv", "X\tY\n1\t2\n"), "--base-predictions",
                table, "--tuned-predictions", table).contains(
                        "columns get their names with --column X=question "
                                + "--column Y=answer"));
    }

    /** Each command says once what the columns are; what was given once is remembered for the next. */
    @ParameterizedTest
    @ValueSource(strings = {"data check DATA", "data clean DATA --output OUT.csv", "data split DATA --out OUT",
        "data convert DATA --output OUT.jsonl", "data mix DATA --output OUT.jsonl", "data preview DATA --model MODEL",
        "score --model MODEL --data DATA", "estimate --model MODEL --data DATA --validation DATA",
        "train --model MODEL --data DATA --epochs 1 --output OUT"})
    void everyCommandFindsTheColumnsAndTakesThoseThatWereGivenBefore(String command) throws IOException {
        Path data = file("faq.csv", "ID;FRAGE;Antwort\n" + ROWS.replace("Frage\tAntwort\n", "").replace('\t', ';')
                .replaceAll("(?m)^", "1;") + "2;Wer ist da?;Der Hausmeister\n2;Was nun?;Weiter\n2;Wohin?;Nach Hause\n");
        String said = "faq.csv: columns: FRAGE is the question, Antwort the answer; others left out: ID";
        CommandRun found = run(command, data, "found");
        assertEquals(0, found.status(), found.err());
        assertEquals(1, found.err().lines().filter((said)::equals).count(), found.err());
        CommandRun again = run(command, data, "again");
        assertTrue(again.err().contains(said + " (from faq.csv.columns.json)"), again.err());
        assertEquals(0, run(command + " --column ID=question --column FRAGE=answer", data, "given").status());
        CommandRun remembered = run(command, data, "remembered");
        assertTrue(remembered.err().contains("columns: ID is the question, FRAGE the answer; others left out: Antwort"),
                remembered.err());
        Files.deleteIfExists(folder.resolve("faq.csv.columns.json"));
    }

    private CommandRun run(String command, Path data, String out) {
        return CommandRun.of((Object[]) command.replace("DATA", data.toString()).replace("MODEL", MODEL.toString())
                .replace("OUT", folder.resolve(out).toString()).split(" "));
    }

    @Test
    void aCleanedTableIsReadWithTheColumnsThatWereGiven() throws IOException {
        Path data = file("odd.csv", "A,B\nWho?,Ann.\nWhere?,Here.\n");
        CommandRun.succeeding("data", "clean", data, "--output", folder.resolve("clean.csv"), "--column", "A=question",
                "--column", "B=answer");
        assertTrue(CommandRun.succeeding("data", "convert", folder.resolve("clean.csv"), "--to", "qa", "--output",
                folder.resolve("qa.csv")).err().contains("columns: A is the question, B the answer"));
        assertEquals("system,question,answer\n\"\",Who?,Ann.\n\"\",Where?,Here.\n", Files.readString(folder.resolve(
                "qa.csv")));
    }

    @Test
    void anEncoderLearnsClassesFromColumnsThatItFinds() throws IOException {
        Path classes = file("tickets.csv", "Nr,Frage,Antwort,Kategorie\n1,It broke.,We come.,IT\n2,Pay me.,Soon.,HR\n");
        CommandRun run = CommandRun.succeeding("train", "--model", MODEL, "--data", classes, "--objective",
                "classification", "--epochs", 1, "--output", folder.resolve("classes"));
        assertTrue(run.err().contains("columns: Kategorie is the label, Frage the text; others left out: Nr, Antwort"),
                run.err());
    }

    @Test
    void heldOutItemsAreCheckedAsSuchAndNeverLearned() throws IOException {
        Path training = file("t.csv", ROWS);
        Path items = file("items.jsonl", "{\"question\": \"Wie lang ist die Probezeit?\", \"must_contain\": \"6\"}\n"
                + "{\"question\": \"Wer hilft?\", \"any_of\": [\"Ann\", \"Bob\"]}\n"
                + "{\"messages\": [{\"role\": \"user\", \"content\": \"Was?\"}], \"reference\": \"Das hier.\"}\n"
                + "{\"question\": \"Ist das geheim?\", \"refusal\": true}\n"
                + "{\"question\": \"Wie viel?\", \"answer\": \"5 Euro.\"}\n"
                + "{\"question\": \"Was davon?\", \"choices\": [\"a\", \"b\"], \"answer\": 1}\n"
                + "{\"messages\": [{\"role\": \"user\", \"content\": \"Wann?\"}, {\"role\": \"assistant\", "
                + "\"content\": \"Um 6 Uhr.\"}]}\n"
                + "{\"messages\": [{\"role\": \"user\", \"content\": \"Danke!\"}], \"tools\": []}\n");
        CommandRun sound = CommandRun.succeeding("data", "check", training, "--validation", items, "--model", MODEL,
                "--json");
        assertEquals(0, sound.json().get(0).get("errors").asInt(), sound.out());
        Path mixed = file("mixed.jsonl", "{\"question\": \"Wie viel?\", \"answer\": \"5 Euro.\"}\n"
                + "{\"question\": \"Wer?\", \"answer\": \"Ann.\"}\n{\"question\": \"Wann?\", \"must_contain\": "
                + "\"6 Uhr\"}\n");
        CommandRun few = CommandRun.succeeding("data", "check", training, "--validation", mixed, "--json");
        assertEquals(0, few.json().get(0).get("errors").asInt(), few.out());
        Path leaking = file("leak.jsonl", "{\"question\": \"Wo melde ich mich krank?\", \"must_contain\": []}\n"
                + "{\"question\": \"Wo melde ich mich krank?\", \"must_contain\": \"F\u00fchrungskraft\"}\n");
        CommandRun found = CommandRun.of("data", "check", training, "--validation", leaking);
        assertTrue(found.out().contains("leakage: 1 (1 row)") && found.out().contains("leak.jsonl:2: is asked in the "
                + "same words in") && found.out().contains(
                        "leak.jsonl:1: holds no text that a right answer is known "
                                + "by"),
                found.out());
        CommandRun wrong = CommandRun.of("data", "check", items);
        assertTrue(wrong.out().contains("held_out_item: 8 (8 rows)") && !wrong.out().contains("--column"), wrong.out());
        String refused = CommandRun.failing(1, "train", "--model", MODEL, "--data", items, "--output",
                folder.resolve("no"));
        assertTrue(refused.contains("is a held-out item, with [question, must_contain] and no answer to learn; evaluate"
                + " with it, and train on rows with answers") && !refused.contains("=answer"), refused);
    }

    @ParameterizedTest
    @ValueSource(strings = {"windows-1252", "UTF-16LE", "UTF-8"})
    void trainTakesATableOfTheOfficeWithItsOwnColumns(String encoding) throws IOException {
        Path data = Files.writeString(folder.resolve("t.csv"), ROWS.replace('\t', ';'), Charset.forName(encoding));
        Path out = folder.resolve("out");
        CommandRun.succeeding("train", "--model", MODEL, "--data", data, "--validation", data, "--encoding", encoding,
                "--column", "Frage=question", "--column", "Antwort=answer", "--epochs", 1, "--output", out);
        assertTrue(Files.exists(out.resolve("adapter_model.safetensors")));
    }

    @Test
    void classesAndPreferencesAreTrainedFromTables() throws IOException {
        Path pairs = file("pairs.csv", "prompt,chosen,rejected\nWho?,Ann.,Bob.\nWhere?,Here.,There.\n");
        CommandRun.succeeding("train", "--model", MODEL, "--data", pairs, "--objective", "dpo", "--epochs", 1,
                "--output", folder.resolve("dpo"));
        Path classes = file("classes.tsv", "Text\tKategorie\nIt broke.\tIT\nPay me.\tHR\n");
        CommandRun.succeeding("train", "--model", FIXTURES.resolve("tiny-llama"), "--data", classes, "--objective",
                "classification", "--column", "Text=text", "--column", "Kategorie=label", "--epochs", 1, "--output",
                folder.resolve("classes"));
        String refused = CommandRun.failing(1, "train", "--model", MODEL, "--data", classes, "--output",
                folder.resolve("chats"));
        assertTrue(refused.contains("columns: Text is the text, Kategorie the label")
                && refused.contains("texts with a label, which fit --objective classification or decision"), refused);
    }

    @ParameterizedTest
    @CsvSource({"split, --out", "clean, --output", "convert, --output", "augment, --output", "mix, --output"})
    void dataCommandsTakeTheEncodingAndTheColumns(String command, String output) throws IOException {
        Path data = Files.writeString(folder.resolve("t.csv"), ROWS.replace('\t', ';').repeat(1)
                + "Wer ist da?;Ich\nWas nun?;Weiter\n", Charset.forName("windows-1252"));
        CommandRun.succeeding("data", command, data, output, folder.resolve("out.jsonl"), "--encoding", "cp1252",
                "--column", "Frage=question", "--column", "Antwort=answer");
        Path written = command.equals("split") ? folder.resolve("out.jsonl/train.jsonl") : folder.resolve("out.jsonl");
        assertTrue(Files.readString(written, StandardCharsets.UTF_8).contains("Wer ist da?"));
    }

    @Test
    void anUnknownEncodingIsWrongUsage() throws IOException {
        assertTrue(CommandRun.failing(2, "data", "check", file("t.tsv", ROWS), "--encoding", "utf-9")
                .contains("unknown encoding 'utf-9'; Excel writes UTF-8"));
    }
}
