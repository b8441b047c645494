package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.FindingCode;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The check of a cluster says what the plain one says. */
class DataFrameCheckTest {
    private static final Path HANDBOOK = Path.of("../../examples", "handbook").toAbsolutePath().normalize();
    private static final String MODEL = Path.of("../../tests/fixtures",
            "tiny-llama").toAbsolutePath().normalize().toString();

    @TempDir
    private Path folder;

    private static String chat(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question
                + "\"}, {\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}";
    }

    /** The handbook with faults in it, in an order of its own. */
    private static List<String> dirty(long seed) throws IOException {
        List<String> rows = new ArrayList<>(Files.readAllLines(HANDBOOK.resolve("train.jsonl")));
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 40; i++) {
            String row = rows.get(random.nextInt(rows.size()));
            rows.add(random.nextInt(rows.size()), switch (i % 8) {
                case 0 -> row;
                case 1 -> row.replace(". ", ".  ");
                case 2 -> row.replaceFirst("\\?\"", " please?\"");
                case 3 -> row.substring(0, row.length() / 2);
                case 4 -> chat("Whom do I write to about rule " + i + "?", "Write to anna.meier" + i + "@example.org.");
                case 5 -> chat("May I carry over leave " + (i / 16) + "?", "You may carry over " + i
                        + " days of leave.");
                case 6 -> chat("Is rule " + i + " still valid?", "I'm sorry, but I cannot help with that.");
                default -> chat("What does the Zanzibar" + i + " Clause say?",
                        "HURRAH!!! THE CLAUSE SAYS NOTHING AT ALL");
            });
        }
        rows.add(7, "");
        return rows;
    }

    private Path write(String name, List<String> rows) throws IOException {
        return Files.write(folder.resolve(name), rows);
    }

    @Tag("full")
    @Test
    void linesOfJsonGiveTheReportOfThePlainCheck() throws IOException {
        Path train = write("train.jsonl", dirty(1));
        Path validation = write("validation.jsonl", dirty(2).subList(0, 60));
        DataReport plain = DataCheck.of(train).validation(validation).run();
        SparkSession spark = TestSpark.local();
        DataReport report = DataFrameCheck.of(spark).jsonLines(train.toString()).jsonLines(validation.toString()).run();

        assertEquals(plain.toJson().toPrettyString(), report.toJson().toPrettyString());
        assertEquals(plain.findings(), report.findings());
        for (FindingCode code : List.of(FindingCode.DUPLICATE, FindingCode.NEAR_DUPLICATE, FindingCode.CONTRADICTION,
                FindingCode.LEAKAGE, FindingCode.PII, FindingCode.REFUSAL, FindingCode.INVALID_JSON,
                FindingCode.STYLE_OUTLIER, FindingCode.SINGLE_USE_TERM)) {
            assertTrue(report.counts().getOrDefault(code, 0L) > 0, () -> code + " is not in the data");
        }
        List<Row> listed = DataFrameCheck.findings(spark, report).collectAsList();
        assertEquals(report.findings().size(), listed.size());
        assertEquals(report.findings().get(0).code().code(), listed.get(0).getAs("code"));
        assertEquals(report.findings().get(0).lines(), listed.get(0).getList(listed.get(0).fieldIndex("lines")));
    }

    @Test
    void columnsGiveTheReportOfThePlainCheckWhateverThePartitions() throws IOException {
        List<String> rows = dirty(3).stream().filter(row -> row.endsWith("}")).toList();
        Path train = write("train.jsonl", rows);
        BaseModel base = BaseModel.load(MODEL);
        DataReport plain;
        try (base) {
            plain = DataCheck.of(train).model(new ChatEncoder(base.tokenizer(), base.chatTemplate().orElseThrow()), 100)
                    .run();
        }
        SparkSession spark = TestSpark.local();
        Path table = folder.resolve("table");
        spark.read().schema("messages array<struct<role: string, content: string>>").json(train.toString()).coalesce(1)
                .write().parquet(table.toString());
        for (int partitions : TestSpark.FULL ? new int[] {1, 5} : new int[] {5}) {
            Dataset<Row> data = spark.read().parquet(table.toString());
            DataReport report = DataFrameCheck.of(spark).rows(train.toString(), partitions == 1 ? data
                    : inParts(spark, data, partitions)).model(MODEL, 100).run();

            assertEquals(plain.counts(), report.counts());
            assertEquals(plain.statistics(), report.statistics());
            assertEquals(plain.findings(), report.findings());
        }
    }

    /** In the same order. */
    private static Dataset<Row> inParts(SparkSession spark, Dataset<Row> data, int partitions) {
        return spark.createDataFrame(JavaSparkContext.fromSparkContext(spark.sparkContext())
                .parallelize(data.collectAsList(), partitions), data.schema());
    }

    @Test
    void crowdsOfExamplesThatDifferInOneWordAreComparedToo() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            String city = "" + (char) ('a' + i % 26) + (char) ('a' + i / 26) + "burg";
            rows.add("{\"question\": \"Where is the office in " + city + "?\", \"answer\": \"In " + city
                    + " it stands in street number " + i + " near the old gate.\"}");
        }
        rows.add("{\"question\": \"Where is the office in aaburg please?\", \"answer\": \"In aaburg it stands in street"
                + " number 0 near the old gate.\"}");
        Path file = write("offices.jsonl", rows);
        DataReport report = DataFrameCheck.of(TestSpark.local()).jsonLines(file.toString()).run();

        assertEquals(DataCheck.of(file).run().counts(), report.counts());
        assertEquals(1, report.counts().get(FindingCode.NEAR_DUPLICATE));
    }

    @Test
    void aCheckOfNothingSaysSo() {
        assertEquals("there is nothing to check; add rows or jsonLines", assertThrows(ConfigurationException.class,
                () -> DataFrameCheck.of(TestSpark.local()).run()).getMessage());
    }
}
