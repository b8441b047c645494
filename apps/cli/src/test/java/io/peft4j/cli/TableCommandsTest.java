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
        assertTrue(CommandRun.failing(1, "evaluate", "--data", file("items.tsv", ROWS), "--base-predictions", table,
                "--tuned-predictions", table).contains(
                        "only Frage, Antwort; columns get their names with --column "
                                + "Frage=question --column Antwort=reference"));
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
        assertTrue(CommandRun.failing(1, "train", "--model", MODEL, "--data", classes, "--output",
                folder.resolve("no")).contains("--column Text=text --column Kategorie=label"));
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
