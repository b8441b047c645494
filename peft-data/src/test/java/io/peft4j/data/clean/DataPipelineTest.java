package io.peft4j.data.clean;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each step does, that it does nothing the second time, and that a pipeline counts it. */
class DataPipelineTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, textBlock = """
            encoding|K\u00c3\u00bcndigung \u00c3\u0192\u00c2\u00bcber|K\u00fcndigung \u00fcber
            unicode|e\u0301 \u200bx\u00ad|\u00e9 x
            unicode|\uD83D\uDC68\u200d\uD83D\uDC69|\uD83D\uDC68\u200d\uD83D\uDC69
            control|a\u0000b\u0007\tc|ab\tc
            html|<p>Press <b>save</b>.</p><p>A &amp; B</p>|Press save.~A & B~
            html|if a < b and b > c: `<br>`|if a < b and b > c: `<br>`
            html|5 &lt; 6 &euro; AT&T|5 < 6 \u20ac AT&T
            whitespace|  a  b\u00a0 c  ~~~~  d \u0009~|a b c~~  d
            redact|Ask a@b.org now|Ask [EMAIL] now
            """)
    void eachStepCleansTexts(String step, String before, String after) {
        assertEquals(after.replace('~', '\n'), cleaned(step, before.replace('~', '\n')));
    }

    private static String cleaned(String step, String text) {
        Example example = ChatExample.of(ChatMessage.user("q"), ChatMessage.assistant(text));
        return ((ChatExample) CleaningStep.named(step).apply(example).orElseThrow()).messages().get(1).content();
    }

    @Test
    void cleaningIsIdempotent() {
        SplittableRandom random = new SplittableRandom(6);
        String[] pieces = {"a", " ", "  ", "\n", "\r\n", "\t", "e\u0301", "\u200b", "\u0000", "<b>", "</b>", "<br>",
            "&amp;", "&lt;", "`x<br>`", "```", "\u00a0", "\uD83D\uDE00", "x@y.de", "."};
        for (int round = 0; round < 2000; round++) {
            StringBuilder text = new StringBuilder("z");
            for (int i = random.nextInt(15); i > 0; i--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            for (String step : List.of("unicode", "control", "whitespace", "redact")) {
                String once = cleaned(step, text.toString());
                assertEquals(once, cleaned(step, once), step);
            }
        }
    }

    @Test
    void turnsAreMerged() {
        ChatExample example = ChatExample.of(ChatMessage.user("a"), ChatMessage.user("b"), ChatMessage.assistant(" "),
                ChatMessage.assistant("c"), ChatMessage.assistant("d"));
        Example cleaned = CleaningStep.named("empty_turns").apply(example)
                .flatMap(CleaningStep.named("merge_turns")::apply).orElseThrow();
        assertEquals(List.of(ChatMessage.user("a\n\nb"), ChatMessage.assistant("c\n\nd")),
                ((ChatExample) cleaned).messages());
        assertEquals(Optional.empty(), CleaningStep.named("empty_turns").apply(ChatExample.of(ChatMessage.user(""),
                ChatMessage.assistant("x"))));
        assertEquals(Optional.empty(), CleaningStep.named("refusals").apply(ChatExample.of(ChatMessage.user("q"),
                ChatMessage.assistant("As an AI language model, I cannot say."))));
    }

    @Test
    void fieldsAndCallsAreRedactedAndStayJson() {
        Map<String, Object> call = Map.of("function", Map.of("name", "pay", "arguments",
                "{\"to\":\"ann@b.org\",\"card\":4111111111111111,\"sum\":5}"));
        Example row = new ChatExample(List.of(ChatMessage.user("q"), new ChatMessage("assistant", "",
                Map.of("tool_calls", List.of(call)))), List.of(), Map.of("by", List.of("eve@b.org", 7)),
                new Origin("t", 1));
        ChatExample redacted = (ChatExample) CleaningStep.named("redact").apply(row).orElseThrow();
        assertEquals(Map.of("by", List.of("[EMAIL]", 7)), redacted.extra());
        assertEquals(List.of(Map.of("function", Map.of("name", "pay", "arguments",
                "{\"to\":\"[EMAIL]\",\"card\":\"[CARD]\",\"sum\":5}"))),
                redacted.messages().get(1).extra().get("tool_calls"));
        assertEquals(Optional.of(redacted), CleaningStep.named("redact").apply(redacted));
    }

    @Test
    void aClassLabelIsNotARefusal() {
        Example row = new ClassificationExample("It works", "none", Map.of(), new Origin("t", 1));
        assertEquals(Optional.of(row), CleaningStep.named("refusals").apply(row));
    }

    @Test
    void preferencesWithDifferentRejectedAnswersAreNotDuplicates() {
        List<Example> pairs = IntStream.range(0, 3).<Example>mapToObj(i -> new PreferenceExample(
                List.of(ChatMessage.user("How are you?")), List.of(ChatMessage.assistant("Quite well, thank you.")),
                List.of(ChatMessage.assistant(i == 1 ? "Go away!" : "I shall not tell you.")), List.of(), Map.of(),
                new Origin("t", 1))).toList();
        assertEquals(pairs.subList(0, 2), DataPipeline.standard().clean(pairs));
        assertEquals(pairs.subList(0, 2), DataPipeline.standard().dropNearDuplicates().clean(pairs));
    }

    @Test
    void rowsOfDifferentTasksAreNotDuplicates() {
        ChatExample row = ChatExample.of(ChatMessage.user("How are you?"),
                ChatMessage.assistant("Quite well, thanks."));
        List<Example> rows = List.of(row.inTask(0), row.inTask(1), row, row.inTask(1));
        assertEquals(rows.subList(0, 3), DataPipeline.standard().clean(rows));
        assertEquals(rows.subList(0, 3), DataPipeline.standard().dropNearDuplicates().clean(rows));
    }

    @Test
    void languagesAreToldApart() {
        CleaningStep english = CleaningStep.languages(Set.of("en"));
        assertTrue(english.apply(answer("The form is in the cabinet and you have to sign it for the "
                + "files.")).isPresent());
        assertTrue(english.apply(answer("Das Formular ist in dem Schrank und wird von der Leitung nicht gelesen."))
                .isEmpty());
        assertTrue(english.apply(answer("Yes.")).isPresent());
        assertThrows(ConfigurationException.class, () -> CleaningStep.languages(Set.of("xx")));
        assertThrows(ConfigurationException.class, () -> CleaningStep.named("polish"));
    }

    private static Example answer(String text) {
        return ChatExample.of(ChatMessage.user("q"), ChatMessage.assistant(text));
    }

    @Test
    void pipelinesCountTheChangesOfTheirSteps() throws IOException {
        Path in = Files.write(folder.resolve("in.csv"), List.of("question,answer", "Where is it?,On  the desk.",
                "Where is it?,On the desk.", "Who?,<b>Ann</b>", "When?,", "where is it,on the desk!", "Why?,So. "));
        Path out = folder.resolve("out.jsonl");
        CleaningReport report = DataPipeline.standard().dropNearDuplicates().run(in, out);
        assertEquals(6, report.rows());
        assertEquals(1, report.rejectedRows());
        assertEquals(5, report.rejected().get(0).line());
        assertEquals(List.of("encoding: 0 changed, 0 dropped", "unicode: 0 changed, 0 dropped",
                "control: 0 changed, 0 dropped",
                "html: 1 changed, 0 dropped", "whitespace: 2 changed, 0 dropped", "labels: 0 changed, 0 dropped",
                "empty_turns: 0 changed, 0 dropped",
                "merge_turns: 0 changed, 0 dropped", "duplicates: 0 changed, 1 dropped",
                "near_duplicates: 0 changed, 1 dropped"), report.steps().stream().map(StepReport::toString).toList());
        assertEquals(new StepReport.Sample(in.toString(), 4, "<b>Ann</b>", "Ann"),
                report.steps().get(3).samples().get(0));
        assertEquals(List.of("On the desk.", "Ann", "So."), ChatDataset.read(out).stream()
                .map(e -> e.messages().get(1).content()).toList());
        assertEquals(3, report.kept());
        assertThrows(ConfigurationException.class, () -> DataPipeline.standard().run(in, in));
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            question;answer;owner, 'Who, then?; Ann ;x', 'Who, then?;Ann;x'
            id;user;assistant, '7; Why?;So.', '7;Why?;So.'
            Antwort;Frage;Stand, 'So.;Why? ;2026', 'So.;Why?;2026'
            """)
    void aTableKeepsItsSeparatorsAndColumns(String head, String row, String cleaned) throws IOException {
        Path in = Files.writeString(folder.resolve("in.csv"), "\ufeffsep=;\n" + head + "\n" + row + "\n");
        DataFile file = DataFile.of(in).withColumns(head.contains("Frage") ? Map.of("Frage", "question", "Antwort",
                "answer") : Map.of());
        for (DataPipeline pipeline : List.of(DataPipeline.standard(), DataPipeline.standard().dropNearDuplicates())) {
            pipeline.run(file, folder.resolve("out.csv"));
            assertEquals("\ufeffsep=;\n" + head + "\n" + cleaned + "\n", Files.readString(folder.resolve("out.csv")));
        }
        DataPipeline.standard().run(file, folder.resolve("out.tsv"));
        assertEquals("\ufeff" + (head + "\n" + cleaned + "\n").replace(';', '\t'),
                Files.readString(folder.resolve("out.tsv")));
    }

    @Test
    void aTableOfSeveralEncodingsIsMended() throws IOException {
        String head = "\ufeffFrage;Antwort\n";
        String first = "K\u00fcndigungsfrist?;30 Tage\n";
        String second = "B\u00fcro?;Nr. 5\n";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write((head + first).getBytes(StandardCharsets.UTF_8));
        bytes.write(second.getBytes(StandardCharsets.ISO_8859_1));
        Path in = Files.write(folder.resolve("in.csv"), bytes.toByteArray());
        DataPipeline.standard().run(DataFile.of(in).withEncoding(DataFile.encoding("windows-1252"))
                .withColumns(Map.of("Frage", "question", "Antwort", "answer")), folder.resolve("out.csv"));
        assertEquals(head + first + second, Files.readString(folder.resolve("out.csv")));
    }

    @Test
    void whatIsRedactedStandsInNoSample() throws IOException {
        Path in = Files.write(folder.resolve("in.csv"), List.of("question,answer", "Who?,<b>ann</b>@b.org &amp; so on",
                "Who?,  Ask ann@b.org", "Who  ?,Ask ann@b.org"));
        CleaningReport report = DataPipeline.standard().then(CleaningStep.named("redact")).dropNearDuplicates()
                .run(in, folder.resolve("out.csv"));
        assertFalse(report.toJson().toString().contains("ann"), report.toJson().toString());
        assertTrue(report.toJson().toString().contains("[EMAIL]"), report.toJson().toString());
    }

    @Test
    void manyDuplicatesAreDropped() {
        List<Example> examples = IntStream.range(0, 20_000).mapToObj(i -> answer("number " + i % 5000)).toList();
        assertEquals(5000, DataPipeline.standard().clean(examples).size());
    }
}
