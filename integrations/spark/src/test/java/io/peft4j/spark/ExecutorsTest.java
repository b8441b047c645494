package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.PromptRows;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** JVMs of their own, as on a cluster. */
@Tag("full")
class ExecutorsTest {
    private static final Path FIXTURES = Path.of("../../tests/fixtures")
            .toAbsolutePath().normalize();

    @Test
    void eachExecutorLoadsAModelOnceAndAllAnswersAreThoseOfOneMachine() {
        String model = FIXTURES.resolve("tiny-llama").toString();
        Path adapter = FIXTURES.resolve("adapters").resolve("lora");
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(6);
        List<String> questions = IntStream.range(0, 24).mapToObj(i -> "What is rule " + i + "?").toList();
        SparkSession spark = TestSpark.cluster();
        Dataset<Row> answers = PeftFunctions.of(model).withPrecision(Precision.F32).withAdapter(adapter.toString())
                .generate(spark.createDataset(questions, Encoders.STRING()).toDF("question").repartition(8), "question",
                        "answer", options);
        TreeMap<String, String> found = new TreeMap<>();
        answers.collectAsList().forEach(row -> found.put(row.getAs("question"), row.getAs("answer")));

        TreeMap<String, String> expected = new TreeMap<>();
        try (BaseModel base = BaseModel.load(model, ModelOptions.defaults().withPrecision(Precision.F32));
                PeftModel adapted = base.withAdapter(adapter)) {
            boolean chats = base.chatTemplate().isPresent();
            questions.forEach(question -> expected.put(question, adapted.generate(List.of(PromptRows.ofText(question,
                    chats)), options).get(0).text()));
        }
        assertEquals(expected, found);

        List<String> loaded = spark.createDataset(questions, Encoders.STRING()).repartition(8)
                .map((MapFunction<String, String>) ExecutorsTest::processAndModels, Encoders.STRING()).distinct()
                .collectAsList();
        assertEquals(2, loaded.size(), loaded::toString);
        loaded.forEach(executor -> assertEquals("1", executor.replaceAll(".* ", ""), executor));
    }

    private static String processAndModels(String question) {
        return ProcessHandle.current().pid() + " " + SharedModels.bases();
    }
}
