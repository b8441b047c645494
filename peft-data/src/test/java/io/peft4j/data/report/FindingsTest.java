package io.peft4j.data.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.TestChatTemplate;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatEncoder;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The findings that {@link PlantedFaultsTest} does not plant, each with its line and severity. */
class FindingsTest {
    private static final String[] THINGS = {"lamp", "chair", "printer", "window", "locker", "plant", "carpet", "shelf"};

    @TempDir
    private Path folder;

    @Test
    void invalidTableRowsAreReported() throws IOException {
        assertEquals(List.of("error [3]"), found("t.csv", "question,answer\na,b\nc\nd,e\n", "invalid_csv"));
        assertEquals(List.of("error [1]"), found("t.csv", "a,a\n1,2\n", "invalid_csv"));
    }

    @Test
    void invalidUtf8IsReportedWithItsLine() throws IOException {
        String row = DirtySet.row("Where is %s?", "There.");
        byte[] lines = (row.formatted("a") + "\n" + row.formatted("b\u00fc") + "\n" + row.formatted("c") + "\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        Path file = Files.write(folder.resolve("latin.jsonl"), lines);
        assertEquals(List.of("error [2]"), found(DataCheck.of(file).run(), "wrong_encoding"));
        assertEquals(3, DataCheck.of(file).run().rows());
        StringBuilder table = new StringBuilder("question,answer\n");
        for (int i = 2; i < 400; i++) {
            table.append("\"Wo ist\nRaum ").append(i).append("?\",").append(i == 300 ? "\u00fcber" : "Hier")
                    .append('\n');
        }
        Path csv = Files.write(folder.resolve("latin.csv"), table.toString().getBytes(StandardCharsets.ISO_8859_1));
        DataReport report = DataCheck.of(csv).run();
        // Each row spans two lines, from line 2 on: row 300 ends in line 599. All rows before it are read.
        assertEquals(List.of("error [599]"), found(report, "wrong_encoding"));
        assertEquals(298 + 1, report.rows());
    }

    @Test
    void aPartOfAFileSaysNothingOfTheWhole() throws IOException {
        byte[] table = "question;answer\nWo?;Hier.\nWann?;Sp\u00e4t.\n".getBytes(StandardCharsets.ISO_8859_1);
        DataReport report = DataCheck.of(Files.write(folder.resolve("part.csv"), table)).run();
        assertEquals(List.of("error [3]"), found(report, "wrong_encoding"));
        assertEquals(1, report.findings().size(), report.findings().toString());
        assertEquals(List.of("warning []"), found("whole.csv", "question;answer\nWo?;Hier.\n", "too_few_examples"));
    }

    @Test
    void labelsHaveNoStyleAndTextsOfOneTopicManyLabels() throws IOException {
        StringBuilder table = new StringBuilder("text,label\n");
        for (int i = 0; i < 30; i++) {
            table.append("The bike has fault ").append(i).append(i == 7 ? ",repair\n" : i % 2 == 0 ? ",Order\n"
                    : ",Repair\n");
        }
        DataReport report = DataCheck.of(Files.writeString(folder.resolve("labels.csv"), table)).run();
        assertEquals(List.of("warning [9]"), found(report, "label_spelling"));
        assertEquals(List.of(), found(report, "style_outlier"));
        assertEquals(List.of(), found(report, "imbalance"));
    }

    @Test
    void garbledTextIsToldAndHidesNeitherDuplicatesNorContradictions() throws IOException {
        String garbled = new String("Wie lang ist die K\u00fcndigungsfrist im B\u00fcro?".getBytes(
                StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        List<String> lines = new ArrayList<>(rows(12));
        lines.add(DirtySet.row("Wie lang ist die K\u00fcndigungsfrist im B\u00fcro?", "Sie betr\u00e4gt 30 Tage."));
        lines.add(DirtySet.row(garbled, "Sie betr\u00e4gt 90 Tage."));
        lines.add(DirtySet.row(garbled, "Sie betr\u00e4gt 30 Tage."));
        DataReport report = DataCheck.of(Files.write(folder.resolve("g.jsonl"), lines)).run();
        assertEquals(List.of("warning [14]", "warning [15]"), found(report, "garbled_text"));
        assertEquals(List.of("warning [13, 14]"), found(report, "contradiction"));
        assertEquals(List.of("warning [13, 15]"), found(report, "duplicate"));
        assertEquals("holds 'K\u00c3\u00bcndigungsfrist', which was 'K\u00fcndigungsfrist' before it was read in a "
                + "wrong encoding",
                report.findings().stream().filter(f -> f.code() == FindingCode.GARBLED_TEXT)
                        .findFirst().orElseThrow().message());
    }

    @Test
    void germanQuestionsWithOneMeaningAndOtherNumbersContradict() throws IOException {
        List<String> lines = new ArrayList<>(rows(12));
        lines.add(DirtySet.row("Wie viele Urlaubstage habe ich?", "Du hast 27 Urlaubstage."));
        lines.add(DirtySet.row("Wieviele Urlaubstage bekomme ich?", "Du hast 30 Urlaubstage."));
        lines.add(DirtySet.row("Wieviele Krankheitstage bekomme ich?", "Du hast 5 Krankheitstage."));
        assertEquals(List.of("warning [13, 14]"), found(DataCheck.of(Files.write(folder.resolve("u.jsonl"), lines))
                .run(), "contradiction"));
    }

    @Test
    void personalDataStandsInNoPartOfTheReport() throws IOException {
        List<String> lines = new ArrayList<>(rows(12));
        for (String answer : List.of("Write to zenobia.quark@mail.example or call +49 30 4711 0815.",
                "Write to zenobia.quark@mail.example or call +49 30 4711 0816.",
                "Write to zenobia.quark@mail.example or call +49 30 4711 0815.")) {
            lines.add(DirtySet.row("How do I reach zenobia.quark@mail.example on deck?", answer).replaceFirst("\\{",
                    "{\"id\": \"zenobia.quark@mail.example\", "));
        }
        ChatEncoder encoder = new ChatEncoder(new WordTokenizer(100_000), TestChatTemplate.chatMl());
        DataReport report = DataCheck.of(Files.write(folder.resolve("p.jsonl"), lines)).previews(20)
                .model(encoder, 500).run();
        assertTrue(report.counts().keySet().containsAll(Set.of(FindingCode.PII, FindingCode.DUPLICATE,
                FindingCode.CONTRADICTION, FindingCode.DUPLICATE_ID)), report.counts().toString());
        Path page = folder.resolve("p.html");
        report.writeHtml(page);
        for (String text : List.of(report.toJson().toString(), report.findings().toString(), Files.readString(page))) {
            for (String secret : List.of("zenobia", "quark", "4711", "0815", "0816", "815", "816", "+49")) {
                // The folder's name is random and may hold the digits.
                String said = text.replace(folder.toString(), "").toLowerCase(Locale.ROOT);
                int at = said.indexOf(secret);
                assertTrue(at < 0, () -> said.substring(Math.max(0, at - 80), Math.min(said.length(), at + 80)));
            }
        }
    }

    @Test
    void findingsNameThePagesOfTheirRows() throws IOException {
        List<String> lines = new ArrayList<>(rows(12));
        for (int page : new int[] {3, 7}) {
            lines.add(DirtySet.row("Who mends the anchor?", "The smith does.").replaceFirst("\\{", "{\"page\": " + page
                    + ", "));
        }
        Finding finding = DataCheck.of(Files.write(folder.resolve("pages.jsonl"), lines)).run().findings().stream()
                .filter(f -> f.code() == FindingCode.DUPLICATE).findFirst().orElseThrow();
        assertEquals(List.of("page 3", "page 7"), finding.places());
        assertEquals("13 (page 3),14 (page 7)", finding.where(5));
    }

    @Test
    void identifiersOfSeveralRowsAreReportedWithTheirLines() throws IOException {
        List<String> lines = new ArrayList<>(rows(12));
        for (int i : new int[] {1, 4, 9}) {
            lines.set(i, lines.get(i).replaceFirst("\\{", "{\"id\": \"r7\", "));
        }
        lines.set(5, lines.get(5).replaceFirst("\\{", "{\"id\": 8, "));
        DataReport report = DataCheck.of(Files.write(folder.resolve("ids.jsonl"), lines)).run();
        assertEquals(List.of("warning [2, 5, 10]"), found(report, "duplicate_id"));
        Finding finding = report.findings().stream().filter(f -> f.code() == FindingCode.DUPLICATE_ID).findFirst()
                .orElseThrow();
        assertEquals("the id 'r7' is in lines 2, 5, 10", finding.message());
        assertTrue(finding.texts().get(1).contains("user: "), finding.texts().toString());
        // Another file may count from the beginning.
        Path other = Files.write(folder.resolve("other.jsonl"), List.of(lines.get(1)));
        assertEquals(1, DataCheck.of(folder.resolve("ids.jsonl")).validation(other).run().counts()
                .get(FindingCode.DUPLICATE_ID));
    }

    @Test
    void findingsThatSayTheSameAreFoldedForPeople() throws IOException {
        List<String> lines = new ArrayList<>(rows(12));
        lines.addAll(java.util.Collections.nCopies(40, "{\"Frage\": \"x\", \"Antwort\": \"y\"}"));
        DataReport report = DataCheck.of(Files.write(folder.resolve("folded.jsonl"), lines)).run();
        assertEquals(40, found(report, "missing_messages").size());
        List<Finding> folded = report.folded().stream().filter(f -> f.code() == FindingCode.MISSING_MESSAGES).toList();
        assertEquals(1, folded.size());
        assertEquals(40, folded.get(0).lines().size());
        assertEquals(List.of("Frage: x\nAntwort: y"), folded.get(0).texts().subList(0, 1));
        Path page = folder.resolve("page.html");
        report.writeHtml(page);
        String html = Files.readString(page);
        assertTrue(html.contains("13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 and 28 more"), html);
        assertTrue(html.contains("<strong>What to do: </strong>Give the row its messages"), html);
    }

    @Test
    void errorsCountEvenAfterManyWarnings() throws IOException {
        List<String> rows = rows(12);
        for (int i = 0; i < 8; i++) {
            rows.add("{\"messages\": [{\"role\": \"system\", \"content\": \"\"}, {\"role\": \"user\", "
                    + "\"content\": \"Is " + i + " odd?\"}, {\"role\": \"assistant\", \"content\": \"See " + i
                    + ".\"}]}");
        }
        rows.add(DirtySet.row("Where?", "").replace("\"\"", "null"));
        Path file = Files.write(folder.resolve("many.jsonl"), rows);
        DataReport report = DataCheck.of(file).mostFindings(3).run();
        assertEquals(List.of("error [21]", "warning [13]", "warning [14]", "warning [15]"),
                found(report, "missing_content"));
        assertEquals(9, report.counts().get(FindingCode.MISSING_CONTENT));
        assertEquals(1, report.errors());
        DataReport counted = DataCheck.of(file).mostFindings(0).run();
        assertEquals(List.of(), counted.findings());
        assertTrue(counted.hasErrors());
        assertThrows(ConfigurationException.class, () -> DataCheck.of(file).mostFindings(-1));
    }

    @Test
    void thePageShowsACodeAsItsWorstFinding() throws IOException {
        String row = "{\"text\": \"reset my password\", \"label\": \"%s\"}\n";
        DataReport report = DataCheck.of(Files.writeString(folder.resolve("two.jsonl"), row.formatted("login")
                + row.formatted("billing"))).run();
        assertEquals(List.of("error [1, 2]"), found(report, "contradiction"));
        assertEquals(1, report.errors());
        Path page = folder.resolve("two.html");
        report.writeHtml(page);
        String html = Files.readString(page);
        assertTrue(html.contains(Blocks.toned(Status.BAD, "contradiction").toString()), html);
    }

    @Test
    void personalDataInFieldsAndToolCallsIsReported() throws IOException {
        String row = "{\"messages\": [{\"role\": \"user\", \"content\": \"Write.\"}, {\"role\": \"assistant\", "
                + "\"content\": null, \"tool_calls\": [{\"type\": \"function\", \"function\": {\"name\": \"send\", "
                + "\"arguments\": \"{\\\"to\\\": \\\"ann@b.org\\\"}\"}}]}], \"by\": {\"asked\": [\"eve@b.org\"]}}";
        assertEquals("holds e-mail address in \"tool_calls\" of a message (assistant), e-mail address in "
                + "the field \"by\"", message("calls.jsonl", row, FindingCode.PII));
    }

    @Test
    void aClassLabelIsNotARefusal() throws IOException {
        String rows = "{\"text\": \"The lamp is gone\", \"label\": \"unknown\"}\n{\"text\": \"It works\", \"label\": "
                + "\"none\"}\n";
        assertEquals(List.of(), found("labels.jsonl", rows, "refusal"));
    }

    @Test
    void emptyAndSmallFilesAreReported() throws IOException {
        assertEquals(List.of("error []"), found("e.jsonl", "\n\n", "empty_file"));
        assertEquals(List.of("warning []"), found("s.jsonl", DirtySet.row("Where?", "Here."), "too_few_examples"));
    }

    @Test
    void invalidToolsAreReported() throws IOException {
        String row = DirtySet.row("Where?", "Here.");
        String good = row.replaceFirst("}$", ", \"tools\": \"[{\\\\\"type\\\\\": \\\\\"function\\\\\"}]\"}");
        String bad = row.replaceFirst("}$", ", \"tools\": 7}");
        assertEquals(List.of("error [2]"), found("t.jsonl", good + "\n" + bad + "\n", "bad_tools"));
    }

    @Test
    void styleOutliersAreReported() throws IOException {
        List<String> rows = rows(60);
        rows.set(17, DirtySet.row("Where is the desk?", "Hello! Sure, it is upstairs \uD83D\uDE00!"));
        rows.set(29, DirtySet.row("Where is the bench?", "It stands on floor 3, " + "and so on, ".repeat(200) + "."));
        List<String> found = found("style.jsonl", String.join("\n", rows), "style_outlier");
        assertTrue(found.contains("info [18]") && found.contains("info [30]"), found.toString());
        assertEquals(Set.of("info [18]", "info [30]"), Set.copyOf(found));
    }

    @Test
    void termsUsedOnceAreReported() throws IOException {
        List<String> rows = rows(40);
        rows.add(DirtySet.row("Who holds the key?", "Ask the desk of Larkenfell about it."));
        assertEquals(List.of("info [41]"), found("once.jsonl", String.join("\n", rows), "single_use_term"));
        assertEquals("\"L\u00e4rkenfell's\" is used in no other example", message("once.jsonl", String.join("\n", rows)
                .replace("Larkenfell", "L\u00e4rkenfell's"), FindingCode.SINGLE_USE_TERM));
    }

    @Test
    void factsOfADocumentAreNoLabels() throws IOException {
        Path file = Files.writeString(folder.resolve("club.md"), """
            # Club
            The pool opens at 6:00.

            The pool closes at 21:00.

            The fee is 5 EUR.
            Please swim.
            """);
        assertEquals(List.of(), DataCheck.of(file).run().findings().stream().filter(finding -> Set.of(
                FindingCode.LABEL_OUTLIER, FindingCode.CLASSES).contains(finding.code())).toList());
        List<String> rows = rows(12);
        rows.add(DirtySet.row("[fill in: a question about Larkenfell]", "The boats are clean."));
        assertEquals(List.of(), found("open.jsonl", String.join("\n", rows), "single_use_term"));
    }

    @Test
    void dominantTopicsAreReported() throws IOException {
        String classes = IntStream.range(0, 50).mapToObj(i -> "{\"text\": \"" + THINGS[i % 8] + " " + i
                + "\", \"label\": \"" + (i < 45 ? "good" : "bad") + "\"}").collect(Collectors.joining("\n"));
        assertTrue(message("classes.jsonl", classes, FindingCode.IMBALANCE).contains("90 % of the examples have the "
                + "class \"good\""));
        List<String> rows = rows(40);
        IntStream.range(0, 60).forEach(i -> rows.add(DirtySet.row("May I carry over leave " + i + "?",
                "Yes, " + i + " days.")));
        assertTrue(message("topics.jsonl", String.join("\n", rows), FindingCode.IMBALANCE).contains("are about "));
        assertEquals(List.of(), found("even.jsonl", String.join("\n", rows(40)), "imbalance"));
    }

    /** Calls without text, as OpenAI writes them, and beside one: a template without tools rejects or ignores them. */
    @Test
    void callsThatTheTemplateDoesNotShowAreErrorsOfTheirRows() throws IOException {
        ChatTemplate without = TestChatTemplate.of((messages, ask, tools) -> {
            if (messages.stream().anyMatch(message -> message.extra().containsKey("content"))) {
                throw new ConfigurationException("'dict object' has no attribute 'content'");
            }
            return TestChatTemplate.chatMl().render(messages, ask, List.of(), java.util.Map.of());
        });
        List<String> rows = rows(12);
        for (String content : List.of("null", "\"I look.\"")) {
            rows.add(
                    "{\"messages\": [{\"role\": \"user\", \"content\": \"Where is box 7?\"}, {\"role\": \"assistant\", "
                            + "\"content\": " + content + ", \"tool_calls\": [{\"id\": \"a\", \"type\": \"function\", "
                            + "\"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]}], "
                            + "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]}");
        }
        Path file = Files.write(folder.resolve("calls.jsonl"), rows);
        DataReport report = DataCheck.of(file).model(new ChatEncoder(new WordTokenizer(100_000), without), 500).run();
        assertEquals(List.of("error [13]", "error [14]"), found(report, "template_rejected"));
        assertEquals(2,
                report.findings().stream().filter(finding -> finding.message().contains("does not show, so they "
                        + "would not be learned")).count(),
                report.findings().toString());
    }

    @Test
    void overlongAndUnsupervisedExamplesAreReported() throws IOException {
        ChatTemplate strict = TestChatTemplate.of((messages, ask, tools) -> {
            if (messages.get(0).role().equals("system")) {
                throw new ConfigurationException("this model has no system role");
            }
            return TestChatTemplate.chatMl().render(messages, ask, tools, java.util.Map.of());
        });
        List<String> rows = rows(12);
        rows.add(DirtySet.row("How many?", "Seven.").replace("[{", "[{\"role\": \"system\", \"content\": \"s\"}, {"));
        rows.add(DirtySet.row("How?", "word ".repeat(80) + "end."));
        Path file = Files.write(folder.resolve("model.jsonl"), rows);
        DataReport report = DataCheck.of(file).model(new ChatEncoder(new WordTokenizer(100_000), strict), 60).run();
        assertEquals(List.of("error [13]"), found(report, "template_rejected"));
        assertEquals(List.of("warning [14]"), found(report, "too_long"));
        assertTrue(report.statistics().supervisedShare() > 0.1 && report.statistics().supervisedShare() < 0.9);
        assertEquals(3, report.statistics().previews().size());
    }

    @Test
    void bracketsInTheDataAreNotMarks() throws IOException {
        List<String> rows = rows(12);
        rows.set(0, DirtySet.row("What is [[1, 2]]?", "A list."));
        Path file = Files.write(folder.resolve("brackets.jsonl"), rows);
        DataReport report = DataCheck.of(file).model(new ChatEncoder(new WordTokenizer(100_000),
                TestChatTemplate.chatMl()), 1000).run();
        Path page = folder.resolve("report.html");
        report.writeHtml(page);
        String html = Files.readString(page);
        assertTrue(html.contains("What is [[1, 2]]?") && html.contains("<mark>A list."), html);
        assertFalse(html.contains("<mark>1, 2"));
        assertFalse(html.contains(">1 findings<"), "one is one finding");
    }

    @Test
    void findingsShowTheirRowsWithoutPersonalData() throws IOException {
        List<String> rows = rows(12);
        rows.add(DirtySet.row("<script>alert(1)</script> Whom do I ask?", "Write to ann.miller@example.org."));
        rows.add(DirtySet.row("Is there more?", "").replace("assistant", "assistent"));
        rows.add(rows.get(4));
        rows.add(DirtySet.row("How?", "word ".repeat(200) + "sorry, as an AI language model I cannot help."));
        DataReport report = DataCheck.of(Files.write(folder.resolve("rows.jsonl"), rows)).run();
        assertEquals(List.of("user: <script>alert(1)</script> Whom do I ask?\nassistant: Write to [EMAIL]."),
                texts(report, FindingCode.PII));
        assertEquals(List.of("user: Is there more?"), texts(report, FindingCode.UNRECOGNIZED_ROLE));
        assertEquals(2, texts(report, FindingCode.DUPLICATE).size(), "of both rows");
        assertTrue(texts(report, FindingCode.DUPLICATE).get(0).startsWith("question: Where is the locker"));
        assertTrue(texts(report, FindingCode.REFUSAL).get(0).endsWith("word wo..."), "shortened");
        Path page = folder.resolve("report.html");
        report.writeHtml(page);
        String html = Files.readString(page);
        assertTrue(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; Whom do I ask?"), html);
        assertFalse(html.contains("<script") || html.contains("ann.miller"), html);
    }

    private static List<String> texts(DataReport report, FindingCode code) {
        return report.findings().stream().filter(finding -> finding.code() == code).findFirst().orElseThrow().texts();
    }

    private static List<String> rows(int count) {
        return new ArrayList<>(IntStream.range(0, count).mapToObj(i -> DirtySet.row("Where is the " + THINGS[i % 8]
                + " " + i + "?", "It stands on floor " + i + " beside the " + THINGS[(i + 3) % 8] + ".")).toList());
    }

    private String message(String name, String text, FindingCode code) throws IOException {
        return DataCheck.of(Files.writeString(folder.resolve(name), text)).run().findings().stream()
                .filter(f -> f.code() == code).map(Finding::message).findFirst().orElse("");
    }

    private List<String> found(String name, String text, String code) throws IOException {
        return found(DataCheck.of(Files.writeString(folder.resolve(name), text)).run(), code);
    }

    private static List<String> found(DataReport report, String code) {
        return report.findings().stream().filter(f -> f.code().code().equals(code))
                .map(f -> f.severity().code() + " " + f.lines()).toList();
    }
}
