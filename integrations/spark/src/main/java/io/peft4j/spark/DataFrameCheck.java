package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.clean.PiiKind;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * {@link io.peft4j.data.report.DataCheck} for data that is larger than one machine: the same report of the same rows.
 *
 * <pre>{@code
 * DataFrameCheck check = DataFrameCheck.of(spark).rows("train", spark.read().parquet("s3a://hr/train"))
 *         .rows("validation", spark.read().parquet("s3a://hr/validation"));
 * DataReport report = check.run();
 * DataFrameCheck.findings(spark, report).write().parquet("s3a://hr/findings");
 * }</pre>
 *
 * <p>Columns are named as the keys of the data's format: {@code messages}, {@code question} and {@code answer},
 * {@code text} and {@code label}, ...; a line of a finding is the number of the row, from 1. Rows are looked at on the
 * executors, and so are pairs of them that may be the same, ask the same or tell the same: equal ones by a hash, others
 * by the MinHash signatures of the plain check. The driver keeps some 20 bytes for each example, and the texts of those
 * that are related to another one in a temporary file.
 */
public final class DataFrameCheck {
    private static final int DEFAULT_MOST_FINDINGS = 1000;

    private final SparkSession spark;
    private final List<String> names = new ArrayList<>();
    private final List<JavaPairRDD<Object, Long>> rows = new ArrayList<>();
    private Optional<DataFormat> format = Optional.empty();
    private Optional<Set<PiiKind>> pii = Optional.empty();
    private Optional<ModelRecipe> model = Optional.empty();
    private int maxLength = Integer.MAX_VALUE;
    private int mostFindings = DEFAULT_MOST_FINDINGS;
    private int previews = 3;

    private DataFrameCheck(SparkSession spark) {
        this.spark = spark;
    }

    /** A check of no rows yet. */
    public static DataFrameCheck of(SparkSession spark) {
        return new DataFrameCheck(spark);
    }

    /**
     * Adds rows. The first ones are those to train on, others are held out and must not stand in those before.
     *
     * @param name is in findings where the plain check has the file
     */
    public DataFrameCheck rows(String name, Dataset<Row> data) {
        names.add(name);
        rows.add(data.javaRDD().map(row -> (Object) row).zipWithIndex());
        return this;
    }

    /**
     * Adds the lines of a file of JSON Lines, compressed or not, or of several, as {@link #rows}; what is no JSON is
     * found, too.
     *
     * @param path whatever Spark can read: a path, a URI, a pattern
     */
    public DataFrameCheck jsonLines(String path) {
        names.add(path);
        rows.add(JavaSparkContext.fromSparkContext(spark.sparkContext()).textFile(path).map(line -> (Object) line)
                .zipWithIndex());
        return this;
    }

    /** The format of all rows; default: recognised by the first 100. */
    public DataFrameCheck format(DataFormat newFormat) {
        format = Optional.of(newFormat);
        return this;
    }

    /** Which personal data is looked for; default: all but national identity numbers. */
    public DataFrameCheck pii(Set<PiiKind> kinds) {
        pii = Optional.of(Set.copyOf(kinds));
        return this;
    }

    /**
     * Looks at the examples as a model does.
     *
     * @param reference a model that every executor finds, see {@link PeftFunctions}
     * @param newMaxLength the longest example in tokens
     * @throws ConfigurationException when the length is not positive
     */
    public DataFrameCheck model(String reference, int newMaxLength) {
        if (newMaxLength < 1) {
            throw new ConfigurationException("max length must be at least 1, got " + newMaxLength);
        }
        model = Optional.of(ModelRecipe.of(reference));
        maxLength = newMaxLength;
        return this;
    }

    /**
     * How many findings of one code and severity are listed; all are counted. Default: 1000.
     *
     * @throws ConfigurationException when the number is negative
     */
    public DataFrameCheck mostFindings(int most) {
        if (most < 0) {
            throw new ConfigurationException("max findings must be 0 or more, got " + most);
        }
        mostFindings = most;
        return this;
    }

    /** How many examples are shown as the model sees them; default: 3. */
    public DataFrameCheck previews(int count) {
        previews = count;
        return this;
    }

    /**
     * Checks the rows.
     *
     * @throws ConfigurationException when there are none
     */
    public DataReport run() {
        if (rows.isEmpty()) {
            throw new ConfigurationException("there is nothing to check; add rows or jsonLines");
        }
        DataFormat all = format.orElseGet(() -> CheckJob.recognized(rows.get(0)));
        return new CheckJob(JavaSparkContext.fromSparkContext(spark.sparkContext()), rows, new CheckSettings(names, all,
                pii, model, maxLength, previews, mostFindings)).run();
    }

    /**
     * The findings of a report as a DataFrame: {@code code}, {@code severity}, {@code file}, {@code lines} (array of
     * long), {@code message}, {@code why}, {@code advice} and {@code texts} (array of string).
     */
    public static Dataset<Row> findings(SparkSession spark, DataReport report) {
        StructType schema = new StructType();
        for (String name : List.of("code", "severity", "file", "message", "why", "advice")) {
            schema = schema.add(name, DataTypes.StringType, false);
        }
        schema = schema.add("lines", DataTypes.createArrayType(DataTypes.LongType, false), false)
                .add("texts", DataTypes.createArrayType(DataTypes.StringType, false), false);
        List<Row> all = new ArrayList<>();
        for (Finding finding : report.findings()) {
            all.add(RowFactory.create(finding.code().code(), finding.severity().code(), finding.file(),
                    finding.message(), finding.code().why(), finding.code().advice(),
                    finding.lines().toArray(), finding.texts().toArray()));
        }
        return spark.createDataFrame(all, schema);
    }
}
