package io.peft4j.examples.spark;

import io.peft4j.core.model.GenerationOptions;
import io.peft4j.data.report.DataReport;
import io.peft4j.spark.DataFrameCheck;
import io.peft4j.spark.PeftFunctions;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Checks questions and answers them. Arguments: a base model, the folder of an adapter, a file of questions in chat
 * form, and a folder for {@code findings} and {@code answers}.
 */
public final class AnswerQuestions {
    private AnswerQuestions() {
    }

    /** Runs the job. */
    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder().appName("answers").getOrCreate();
        try {
            Dataset<Row> questions = spark.read().json(args[2]);
            DataReport report = DataFrameCheck.of(spark).rows("questions", questions).run();
            DataFrameCheck.findings(spark, report).write().json(args[3] + "/findings");

            PeftFunctions handbook = PeftFunctions.of(args[0]).withAdapter(args[1]);
            Dataset<Row> answers = handbook.generate(questions, "messages", "answer",
                    GenerationOptions.defaults().withMaxNewTokens(48));
            answers.write().parquet(args[3] + "/answers");
            System.out.println(report.rows() + " questions, " + report.findings().size() + " findings, "
                    + spark.read().parquet(args[3] + "/answers").where("error is null").count() + " answers");
        } finally {
            spark.stop();
        }
    }
}
