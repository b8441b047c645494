package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.ScoringRows;
import io.peft4j.data.format.DataRow;
import io.peft4j.models.ModelOptions.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Answers, likelihoods, vectors and classes for the rows of a DataFrame:
 *
 * <pre>{@code
 * PeftFunctions hr = PeftFunctions.of("HuggingFaceTB/SmolLM2-135M-Instruct").withAdapter("/shared/handbook-adapter");
 * Dataset<Row> answers = hr.generate(questions, "question", "answer");
 * answers.write().parquet("/shared/answers");
 * }</pre>
 *
 * <p>The result has the columns of the rows, the new ones, and {@value #ERROR}: null, or why there is nothing for this
 * row, such as a text that is null or too long. A model is loaded once in an executor, on first use, and shared by all
 * of its tasks; a minute after the last of them it is closed. As all of Spark's, a result is computed when it is asked
 * for, and again when it is asked for again.
 *
 * <p>Models and adapters are named by what every executor finds: a hub's ID, a folder that all machines see, or the
 * last name of a folder that {@code SparkContext.addFile(folder, true)} has sent to them. Objects of this class do not
 * change: each method gives another one.
 */
public final class PeftFunctions {
    /** The column that says what is wrong with a row. */
    public static final String ERROR = "error";
    private static final String ALONE = "adapter";

    private final ModelRecipe recipe;
    private final String adapter;
    private final boolean byRow;
    private final boolean plain;
    private final boolean failing;
    private final String error;

    private PeftFunctions(ModelRecipe recipe, String adapter, boolean byRow, boolean plain, boolean failing,
            String error) {
        this.recipe = recipe;
        this.adapter = adapter;
        this.byRow = byRow;
        this.plain = plain;
        this.failing = failing;
        this.error = error;
    }

    /**
     * With a base model.
     *
     * @param model an ID on the hub, a Hugging Face folder or a GGUF file
     */
    public static PeftFunctions of(String model) {
        return new PeftFunctions(ModelRecipe.of(model), PeftModel.BASE, false, false, false, ERROR);
    }

    /** The same with an adapter for all rows. */
    public PeftFunctions withAdapter(String folder) {
        return new PeftFunctions(recipe.withAdapters(Map.of(ALONE, folder)), ALONE, false, plain, failing, error);
    }

    /**
     * The same with an adapter for each row.
     *
     * @param folders folders by the names of the adapters
     * @param column the column with the name of a row's adapter; null or empty: the base model
     */
    public PeftFunctions withAdapters(Map<String, String> folders, String column) {
        return new PeftFunctions(recipe.withAdapters(folders), column, true, plain, failing, error);
    }

    /** The same with weights in another precision; default {@link Precision#AUTO}. */
    public PeftFunctions withPrecision(Precision precision) {
        return with(recipe.withPrecision(precision));
    }

    /**
     * The same with another number of threads that a JVM computes with; default: {@code spark.executor.cores}, or where
     * that is not set the processors given to it.
     *
     * @throws ConfigurationException when it is less than 1
     */
    public PeftFunctions withThreads(int threads) {
        if (threads < 1) {
            throw new ConfigurationException("threads must be at least 1, got " + threads);
        }
        return with(recipe.withThreads(threads));
    }

    /** The same without the chat template: a text is continued, and not taken for a user's message. */
    public PeftFunctions withoutChatTemplate() {
        return new PeftFunctions(recipe, adapter, byRow, true, failing, error);
    }

    /** The same with another name for the column {@value #ERROR}. */
    public PeftFunctions withErrorColumn(String column) {
        return new PeftFunctions(recipe, adapter, byRow, plain, failing, column);
    }

    /** The same, but a row that cannot be answered ends the job. */
    public PeftFunctions failingOnErrors() {
        return new PeftFunctions(recipe, adapter, byRow, plain, true, error);
    }

    private PeftFunctions with(ModelRecipe newRecipe) {
        return new PeftFunctions(newRecipe, adapter, byRow, plain, failing, error);
    }

    /** As {@link #generate(Dataset, String, String, GenerationOptions)}, greedily, with at most 64 new tokens. */
    public Dataset<Row> generate(Dataset<Row> rows, String column, String answer) {
        return generate(rows, column, answer, GenerationOptions.defaults());
    }

    /**
     * Adds answers. What is drawn for a row depends on the seed and on the rows of its partition, neither on the batch
     * size nor on other tasks.
     *
     * @param column a text, which is a user's message for models with a chat template; or messages, an array of structs
     *     with {@code role} and {@code content}
     * @param answer the name of the new column, a string
     * @param options its batch size is that of a task; tasks of a JVM take turns
     * @throws ConfigurationException when there is no such column, the new one is there already, or the options ask for
     *     several answers, log-probabilities, a constraint or a listener
     */
    public Dataset<Row> generate(Dataset<Row> rows, String column, String answer, GenerationOptions options) {
        boolean messages = Columns.require(rows, column).dataType() instanceof ArrayType;
        StructType schema = schema(rows, new StructType().add(answer, DataTypes.StringType));
        RowPlan plan = plan(rows, Map.of(messages ? "messages" : "prompt", column));
        AnswerSettings settings = AnswerSettings.of(options);
        ModelRecipe wanted = recipe;
        boolean continued = plain;
        return rows.mapPartitions((MapPartitionsFunction<Row, Row>) part -> AnswerRows.of(part, wanted, plan, settings,
                continued), Encoders.row(schema));
    }

    /**
     * Adds {@code nll}, the negative log-likelihood of all tokens of a text after the first (double), and
     * {@code tokens}, their number (int).
     *
     * @param column a text; or messages, of which the answers count
     * @throws ConfigurationException when there is no such column, or a new one is there already
     */
    public Dataset<Row> score(Dataset<Row> rows, String column) {
        boolean messages = Columns.require(rows, column).dataType() instanceof ArrayType;
        return score(rows, Map.of(messages ? "messages" : "text", column));
    }

    /**
     * As {@link #score(Dataset, String)}, for the tokens of a text that follows another one as it is, without a chat
     * template.
     *
     * @param prompt the column with what is given
     * @param completion the column with what counts
     */
    public Dataset<Row> score(Dataset<Row> rows, String prompt, String completion) {
        return score(rows, Map.of("prompt", prompt, "completion", completion));
    }

    private Dataset<Row> score(Dataset<Row> rows, Map<String, String> forms) {
        return batches(rows, forms, recipe, new ScoreWork(), new StructType().add("nll", DataTypes.DoubleType)
                .add("tokens", DataTypes.IntegerType));
    }

    /**
     * Adds vectors, made as the model's folder says.
     *
     * @param column a text; what is too long is cut
     * @param vector the name of the new column, an array of floats
     * @throws ConfigurationException when there is no such column, or the new one is there already
     */
    public Dataset<Row> embed(Dataset<Row> rows, String column, String vector) {
        return batches(rows, Map.of("text", column), recipe.withUse(ModelRecipe.Use.VECTORS), new VectorWork(),
                new StructType().add(vector, DataTypes.createArrayType(DataTypes.FloatType, false)));
    }

    /**
     * Adds the most likely class and {@code scores}, the probability of each class by its name. The head is that of the
     * base, or of the adapter; adapters by row have the same classes.
     *
     * @param column a text; what is too long is cut
     * @param label the name of the new column, a string
     * @throws ConfigurationException when there is no such column, or a new one is there already
     */
    public Dataset<Row> classify(Dataset<Row> rows, String column, String label) {
        return batches(rows, Map.of("text", column), recipe.withUse(ModelRecipe.Use.CLASSES), new ClassWork(),
                new StructType().add(label, DataTypes.StringType).add("scores",
                        DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType, false)));
    }

    private <T> Dataset<Row> batches(Dataset<Row> rows, Map<String, String> forms, ModelRecipe wanted,
            BatchWork<T> work, StructType columns) {
        RowPlan plan = plan(rows, forms);
        int count = columns.size();
        return rows.mapPartitions((MapPartitionsFunction<Row, Row>) part -> BatchRows.of(part, wanted, plan, work,
                count), Encoders.row(schema(rows, columns)));
    }

    private RowPlan plan(Dataset<Row> rows, Map<String, String> forms) {
        forms.values().forEach(column -> Columns.require(rows, column));
        if (byRow) {
            DataType type = Columns.require(rows, adapter).dataType();
            if (!type.equals(DataTypes.StringType)) {
                throw new ConfigurationException("the column '" + adapter + "' is of type " + type.simpleString()
                        + "; names of adapters are strings");
            }
        }
        return new RowPlan(new LinkedHashMap<>(forms), adapter, byRow, failing);
    }

    private StructType schema(Dataset<Row> rows, StructType columns) {
        StructType all = rows.schema();
        List<String> there = List.of(all.fieldNames());
        StructType added = columns.add(error, DataTypes.StringType);
        Arrays.stream(added.fieldNames()).filter(there::contains).findFirst().ifPresent(name -> {
            throw new ConfigurationException("there is a column '" + name + "' already; rename it, or choose another "
                    + "name for the new one");
        });
        for (String name : added.fieldNames()) {
            all = all.add(added.apply(name));
        }
        return all;
    }

    /** Columns of DataFrames by name. */
    private static final class Columns {
        private Columns() {
        }

        /**
         * A column.
         *
         * @throws ConfigurationException when there is none of that name
         */
        static StructField require(Dataset<Row> rows, String name) {
            List<String> names = List.of(rows.schema().fieldNames());
            if (!names.contains(name)) {
                throw new ConfigurationException("there is no column '" + name + "'; "
                        + SimilarNames.sentence(name, names));
            }
            return rows.schema().apply(name);
        }
    }

    private static final class VectorWork extends TextWork {
        private static final long serialVersionUID = 1L;

        @Override
        public List<List<Object>> results(LanguageModel model, List<String> texts) {
            return new TextEmbedder(model).embed(texts).stream().map(vector -> List.<Object>of(vector)).toList();
        }
    }

    private static final class ClassWork extends TextWork {
        private static final long serialVersionUID = 1L;

        @Override
        public List<List<Object>> results(LanguageModel model, List<String> texts) {
            return new TextClassifier(model).classify(texts).stream().map(found -> List.<Object>of(found.label(),
                    CollectionConverters.asScala(found.scores()))).toList();
        }
    }

    private abstract static class TextWork implements BatchWork<String> {
        private static final long serialVersionUID = 1L;

        @Override
        public final String input(LanguageModel model, DataRow row) {
            if (row.fields().get("text") instanceof String text) {
                return text;
            }
            throw row.wrong("the text is not a string");
        }
    }

    /** Likelihoods. */
    private static final class ScoreWork implements BatchWork<TokenSequence> {
        private static final long serialVersionUID = 1L;

        @Override
        public TokenSequence input(LanguageModel model, DataRow row) {
            return new ScoringRows(model).sequence(row);
        }

        @Override
        public List<List<Object>> results(LanguageModel model, List<TokenSequence> inputs) {
            List<List<Object>> results = new ArrayList<>();
            try (SequenceScorer scorer = new SequenceScorer(model, score -> results.add(List.of(score.nll(),
                    score.tokens())))) {
                inputs.forEach(scorer::add);
                scorer.flush();
            }
            return results;
        }
    }
}
