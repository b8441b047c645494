package io.peft4j.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Task;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.OpenRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows for models with a head. */
class TaskRowsTest {
    @TempDir
    private Path folder;

    private Path file(String... rows) throws IOException {
        return Files.write(folder.resolve("rows.jsonl"), List.of(rows));
    }

    private <T> String refused(Function<Path, T> reader, String... rows) throws IOException {
        Path file = file(rows);
        return assertThrows(DataException.class, () -> reader.apply(file)).getMessage();
    }

    private static List<SpanQuestion> questions(Path file) {
        return RowKind.QUESTIONS.read(DataFile.of(file));
    }

    private static List<SourceTarget> sources(Path file) {
        return RowKind.SOURCES.read(DataFile.of(file));
    }

    @Test
    void aLabelIsANameANumberOrAListOfThem() throws IOException {
        List<LabelledText> texts = TaskRows.texts(file("{\"text\": \"a\", \"label\": \"x\"}",
                "{\"text\": \"b\", \"text_pair\": \"c\", \"label\": 2}", "{\"text\": \"d\", \"label\": [\"x\", 0.5]}",
                "{\"text\": \"e\", \"label\": true, \"id\": 7}"));

        assertEquals(List.of(LabelledText.of("a", "x"), new LabelledText("b", Optional.of("c"), List.of("2")),
                LabelledText.of("d", "x", "0.5"), LabelledText.of("e", "true")), texts);
    }

    @Test
    void aWrongRowIsNamedWithItsLine() throws IOException {
        String noLabel = refused(TaskRows::texts, "{\"text\": \"a\", \"label\": 1}", "{\"text\": \"b\"}");
        assertTrue(noLabel.contains(":2") && noLabel.contains("\"label\" is missing"), noLabel);
        String task = refused(TaskRows::texts, "{\"text\": \"a\", \"label\": 1, \"task_id\": \"of another kind\"}",
                "{\"text\": \"a\", \"label\": 1, \"task_id\": 2}");
        assertTrue(task.contains(":2") && task.contains("has a \"task_id\"") && task.contains("remove"), task);
        assertEquals(2, sources(file("{\"source\": \"a\", \"target\": \"b\", \"task_id\": 2}")).get(0)
                .task());
        String numbers = refused(TaskRows::words, "{\"tokens\": [\"a\", \"b\"], \"labels\": [\"O\"]}");
        assertTrue(numbers.contains("2 tokens and 1 labels"), numbers);
        String list = refused(TaskRows::words, "{\"tokens\": \"a b\", \"labels\": [\"O\"]}");
        assertTrue(list.contains("\"tokens\" is not a list"), list);
        String none = refused(TaskRows::pairs);
        assertTrue(none.contains("contains no rows"), none);
    }

    @Test
    void whatConversationsLeaveOutOfPairsAndJudgedAnswersIsSaid() throws IOException {
        String pairs = RowKind
                .leftOutOfChats(OpenRows.open(DataFile.of(file("{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": "
                        + "\"c\"}"))))
                .orElseThrow();
        assertTrue(pairs.contains("only the better answers are learned"), pairs);
        String judged = RowKind
                .leftOutOfChats(OpenRows.open(DataFile.of(file("{\"prompt\": \"a\", \"completion\": \"b\", \"label\": "
                        + "false}"))))
                .orElseThrow();
        assertTrue(judged.contains("good and bad ones are learned alike"), judged);
        assertEquals(Optional.empty(),
                RowKind.leftOutOfChats(OpenRows.open(DataFile.of(file("{\"prompt\": \"a\", \"completion\": "
                        + "\"b\"}")))));
    }

    @Test
    void answersStandWhereTheyAreSaidToInCodePoints() throws IOException {
        List<SpanQuestion> questions = questions(file(
                "{\"question\": \"q\", \"context\": \"\uD83D\uDE00 ab\", \"answers\": {\"text\": [\"ab\"], "
                        + "\"answer_start\": [2]}}",
                "{\"question\": \"q\", \"context\": \"ab\", \"answers\": {\"text\": [], \"answer_start\": []}}",
                "{\"question\": \"q\", \"context\": \"ab\", \"answer\": \"b\", \"start\": 1}"));

        assertEquals(OptionalInt.of(3), questions.get(0).start(), "the emoji is two UTF-16 units");
        assertEquals(OptionalInt.empty(), questions.get(1).start());
        assertEquals(2, questions.get(2).end());
        String other = refused(TaskRowsTest::questions,
                "{\"question\": \"q\", \"context\": \"ab\", \"answer\": \"a\", \"start\": 1}");
        assertTrue(other.contains("begins at 1") && other.contains("'b' is"), other);
    }

    @Test
    void answersOfAnotherFormAreNotTakenForNone() throws IOException {
        String row = "{\"question\": \"q\", \"context\": \"ab\", \"answers\": %s}";
        List<SpanQuestion> questions = questions(file(
                row.formatted("[{\"text\": \"b\", \"answer_start\": 1}]"), row.formatted("[]"),
                row.formatted("{\"text\": \"a\", \"answer_start\": 0}"), "{\"question\": \"q\", \"context\": \"a\"}"));
        assertEquals(List.of("b", "", "a", ""), questions.stream().map(SpanQuestion::answer).toList());

        String list = refused(TaskRowsTest::questions, row.formatted("[\"b\"]"));
        assertTrue(list.contains(":1") && list.contains("has the \"answers\" [b]"), list);
        String text = refused(TaskRowsTest::questions, row.formatted("\"b\""));
        assertTrue(text.contains("\"answers\" b; expected {\"text\""), text);
        String none = refused(TaskRowsTest::questions,
                "{\"question\": \"q\", \"context\": \"ab\", \"answr\": \"b\"}");
        assertTrue(none.contains("no row has \"answers\" or \"answer\""), none);
    }

    @Test
    void anEmptyLabelIsNoClass() throws IOException {
        String text = refused(TaskRows::texts, "{\"text\": \"a\", \"label\": \"x\"}",
                "{\"text\": \"b\", \"label\": \" \"}");
        assertTrue(text.contains(":2") && text.contains("\"label\" is empty"), text);
        String word = refused(TaskRows::words, "{\"tokens\": [\"a\", \"\"], \"labels\": [\"O\", \"\"]}");
        assertTrue(word.contains("\"labels\" is empty"), word);
    }

    @Test
    void pairsAndSourcesAreRead() throws IOException {
        assertEquals(List.of(TextPair.of("a", "b"), TextPair.of("c", "d", "e")),
                TaskRows.pairs(file("{\"anchor\": \"a\", \"positive\": \"b\"}",
                        "{\"anchor\": \"c\", \"positive\": \"d\", \"negative\": \"e\"}")));
        Path sources = file("{\"source\": \"a\", \"target\": \"b\"}");
        assertTrue(RowKind.SOURCES.isOf(OpenRows.open(DataFile.of(sources))));
        assertEquals(List.of(new SourceTarget("a", "b")), sources(sources));
        String empty = refused(TaskRowsTest::sources, "{\"source\": \"a\", \"target\": \" \"}");
        assertTrue(empty.contains("\"target\" is empty"), empty);
        assertFalse(RowKind.SOURCES.isOf(OpenRows.open(DataFile.of(file("{\"messages\": []}")))));
        assertFalse(RowKind.SOURCES.isOf(OpenRows.open(DataFile.of(file("no JSON")))));
    }

    @Test
    void queriesComeWithAllTheirTexts() throws IOException {
        Path lists = file("{\"query\": \"a\", \"positive\": \"b\", \"negatives\": [\"c\", \"d\"]}",
                "{\"anchor\": \"a\", \"positive\": \"e\", \"negative\": \"c\"}");
        assertEquals(List.of(TextPair.of("a", "b", "c", "d"), TextPair.of("a", "e", "c")), TaskRows.pairs(lists));
        assertEquals(List.of(new RankedQuery("a", List.of("b", "c", "d"), List.of(1.0, 0.0, 0.0)),
                new RankedQuery("a", List.of("e", "c"), List.of(1.0, 0.0))),
                RowKind.RANKINGS.read(DataFile.of(lists)));
        assertEquals(List.of(new RankedQuery("a", List.of("b", "c"), List.of(0.0, 3.0))),
                RowKind.RANKINGS.read(
                        DataFile.of(file("{\"query\": \"a\", \"documents\": [\"b\", \"c\"], \"labels\": [0, 3]}"))));
        Path labels = file("{\"text\": \"a\", \"text_pair\": \"b\", \"label\": 2}",
                "{\"text\": \"x\", \"text_pair\": \"b\", \"label\": true}",
                "{\"text\": \"a\", \"text_pair\": \"c\", \"label\": \"0.5\"}");
        assertTrue(RowKind.RANKINGS.isOf(OpenRows.open(DataFile.of(labels))));
        assertEquals(List.of(new RankedQuery("a", List.of("b", "c"), List.of(2.0, 0.5)),
                new RankedQuery("x", List.of("b"), List.of(1.0))), RowKind.RANKINGS.read(DataFile.of(labels)));
    }

    @Test
    void aTextThatBothAnswersAndDoesNotIsRefused() throws IOException {
        String both = refused(TaskRows::pairs,
                "{\"query\": \"a\", \"positive\": \"b\", \"negatives\": [\"c\", \"b\"]}");
        assertTrue(both.contains("its \"positive\" among the negatives"), both);
        String empty = refused(TaskRows::pairs, "{\"query\": \"a\", \"positive\": \"b\", \"negatives\": [\"\"]}");
        assertTrue(empty.contains("expected texts that are not empty"), empty);
        for (String label : List.of("-1", "\"good\"", "null")) {
            String wrong = refused(file -> RowKind.RANKINGS.read(DataFile.of(file)),
                    "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": " + label + "}");
            assertTrue(wrong.contains("is a number from 0 on"), wrong);
        }
        String lists = refused(file -> RowKind.RANKINGS.read(DataFile.of(file)),
                "{\"query\": \"a\", \"documents\": [\"b\"], \"labels\": [1, 0]}");
        assertTrue(lists.contains("1 texts with the labels [1, 0]"), lists);
    }

    @Test
    void anEmptyTextBelongsToNoOther() throws IOException {
        for (String row : List.of("{\"anchor\": \" \", \"positive\": \"b\"}",
                "{\"anchor\": \"a\", \"positive\": \"\"}",
                "{\"anchor\": \"a\", \"positive\": \"b\", \"negative\": \"\"}")) {
            String message = refused(TaskRows::pairs, row);
            assertTrue(message.contains("\" is empty"), message);
        }
    }

    /** Labels of texts, a text each. */
    @ParameterizedTest
    @CsvSource({"b|a|b, 'a,b', SINGLE_LABEL", "0|2, 'LABEL_0,LABEL_1,LABEL_2', SINGLE_LABEL",
        "a+b|c, 'a,b,c', MULTI_LABEL", "0.5|1|-2, LABEL_0, REGRESSION", "1+2.5|0+1, 'LABEL_0,LABEL_1', REGRESSION"})
    void whatThereIsToTellApartFollowsFromTheLabels(String labels, String expected, Task.Problem problem) {
        Task task = Labels.ofTexts(List.of(labels.split("\\|")).stream()
                .map(each -> LabelledText.of("t", each.split("\\+"))).toList());

        assertEquals(expected, String.join(",", task.labels()));
        assertEquals(problem, task.problem());
    }

    @ParameterizedTest
    @CsvSource({"0.5|1|2|NaN, NaN", "'0.5|1|1,5', '1,5'", "-1|2|n/a, n/a"})
    void aNumberThatIsNoneMakesNoClassesOfTheOthers(String labels, String wrong) {
        List<LabelledText> texts = List.of(labels.split("\\|")).stream()
                .map(each -> LabelledText.of("t", each)).toList();
        String message = assertThrows(ConfigurationException.class, () -> Labels.ofTexts(texts)).getMessage();
        assertTrue(message.contains("all but 1 are numbers") && message.contains("'" + wrong + "' is not"), message);
    }

    @Test
    void numbersThatHardlyRepeatAreNoClassesEvenIfHalfAreMissing() {
        List<LabelledText> texts = java.util.stream.Stream.of("0.5", "n/a", "1.25", "n/a", "2.75", "n/a", "n/a")
                .map(each -> LabelledText.of("t", each)).toList();
        String message = assertThrows(ConfigurationException.class, () -> Labels.ofTexts(texts)).getMessage();
        assertTrue(message.contains("of 7 labels all but 4 are numbers") && message.contains("'n/a' is not"), message);
        assertEquals(List.of("2.0", "3.1", "none"), Labels.ofTexts(List.of("2.0", "2.0", "3.1", "3.1", "none", "none",
                "none", "none").stream().map(each -> LabelledText.of("t", each)).toList()).labels());
    }

    @Test
    void namesThatLookLikeNumbersAreNames() {
        assertEquals(List.of("2.0", "java", "rust"), Labels.ofTexts(List.of(LabelledText.of("a", "java"),
                LabelledText.of("b", "2.0"), LabelledText.of("c", "rust"))).labels());
    }

    @Test
    void theLabelOfOtherWordsComesFirst() {
        assertEquals(List.of("O", "B-A", "I-A"), Labels.ofWords(List.of(
                new LabelledWords(List.of("x", "y", "z"), List.of("I-A", "B-A", "O")))).labels());
    }
}
