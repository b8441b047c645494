package io.peft4j.spark;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.data.PromptRows;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Measures the answers to many rows: by the plain API, and by Spark on the same processors, in turn. Arguments: a
 * model, the number of rows, of new tokens, and of rounds. What benchmarks/results.md says was measured with it.
 */
public final class BatchSpeed {
    private BatchSpeed() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        int rows = Integer.parseInt(args[1]);
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(Integer.parseInt(args[2]));
        List<String> questions = IntStream.range(0, rows).mapToObj(i -> "What does rule " + i + " of the handbook say"
                + (i % 3 == 0 ? " about leave" : i % 3 == 1 ? " about the notice period of a consultant" : "")
                + "?").toList();
        SparkSession spark = TestSpark.session("local[2]");
        PeftFunctions functions = PeftFunctions.of(args[0]);
        Dataset<Row> data = spark.createDataset(questions, Encoders.STRING()).toDF("question").repartition(8).cache();
        data.count();
        List<Double> ratios = new ArrayList<>();
        try (BaseModel base = BaseModel.load(args[0])) {
            boolean chats = base.chatTemplate().isPresent();
            List<Prompt> prompts = questions.stream().map(text -> PromptRows.ofText(text, chats)).toList();
            for (int round = 0; round <= Integer.parseInt(args[3]); round++) {
                double plain = seconds(() -> base.generate(prompts, options));
                double distributed = seconds(() -> functions.generate(data, "question", "answer", options).write()
                        .format("noop").mode("overwrite").save());
                System.out.printf(Locale.ROOT, "%s: plain %.2f s, Spark %.2f s, ratio %.3f%n",
                        round == 0 ? "warm-up" : "round " + round, plain, distributed, plain / distributed);
                if (round > 0) {
                    ratios.add(plain / distributed);
                }
            }
        }
        spark.stop();
        ratios.sort(Double::compare);
        System.out.printf(Locale.ROOT, "median of the ratios: %.3f%n", ratios.get(ratios.size() / 2));
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }
}
