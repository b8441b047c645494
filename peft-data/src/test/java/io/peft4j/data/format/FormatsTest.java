package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each format is recognised, and read with the line of what is wrong. */
class FormatsTest {
    private static final Origin NOWHERE = new Origin("nowhere", 1);

    @TempDir
    private Path folder;

    private static void write(Path file, DataFormat format, List<Example> examples) {
        try (ExampleWriter writer = ExampleWriter.open(file, format)) {
            examples.forEach(writer::write);
            writer.commit();
        }
    }

    @Test
    void chatsOfOtherToolsAreRecognised() {
        ChatExample expected = chat(ChatMessage.system("s"), ChatMessage.user("q"), ChatMessage.assistant("a"));
        for (String row : List.of(
                "{\"systemInstruction\": {\"parts\": [{\"text\": \"s\"}]}, \"contents\": [{\"role\": \"user\", "
                        + "\"parts\": [{\"text\": \"q\"}]}, {\"role\": \"model\", \"parts\": [{\"text\": \"a\"}]}]}",
                "{\"conversations\": [{\"from\": \"system\", \"value\": \"s\"}, {\"from\": \"human\", \"value\": "
                        + "\"q\"}, {\"from\": \"gpt\", \"value\": \"a\"}]}",
                "{\"system\": \"s\", \"instruction\": \"q\", \"input\": \"\", \"output\": \"a\"}",
                "{\"system\": \"s\", \"user\": \"q\", \"assistant\": \"a\"}",
                "{\"prompt\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"q\"}], "
                        + "\"completion\": [{\"role\": \"assistant\", \"content\": \"a\"}]}")) {
            assertEquals(List.of(expected), read("a.jsonl", row), row);
            assertEquals(List.of(expected, expected), read("b.json", "\n [" + row + ",\n " + row + "]\n"), row);
        }
        assertEquals(chat(ChatMessage.user("Sort.\n\n2 1"), ChatMessage.assistant("1 2")), read("a.jsonl",
                "{\"instruction\": \"Sort.\", \"input\": \"2 1\", \"output\": \"1 2\"}").get(0));
    }

    @Test
    void preferencesOfBothFormsAreRead() {
        PreferenceExample expected = new PreferenceExample(List.of(ChatMessage.user("q")),
                List.of(ChatMessage.assistant("good")), List.of(ChatMessage.assistant("bad")), List.of(), Map.of(),
                NOWHERE);
        String user = "{\"role\": \"user\", \"content\": \"q\"}";
        String good = "{\"role\": \"assistant\", \"content\": \"good\"}";
        String bad = "{\"role\": \"assistant\", \"content\": \"bad\"}";
        for (String row : List.of("{\"input\": {\"messages\": [" + user + "]}, \"preferred_output\": [" + good
                + "], \"non_preferred_output\": [" + bad + "]}",
                "{\"input\": {\"messages\": [" + user + "]}, \"preferred_completion\": [" + good
                        + "], \"non_preferred_completion\": [" + bad + "]}",
                "{\"chosen\": [" + user + ", " + good + "], \"rejected\": [" + user + ", " + bad + "]}",
                "{\"prompt\": \"q\", \"chosen\": [" + user + ", " + good + "], \"rejected\": [" + user + ", " + bad
                        + "]}",
                "{\"prompt\": [" + user + "], \"chosen\": [" + good + "], \"rejected\": [" + bad + "]}")) {
            assertEquals(List.of(expected), read("p.jsonl", row), row);
        }
        String system = "{\"role\": \"system\", \"content\": \"s\"}";
        PreferenceExample read = (PreferenceExample) read("p.jsonl", "{\"prompt\": \"q\", \"chosen\": [" + system + ", "
                + user + ", " + good + ", " + user + ", " + good + "], \"rejected\": [" + system + ", " + user + ", "
                + good + ", " + user + ", " + bad + "]}").get(0);
        assertEquals(List.of(ChatMessage.system("s"), ChatMessage.user("q")), read.prompt());
        assertEquals(List.of(ChatMessage.assistant("good"), ChatMessage.user("q"), ChatMessage.assistant("bad")),
                read.rejected());
        assertEquals(List.of("1 example_missing_assistant_message"), faults("p.jsonl", "{\"prompt\": \"q\", "
                + "\"chosen\": [" + user + "], \"rejected\": \"bad\"}"));
        assertEquals(List.of(PreferenceExample.of("q", "good", "bad").at(NOWHERE)), read("a.jsonl",
                "{\"prompt\": \"q\", \"chosen\": \"good\", \"rejected\": \"bad\"}"));
    }

    @Test
    void oldFunctionsBecomeToolsAndCalls() {
        ChatExample read = (ChatExample) read("f.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, "
                + "{\"role\": \"assistant\", \"content\": null, \"function_call\": {\"name\": \"f\", \"arguments\": "
                + "\"{}\"}}], \"functions\": [{\"name\": \"f\"}], \"parallel_tool_calls\": false}").get(0);
        assertEquals(List.of(Map.of("type", "function", "function", Map.of("name", "f"))), read.tools());
        assertEquals(List.of(Map.of("type", "function", "function", Map.of("name", "f", "arguments", "{}"))),
                read.messages().get(1).extra().get("tool_calls"));
        assertEquals(Map.of("parallel_tool_calls", false), read.extra());
    }

    @Test
    void tablesAreReadByTheNamesOfTheirColumns() {
        String table = "\uFEFFFrage,Antwort\n\"Wie lange,\n\"\"genau\"\"?\",90 Tage\n\nWo?,Hier\n";
        Path file = file("t.csv", table);
        try (ExampleReader reader = ExampleReader.open(DataFile.of(file).withColumns(
                Map.of("Frage", "question", "Antwort", "answer")))) {
            List<Example> examples = reader.stream().toList();
            assertEquals(List.of(chat(ChatMessage.user("Wie lange,\n\"genau\"?"), ChatMessage.assistant("90 Tage")),
                    chat(ChatMessage.user("Wo?"), ChatMessage.assistant("Hier"))),
                    examples.stream().map(e -> e.at(NOWHERE)).toList());
            // A cell spans lines: the row is named by the line where it begins.
            assertEquals(2, examples.get(0).origin().line());
        }
    }

    @Test
    void tableFaultsAreReportedWithTheirLine() {
        assertEquals(List.of("3 invalid_csv"), faults("t.csv", "question,answer\na,b\nc\nd,e\n"));
        assertEquals(List.of("2 missing_content", "2 missing_content"), faults("t.tsv", "question\tanswer\n\t\n"));
        assertThrows(DataException.class, () -> read("t.csv", "a,a\n1,2\n"));
    }

    @Test
    void rowFaultsAreReportedWithTheirCode() {
        String good = "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, "
                + "{\"role\": \"assistant\", \"content\": \"a\"}]}";
        assertEquals(List.of("2 message_missing_key", "2 missing_content", "2 unrecognized_role", "2 bad_weight"),
                faults("a.jsonl", good + "\n{\"messages\": [{\"role\": \"user\"}, {\"role\": \"bot\", \"content\": "
                        + "\"x\"}, {\"role\": \"assistant\", \"content\": \"y\", \"weight\": 3}]}\n" + good));
        assertEquals(List.of("1 invalid_json", "2 message_unrecognized_key", "3 missing_messages"),
                faults("a.jsonl", "{\"messages\": [}\n" + good.replace("\"content\": \"a\"",
                        "\"content\": \"a\", \"wieght\": 1") + "\n{\"text\": \"t\"}"));
        assertEquals(List.of("2 invalid_json"), faults("a.json", "[\n7,\n" + good + "]"));
        assertEquals(List.of("3 invalid_json"), faults("a.json", "[\n" + good + ",\n{\"messages\" 1}, " + good + "]"));
    }

    @Test
    void handbooksAreCutAtTheirHeadings() {
        String markdown = "# Handbook\n\n## Leave\n\nYou have *30* days.\n\n- May: 5\n- June: 6\n\n## Empty\n\n"
                + "## Travel\n\nAsk `Ann`.\n";
        String html = "<html><body><h1>Handbook</h1><nav>Menu</nav>\n<h2>Leave</h2><p>You have <b>30</b> days.</p>\n"
                + "<ul><li>May: 5</li><li>June: 6</li></ul><h2>Travel</h2>\n<p>Ask Ann.</p></body></html>";
        for (Path file : List.of(file("h.md", markdown), file("h.html", html))) {
            try (ExampleReader reader = ExampleReader.open(file)) {
                List<Example> examples = reader.stream().toList();
                assertEquals(2, examples.size());
                ChatExample leave = (ChatExample) examples.get(0);
                assertEquals("[fill in: a question about Handbook, Leave]", leave.messages().get(0).content());
                String answer = leave.messages().get(1).content();
                assertTrue(answer.startsWith("You have 30 days.") && answer.contains("June: 6"), answer);
                assertEquals("Handbook > Leave", leave.extra().get("heading"));
                assertEquals(file.toString().endsWith("md") ? 3 : 2, leave.origin().line());
            }
        }
    }

    @Test
    void tablesAndLooseTextOfHandbooksAreKept() {
        String markdown = "# Pay\n\nBy grade:\n\n| Grade | Pay |\n|---|---|\n| Cook | 2,150 **EUR** |\n| Mate | |\n";
        String html = "<h1>Pay</h1>By <i>grade</i>:<div><table><tr><th>Grade:<th>Pay<tr><td>Cook<td><p>2,150 EUR"
                + "<tr><td>Mate<td></table></div>";
        for (Path file : List.of(file("h.md", markdown), file("h.html", html))) {
            try (ExampleReader reader = ExampleReader.open(file)) {
                assertEquals(List.of("By grade:\n\nGrade: Cook; Pay: 2,150 EUR\nGrade: Mate"), reader.stream()
                        .map(row -> ((ChatExample) row).messages().get(1).content()).toList());
            }
        }
    }

    @Test
    void promptsAndCompletionsOfSeveralTurnsAreWrittenAsLists() {
        String row = "{\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"q\"},"
                + "{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"p\"}],\"completion\":"
                + "[{\"role\":\"assistant\",\"content\":\"b\"}],\"id\":1}";
        assertEquals(row, JsonText.write(DataFormat.COMPLETION.write(read("c.jsonl", row).get(0)).orElseThrow()));
        // Nothing comes before the first answer that is learned, so there is no prompt.
        assertEquals(Optional.empty(), DataFormat.COMPLETION.write(chat(ChatMessage.assistant("a"))));
    }

    @Test
    void foreignKeysInATurnAreIgnored() {
        String row = "{\"conversations\": [{\"from\": \"human\", \"value\": \"q\", \"role\": \"user\", \"content\": "
                + "\"other\"}, {\"from\": \"gpt\", \"value\": \"a\", \"role\": \"assistant\"}]}";
        assertEquals(List.of(chat(ChatMessage.user("q"), ChatMessage.assistant("a"))), read("s.jsonl", row));
        assertEquals(List.of("1 message_unrecognized_key", "1 message_unrecognized_key", "1 message_unrecognized_key"),
                faults("s.jsonl", row));
    }

    @Test
    void halfOfACharacterIsAFaultInEachFormat() {
        for (String row : List.of("{\"conversations\": [{\"from\": \"human\", \"value\": \"~\"}, {\"from\": \"gpt\", "
                + "\"value\": \"a\"}]}",
                "{\"contents\": [{\"role\": \"user\", \"parts\": [{\"text\": \"~\"}]}, {\"role\": \"model\", "
                        + "\"parts\": [{\"text\": \"a\"}]}]}",
                "{\"question\": \"q\", \"answer\": \"a\", \"system\": \"~\"}",
                "{\"instruction\": \"q\", \"input\": \"~\", \"output\": \"a\"}", "{\"instruction\": \"q\", \"output\": "
                        + "\"a\", \"history\": [[\"~\", \"b\"]]}")) {
            assertEquals(List.of("1 wrong_encoding"), faults("h.jsonl", row.replace("~", "\\ud83d")), row);
            assertEquals(List.of(), faults("h.jsonl", row.replace("~", "\\ud83d\\ude00")), row);
        }
    }

    @Test
    void anInvalidHistoryIsAFault() {
        assertEquals(List.of("1 missing_content"), faults("h.jsonl", "{\"instruction\": \"q\", \"output\": \"a\", "
                + "\"history\": \"earlier\"}"));
    }

    @Test
    void furtherFieldsNeverReplaceTheContent() {
        for (Map.Entry<DataFormat, String> taken : Map.of(DataFormat.CHAT, "messages", DataFormat.QA, "question",
                DataFormat.COMPLETION, "prompt", DataFormat.ALPACA, "history", DataFormat.SHAREGPT, "conversations",
                DataFormat.GEMINI, "systemInstruction").entrySet()) {
            ChatExample example = new ChatExample(List.of(ChatMessage.user("q"), ChatMessage.assistant("a")), List.of(),
                    Map.of(taken.getValue(), "other"), NOWHERE);
            assertEquals(Optional.empty(), taken.getKey().write(example), taken.toString());
        }
        assertEquals(Optional.empty(), DataFormat.SHAREGPT.write(chat(new ChatMessage("developer", "s"),
                ChatMessage.user("q"), ChatMessage.assistant("a"))));
    }

    @Test
    void writtenFilesHaveTheUsualPermissions() throws IOException {
        Path out = folder.resolve("out.jsonl");
        write(out, DataFormat.QA, List.of(chat(ChatMessage.user("q"), ChatMessage.assistant("a"))));
        assertEquals(Files.getPosixFilePermissions(file("other.jsonl", "")), Files.getPosixFilePermissions(out));
    }

    @Test
    void theFormatIsThatOfMostRows() {
        String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", "
                + "\"content\": \"a\"}]}\n";
        for (String odd : List.of("{\"text\": \"x\"}\n", "{\"prompt\": \"a\", \"completion\": \"b\"}\n")) {
            assertEquals(List.of("1 missing_messages"), faults("odd.jsonl", odd + chat.repeat(200)));
        }
    }

    @Test
    void tablesWithSemicolonsAreRead() {
        assertEquals(List.of(chat(ChatMessage.user("Wo, bitte?"), ChatMessage.assistant("Hier; da."))),
                read("excel.csv", "question;answer\r\nWo, bitte?;\"Hier; da.\"\r\n"));
        assertEquals(List.of(chat(ChatMessage.user("Wo; wer?"), ChatMessage.assistant("Hier"))), read("comma.csv",
                "question,answer,\"a;b\"\nWo; wer?,Hier,x\n").stream().map(
                        e -> chat(((ChatExample) e).messages()
                                .toArray(ChatMessage[]::new)))
                .toList());
    }

    @Test
    void emptyLinesOfATableAreCounted() {
        assertEquals(List.of("4 missing_content", "7 missing_content"), faults("t.csv",
                "question,answer\n\n\nq,\n\n\nr,\n"));
        assertEquals(List.of("3 missing_content"), faults("one.csv", "text\nx\n\"\"\n\ny\n"));
    }

    @Test
    void anUnclosedQuoteIsReported() {
        String row = "b,a cell that has no end\n";
        Path file = file("open.csv", "question,answer\na,b\n\"q,a\n" + row.repeat((17 << 20) / row.length()) + "\"\n");
        try (ExampleReader reader = ExampleReader.open(file)) {
            assertEquals(2, reader.next().orElseThrow().row().line());
            ExampleReader.Item item = reader.next().orElseThrow();
            assertEquals(3, item.row().line());
            assertEquals("invalid_csv", item.row().faults().get(0).code());
            assertTrue(item.row().faults().get(0).message().contains("quote"), item.row().faults().toString());
            assertEquals(Optional.empty(), reader.next());
        }
    }

    @Tag("full")
    @Test
    void aCompressedFileThatUnpacksToNoEndIsGivenUp() throws IOException {
        Path file = folder.resolve("bomb.jsonl.zst");
        byte[] row = "{\"question\":\"q\",\"answer\":\"a\"}\n".repeat(1 << 15).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = DataFiles.compressing(file, Files.newOutputStream(file))) {
            for (int written = 0; written < 120 << 20; written += row.length) {
                out.write(row);
            }
        }
        long rows = 0;
        List<RowFault> faults = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.open(file)) {
            for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                rows += item.get().example().isPresent() ? 1 : 0;
                faults.addAll(item.get().row().faults());
            }
        }
        long bound = (64L << 20) + 100 * Files.size(file);
        assertTrue(bound < 120 << 20, "the file has " + Files.size(file) + " bytes");
        assertEquals(bound / (row.length >> 15), rows, 1 << 16);
        assertEquals(List.of("invalid_compression"), faults.stream().map(RowFault::code).toList());
        assertTrue(faults.get(0).message().contains(" bytes unpack to more than 64 MiB and 100 times their number"),
                faults.toString());
    }

    @Test
    void truncatedCompressedFilesAreAFaultAfterTheirRows() throws IOException {
        List<Example> rows = new ArrayList<>();
        java.util.SplittableRandom random = new java.util.SplittableRandom(4);
        for (int i = 0; i < 20_000; i++) {
            rows.add(chat(ChatMessage.user("q" + random.nextLong()), ChatMessage.assistant("a" + random.nextLong())));
        }
        for (String name : List.of("cut.jsonl.gz", "cut.jsonl.zst", "cut.csv.gz", "cut.csv.zst")) {
            Path file = folder.resolve(name);
            write(file, DataFormat.QA, rows);
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
            long examples = 0;
            List<String> faults = new ArrayList<>();
            try (ExampleReader reader = ExampleReader.open(file)) {
                for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                    examples += item.get().example().isPresent() ? 1 : 0;
                    long line = item.get().row().line();
                    item.get().row().faults().forEach(fault -> faults.add(line + " " + fault.code()));
                }
            }
            assertTrue(examples > 1000, name + " " + examples);
            assertEquals(List.of(examples + (name.contains("csv") ? 2 : 1) + " invalid_compression"), faults, name);
        }
    }

    @Test
    void namesOfOtherTypesAreNotWritten() {
        for (String name : List.of("out.parquet", "out.md.gz", "out.html")) {
            Path out = folder.resolve(name);
            assertThrows(ConfigurationException.class, () -> write(out, DataFormat.QA, List.of()), name);
        }
    }

    @ParameterizedTest
    @CsvSource({"t.parquet, io.peft4j:peft-parquet", "t.pdf, io.peft4j:peft-documents",
        "t.docx, io.peft4j:peft-documents", "t.xlsx, io.peft4j:peft-documents"})
    void aMissingModuleIsNamed(String name, String module) {
        String message = assertThrows(ConfigurationException.class, () -> ExampleReader.open(file(name, "PAR1")))
                .getMessage();
        assertTrue(message.contains(name) && message.contains(module), message);
    }

    @Test
    void rowsAFormatCannotExpressAreRefused() {
        ChatExample two = new ChatExample(List.of(ChatMessage.user("a"), ChatMessage.assistant("b"),
                ChatMessage.user("c"), ChatMessage.assistant("d")), List.of(), Map.of(), new Origin("in.jsonl", 4));
        Path out = folder.resolve("out.jsonl");
        DataException refused = assertThrows(DataException.class, () -> write(out, DataFormat.QA, List.of(two)));
        assertTrue(refused.getMessage().startsWith("in.jsonl:4: cannot be written as qa"), refused.getMessage());
        assertFalse(Files.exists(out));
        assertEquals(DataFormat.GEMINI, DataFormat.named("Vertex"));
        assertThrows(ConfigurationException.class, () -> DataFormat.named("xml"));
    }

    private List<String> faults(String name, String text) {
        List<String> faults = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.open(file(name, text))) {
            for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                long line = item.get().row().line();
                item.get().row().faults().forEach(fault -> faults.add(line + " " + fault.code()));
            }
        }
        return faults;
    }

    private List<Example> read(String name, String text) {
        try (ExampleReader reader = ExampleReader.open(file(name, text))) {
            return reader.stream().map(e -> e.at(NOWHERE)).toList();
        }
    }

    private Path file(String name, String text) {
        try {
            return Files.write(folder.resolve(name), text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static ChatExample chat(ChatMessage... messages) {
        return new ChatExample(List.of(messages), List.of(), Map.of(), NOWHERE);
    }

    /** Elements within elements, and very many of them, would take hours or all memory. */
    @Test
    void theElementsOfAPageAreCounted() throws IOException {
        for (String[] page : new String[][] {{"<div>".repeat(300) + "deep", "nested more than 256 deep"},
            {"<b>a</b>".repeat(300_000), "is too intricate to be read"},
            {"<table>" + ("<tr>" + "<td colspan=999>a".repeat(100)).repeat(100) + "</table>",
                "is too intricate to be read"}}) {
            Path file = file("many.html", page[0]);
            String message = assertThrows(DataException.class, () -> {
                try (OpenRows rows = OpenRows.open(DataFile.of(file))) {
                    rows.forEach(row -> {
                    });
                }
            }).getMessage();
            assertTrue(message.contains(page[1]), message);
        }
    }
}
