package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.PromptRows;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

/** What the columns hold is what the plain API gives. */
class PeftFunctionsTest {
    private static final Path FIXTURES = Path.of("../../tests/fixtures")
            .toAbsolutePath().normalize();
    private static final String MODEL = FIXTURES.resolve("tiny-llama").toString();
    private static final String HR = FIXTURES.resolve("adapters").resolve("lora").toString();
    private static final String SALES = FIXTURES.resolve("adapters").resolve("exclude").toString();
    private static final StructType QUESTIONS = new StructType().add("id", DataTypes.IntegerType)
            .add("question", DataTypes.StringType).add("adapter", DataTypes.StringType);
    private static final GenerationOptions SHORT = GenerationOptions.defaults().withMaxNewTokens(8).withBatchSize(4);

    private static final PeftFunctions TINY = PeftFunctions.of(MODEL).withPrecision(Precision.F32);

    private static Dataset<Row> rows(Row... rows) {
        return TestSpark.local().createDataFrame(List.of(rows), QUESTIONS).repartitionByRange(3,
                functions.col("id"));
    }

    private static BaseModel load(String model) {
        return BaseModel.load(model, ModelOptions.defaults().withPrecision(Precision.F32));
    }

    private static List<Row> collected(Dataset<Row> rows) {
        return rows.orderBy("id").collectAsList();
    }

    @Test
    void answersAreThoseOfTheAdapterThatTheRowNames() {
        String[] adapters = {"hr", "sales", "", null};
        Row[] questions = IntStream.range(0, 20).mapToObj(i -> RowFactory.create(i, "What is rule " + i + "?",
                adapters[i % 4])).toArray(Row[]::new);
        List<Row> answers = collected(TINY.withAdapters(Map.of("hr", HR, "sales", SALES), "adapter")
                .generate(rows(questions), "question", "answer", SHORT));

        try (BaseModel base = load(MODEL); PeftModel model = new PeftModel(base)) {
            model.loadAdapter("hr", Path.of(HR)).loadAdapter("sales", Path.of(SALES));
            List<LanguageModel> views = List.of(model.with("hr"), model.with("sales"), base, base);
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < questions.length; i++) {
                expected.add(views.get(i % 4).generate(List.of(PromptRows.ofText(
                        "What is rule " + i + "?", base.chatTemplate().isPresent())), SHORT).get(0).text());
            }
            assertEquals(expected, answers.stream().map(row -> row.<String>getAs("answer")).toList());
        }
        assertTrue(answers.stream().allMatch(row -> row.getAs("error") == null));
        assertEquals(List.of("id", "question", "adapter", "answer", "error"),
                List.of(answers.get(0).schema().fieldNames()));
    }

    @Test
    void aRowThatCannotBeAnsweredSaysWhyAndTheOthersAreAnswered() {
        List<Row> answers = collected(TINY.withAdapters(Map.of("hr", HR), "adapter").generate(rows(
                RowFactory.create(0, "Fine?", "hr"), RowFactory.create(1, null, "hr"),
                RowFactory.create(2, "word ".repeat(5000), "hr"), RowFactory.create(3, "Fine?", "hrr")),
                "question", "answer", SHORT));

        assertNull(answers.get(0).getAs("error"));
        assertTrue(answers.get(0).<String>getAs("answer") != null);
        assertEquals("\"question\" is null", answers.get(1).getAs("error"));
        assertTrue(answers.get(2).<String>getAs("error").contains("tokens"), answers.get(2)::toString);
        assertEquals("unknown adapter 'hrr'; there is only 'hr'", answers.get(3).getAs("error"));
        assertTrue(answers.stream().skip(1).allMatch(row -> row.getAs("answer") == null));
    }

    @Test
    void anAdapterThatSparkHasSentIsFoundByTheNameOfItsFolder() {
        TestSpark.local().sparkContext().addFile(HR, true);
        Dataset<Row> questions = rows(RowFactory.create(0, "Fine?", null));

        assertEquals(collected(TINY.withAdapter(HR).generate(questions, "question", "answer", SHORT)),
                collected(TINY.withAdapter("elsewhere/lora").generate(questions, "question", "answer", SHORT)));
    }

    @Test
    void aFaultEndsTheJobWhereThatIsWanted() {
        Exception failure = assertThrows(Exception.class, () -> collected(TINY.failingOnErrors()
                .score(rows(RowFactory.create(0, null, null)), "question")));

        assertTrue(failure.getMessage().contains("\"question\" is null"), failure::getMessage);
    }

    @Test
    void drawsDependOnSeedAndPlaceAlone() {
        Dataset<Row> same = rows(IntStream.range(0, 12).mapToObj(i -> RowFactory.create(i, "Tell me more", null))
                .toArray(Row[]::new));
        GenerationOptions drawn = SHORT.withSampling(1, 0, 1, 7);
        List<Row> once = collected(TINY.generate(same, "question", "answer", drawn));

        assertEquals(once, collected(TINY.generate(same, "question", "answer", drawn.withBatchSize(3))));
        assertTrue(once.stream().map(row -> row.<String>getAs("answer")).distinct().count() > 6);
    }

    @Test
    void likelihoodsAreThoseOfTheScorer() {
        List<String> texts = IntStream.range(0, 30).mapToObj(i -> "Rule " + i + " holds for all.").toList();
        Row[] questions = IntStream.range(0, 30).mapToObj(i -> RowFactory.create(i, texts.get(i),
                i % 2 == 0 ? "hr" : null)).toArray(Row[]::new);
        List<Row> scores = collected(TINY.withAdapters(Map.of("hr", HR), "adapter").score(rows(questions),
                "question"));

        try (BaseModel base = load(MODEL); PeftModel hr = base.withAdapter(Path.of(HR))) {
            List<TokenSequence> sequences = texts.stream().map(text -> TokenSequence.allSupervised(
                    base.tokenizer().encodeWithSpecials(text))).toList();
            double[] withAdapter = SequenceScorer.negativeLogLikelihoods(hr, sequences);
            double[] without = SequenceScorer.negativeLogLikelihoods(base, sequences);
            for (int i = 0; i < questions.length; i++) {
                assertEquals(i % 2 == 0 ? withAdapter[i] : without[i], scores.get(i).<Double>getAs("nll"), 1e-4);
                assertEquals(sequences.get(i).supervisedTokens(), scores.get(i).<Integer>getAs("tokens"));
            }
        }
    }

    @Test
    void vectorsAreThoseOfTheEmbedder() {
        String model = FIXTURES.resolve("sentences").resolve("mean-normalized").toString();
        List<Row> vectors = collected(PeftFunctions.of(model).withPrecision(Precision.F32).embed(rows(
                RowFactory.create(0, "notice period", null), RowFactory.create(1, null, null)), "question",
                "vector"));

        try (BaseModel base = load(model)) {
            float[] expected = new TextEmbedder(base).embed("notice period");
            float[] found = new float[expected.length];
            List<Float> column = vectors.get(0).getList(3);
            for (int i = 0; i < found.length; i++) {
                found[i] = column.get(i);
            }
            assertArrayEquals(expected, found, 1e-5f);
        }
        assertEquals("\"question\" is null", vectors.get(1).getAs("error"));
    }

    @Test
    void classesAreThoseOfTheClassifier() {
        String model = FIXTURES.resolve("encoders").resolve("bert-seq-cls").toString();
        List<Row> classes = collected(PeftFunctions.of(model).withPrecision(Precision.F32).classify(rows(
                RowFactory.create(0, "I was charged twice", null), RowFactory.create(1, "It is late", null)),
                "question", "label"));

        try (BaseModel base = load(model)) {
            List<TextClassifier.Classification> expected = new TextClassifier(base).classify(
                    List.of("I was charged twice", "It is late"));
            for (int i = 0; i < 2; i++) {
                assertEquals(expected.get(i).label(), classes.get(i).getAs("label"));
                Map<String, Double> scores = classes.get(i).getJavaMap(classes.get(i).fieldIndex("scores"));
                expected.get(i).scores().forEach((label, score) -> assertEquals(score, scores.get(label), 1e-5));
            }
        }
    }

    @Test
    void wrongColumnsAreRefusedBeforeTheJobStarts() {
        Dataset<Row> rows = rows(RowFactory.create(0, "Fine?", null));

        assertEquals("there is no column 'qestion'; there are 'question', 'id' and 'adapter'",
                assertThrows(ConfigurationException.class, () -> TINY.generate(rows, "qestion", "answer"))
                        .getMessage());
        assertEquals("there is a column 'adapter' already; rename it, or choose another name for the new one",
                assertThrows(ConfigurationException.class, () -> TINY.generate(rows, "question", "adapter"))
                        .getMessage());
        assertEquals("the column 'id' is of type int; names of adapters are strings",
                assertThrows(ConfigurationException.class, () -> TINY.withAdapters(Map.of("hr", HR), "id")
                        .generate(rows, "question", "answer")).getMessage());
        assertEquals("answers to the rows of a DataFrame cannot have more than one answer to a row; repeat the rows "
                + "instead",
                assertThrows(ConfigurationException.class, () -> TINY.generate(rows, "question",
                        "answer", SHORT.withAnswers(2))).getMessage());
    }
}
