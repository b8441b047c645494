package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.data.ScoringRows;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.HeadRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j score}: how likely texts are to a model. */
@Command(name = "score", sortOptions = false, description = {"Scores texts by the summed negative log-likelihood of "
        + "their tokens.",
    "Rows of the data are {\"text\"} (every token after the first, with the tokenizer's default special tokens), "
            + "{\"input_ids\"}, {\"messages\"} (the supervised tokens), or {\"prompt\", \"completion\"} (the tokens "
            + "of the completion).",
    "Of models with a head each line says the row's text, what the model says of it, what is right where the row "
            + "tells (\"gold\"), and the logits: {\"text\", \"label\", \"gold\", \"logits\": [...]} of a classifier "
            + "(\"labels\" where several can be right), {\"tokens\", \"labels\", \"gold\", \"logits\"} of one of "
            + "tokens, with a list for each token, {\"question\", \"answer\", \"gold\", \"start_logits\", "
            + "\"end_logits\"} of one that answers questions on a \"context\"."})
final class ScoreCommand extends PeftCommand {
    @Mixin
    private AdaptedModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows: JSON Lines, CSV, TSV or "
            + "Parquet.")
    private Path data;

    @Mixin
    private DataInput input;

    @Option(names = "--json", description = "Prints {\"nll\": sum, \"tokens\": number} a row.")
    private boolean json;

    private double total;
    private long tokens;

    @Override
    public Integer call() {
        return model.with(console(), this::score);
    }

    private int score(LanguageModel scored) {
        if (scored.network().task().type().hasHead()) {
            new HeadScores(scored).print(columns -> input.file(data, columns), console());
            return 0;
        }
        try (SequenceScorer scorer = new SequenceScorer(scored, this::print)) {
            new ScoringRows(scored).read(input.file(data), scorer::add);
            scorer.flush();
        }
        if (!json) {
            console().out().printf(Locale.ROOT, "%nin all: nll %.4f, %s, perplexity %.3f%n", total,
                    Count.of(tokens, "token"), Math.exp(total / tokens));
            console().checkOut();
        }
        return 0;
    }

    private void print(SequenceScorer.Score score) {
        total += score.nll();
        tokens += score.tokens();
        if (json) {
            console()
                    .print(CommandJson.MAPPER.createObjectNode().put("nll", score.nll()).put("tokens", score.tokens()));
        } else {
            console().out().printf(Locale.ROOT, "nll %.4f, %s%n", score.nll(), Count.of(score.tokens(), "token"));
            console().checkOut();
        }
    }

    /**
     * What a model with a head says to rows, a JSON object each: the row's text, what the model says of it, what is
     * right where the row tells, and the logits.
     */
    private static final class HeadScores {
        private final Model model;
        private final Task task;

        HeadScores(Model model) {
            this.model = model;
            this.task = model.network().task();
        }

        /** @param data gives the file with the columns that it is to have */
        void print(Function<List<List<String>>, DataFile> data, Console console) {
            HeadRows reader = new HeadRows(model);
            List<HeadRows.Row> rows = reader.read(data.apply(reader.columns()));
            CutRows.tell(console, IntStream.range(0, rows.size()).filter(i -> rows.get(i).isCut()).mapToObj(i -> i + 1)
                    .toList(), rows.size(), reader.limit());
            List<TokenSequence> sequences = rows.stream().map(HeadRows.Row::sequence).toList();
            switch (task.type()) {
                case SEQ_CLS -> {
                    TextClassifier classifier = new TextClassifier(model);
                    List<float[]> logits = classifier.logitsOf(sequences);
                    for (int i = 0; i < rows.size(); i++) {
                        console.print(text(rows.get(i), logits.get(i), classifier.classification(logits.get(i))));
                    }
                }
                case TOKEN_CLS -> {
                    TokenTagger tagger = new TokenTagger(model);
                    List<float[]> logits = tagger.logitsOf(sequences);
                    for (int i = 0; i < rows.size(); i++) {
                        console.print(words(rows.get(i), logits.get(i), tagger));
                    }
                }
                case QUESTION_ANS -> {
                    QuestionAnswerer answerer = new QuestionAnswerer(model);
                    List<float[]> logits = answerer.logitsOf(sequences);
                    for (int i = 0; i < rows.size(); i++) {
                        console.print(question(rows.get(i), logits.get(i), answerer));
                    }
                }
                default -> throw new ConfigurationException(model.network().description().name() + " makes vectors of "
                        + "texts and scores nothing; use peft4j embed");
            }
        }

        private ObjectNode text(HeadRows.Row row, float[] logits, TextClassifier.Classification said) {
            ObjectNode line = begun(row, "text", "text_pair");
            switch (task.problem()) {
                case SINGLE_LABEL -> line.put("label", said.label());
                case MULTI_LABEL -> line.set("labels", CommandJson.MAPPER.valueToTree(said.labels()));
                default -> {
                }
            }
            gold(line, row, "label");
            put(line.putArray("logits"), logits, 0, logits.length);
            return line;
        }

        private ObjectNode words(HeadRows.Row row, float[] logits, TokenTagger tagger) {
            ObjectNode line = begun(row, "text", "tokens");
            if (row.firstPieces().length > 0) {
                line.set("labels", CommandJson.MAPPER.valueToTree(tagger.labels(row.firstPieces(), logits)));
            }
            gold(line, row, "labels");
            ArrayNode tokens = line.putArray("logits");
            int columns = task.labels().size();
            for (int from = 0; from < logits.length; from += columns) {
                put(tokens.addArray(), logits, from, columns);
            }
            return line;
        }

        private ObjectNode question(HeadRows.Row row, float[] logits, QuestionAnswerer answerer) {
            ObjectNode line = begun(row, "question");
            if (row.fields().get("question") instanceof String question
                    && row.fields().get("context") instanceof String context) {
                line.put("answer", answerer.answer(question, context).text());
            }
            Stream.of("answers", "answer").filter(row.fields()::containsKey).findFirst()
                    .ifPresent(key -> line.set("gold", CommandJson.MAPPER.valueToTree(row.fields().get(key))));
            ArrayNode starts = line.putArray("start_logits");
            ArrayNode ends = line.putArray("end_logits");
            for (int i = 0; i < logits.length; i += 2) {
                starts.add(logits[i]);
                ends.add(logits[i + 1]);
            }
            return line;
        }

        private static ObjectNode begun(HeadRows.Row row, String... keys) {
            ObjectNode line = CommandJson.MAPPER.createObjectNode();
            Stream.of(keys).filter(row.fields()::containsKey)
                    .forEach(key -> line.set(key, CommandJson.MAPPER.valueToTree(row.fields().get(key))));
            return line;
        }

        /** What is right, by name where the model has a name for its number. */
        private void gold(ObjectNode line, HeadRows.Row row, String key) {
            Object right = row.fields().get(key);
            if (right instanceof List<?> several) {
                line.set("gold", CommandJson.MAPPER.valueToTree(several.stream().map(this::named).toList()));
            } else if (right != null) {
                line.set("gold", CommandJson.MAPPER.valueToTree(named(right)));
            }
        }

        private Object named(Object label) {
            boolean number = task.labels().size() > 1 && task.problem() != Task.Problem.REGRESSION
                    && label instanceof Integer index && index >= 0
                    && index < task.labels().size();
            return number ? task.labels().get((Integer) label) : label;
        }

        private static void put(ArrayNode array, float[] values, int from, int count) {
            for (int i = from; i < from + count; i++) {
                array.add(values[i]);
            }
        }
    }
}
